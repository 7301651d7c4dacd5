"""A SLURM cluster of two nodes on this machine, for the tests of this folder."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "cluster.sh"


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A running cluster; its folder holds SLURM's logs."""
    folder = tmp_path_factory.mktemp("cluster")
    started = subprocess.run(
        [SCRIPT, "start", folder],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if started.returncode:
        pytest.fail(started.stdout, pytrace=False)
    try:
        yield folder
    finally:
        subprocess.run([SCRIPT, "stop", folder], check=True)
