"""The real workflow on a tiny study."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tiny import Project, copy_project, pretend_gpu


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """After the first file that needs `finished`, those that do not: nobody waits for it."""
    here = Path(__file__).parent
    needing = {item.path: None for item in items if "finished" in getattr(item, "fixturenames", ())}
    waiting = [*needing][1:]
    items.sort(key=lambda item: (here not in item.path.parents, item.path in waiting))


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The tiny study, run once from nothing, as on a machine with one GPU.

    Copy it or read it, since all test processes share it. What Snakemake printed is in `output`.
    Every job has a Python of its own, as for users; further studies are forked (`forked`).
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    project = Project(shared / "finished" / "project", forked=False)
    with (shared / "finished.lock").open("w") as lock, pytest.MonkeyPatch.context() as patch:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (project.path / "output").exists():
            copy_project(project.path)
            pretend_gpu(shared / "finished" / "bin", patch)
            run = project.snakemake()
            assert run.returncode == 0, run.stdout
            (project.path / "output").write_text(run.stdout)
    return project


@pytest.fixture
def project(finished: Project, tmp_path: Path) -> Iterator[Project]:
    """A copy of the finished project to edit and rerun; modification times are kept."""
    target = tmp_path / "project"
    shutil.copytree(finished.path, target, copy_function=shutil.copy2)
    yield Project(target)
    shutil.rmtree(target)
