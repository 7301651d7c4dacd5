"""A SLURM cluster of two nodes on this machine, and the default study's undisturbed results."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tiny import ROOT, Project, copy_project

SCRIPT = Path(__file__).parent / "cluster.sh"
SEEN: list[str] = []


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A running cluster; its folder holds SLURM's logs."""
    folder = tmp_path_factory.mktemp("cluster")
    try:
        started = subprocess.run(
            [SCRIPT, "start", folder],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if started.returncode:
            pytest.fail(started.stdout, pytrace=False)
        yield folder
    finally:
        subprocess.run([SCRIPT, "stop", folder], check=True)


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The default study (under another name) as one machine makes it."""
    study = yaml.safe_load((ROOT / "config" / "config.yaml").read_text()) | {"study": "tiny"}
    project = copy_project(tmp_path_factory.mktemp("undisturbed") / "project", study)
    run = project.snakemake()
    assert run.returncode == 0, run.stdout
    return project


@pytest.fixture
def seen() -> list[str]:
    """Takes a line of what a test saw, printed at the end."""
    return SEEN


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in SEEN:
        terminalreporter.write_line(line)
