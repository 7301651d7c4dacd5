"""The real workflow on a tiny study."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tiny import Project, copy_project


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The tiny study, run once from nothing. Read it; do not edit it."""
    project = copy_project(tmp_path_factory.mktemp("finished") / "project")
    run = project.snakemake()
    assert run.returncode == 0, run.stdout
    return project


@pytest.fixture
def project(finished: Project, tmp_path: Path) -> Iterator[Project]:
    """A copy of the finished project to edit and rerun; modification times are kept."""
    target = tmp_path / "project"
    shutil.copytree(finished.path, target, copy_function=shutil.copy2)
    yield Project(target)
    shutil.rmtree(target)
