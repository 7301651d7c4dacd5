"""A SLURM cluster of three nodes on this machine, and a study disturbed on it in every way.

Without `--study` it is a small one, whose results prove as much; `--study config/config.yaml` takes
the default study, and polls the queue as the shipped profile says.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from toy import Drill, disturb

from tiny import TINY, Project, copy_project

SCRIPT = Path(__file__).parent / "cluster.sh"
SEEN: list[str] = []
# Long enough a training to be hit in the middle; few tables and figures.
SMALL = TINY | {
    "training": {"epochs": 40},
    "similarity": {"metrics": ["mad"]},
    "figures": {"dpi": 60, "formats": ["png"]},
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--study", type=Path, help="config of the study to disturb")


@pytest.fixture(scope="session")
def study(pytestconfig: pytest.Config) -> dict[str, Any]:
    """What is run, under the name of the tests' studies."""
    path = pytestconfig.getoption("study")
    return {**(yaml.safe_load(path.read_text()) if path else SMALL), "study": "tiny"}


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
def undisturbed(study: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The study as one machine makes it. Read it; do not edit it."""
    project = copy_project(tmp_path_factory.mktemp("undisturbed") / "project", study)
    run = project.snakemake()
    assert run.returncode == 0, run.stdout
    return project


@pytest.fixture(scope="session")
def drill(
    cluster: Path,
    study: dict[str, Any],
    pytestconfig: pytest.Config,
    tmp_path_factory: pytest.TempPathFactory,
) -> Drill:
    """The study from nothing on the cluster, with every fault."""
    project = copy_project(tmp_path_factory.mktemp("drill") / "project", study)
    return disturb(project, cluster, patient=bool(pytestconfig.getoption("study")))


@pytest.fixture
def seen() -> list[str]:
    """Takes a line of what a test saw, printed at the end."""
    return SEEN


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in SEEN:
        terminalreporter.write_line(line)
