"""A file that the system refuses is not taken for a broken one, nor advised to be deleted."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from campare import checkpoints, data, errors, models, split, store, svm, tables
from campare.errors import ANEW, CampareError, reading

READERS: dict[str, Callable[[Path], Any]] = {
    "data.h5": data.read,
    "regions.h5": lambda path: data.read_regions(path, np.array([0])),
    "store.h5": store.read,
    "vectors.h5": svm.read_vectors,
    "split.csv": lambda path: split.read(path, 4),
    "table.csv": tables.read,
    "table.parquet": tables.read,
    "svm.safetensors": svm.load,
    "weights.safetensors": lambda path: models.load(path, "small_cnn", classes=2, channels=1),
    "1.checkpoint": lambda path: checkpoints.read(path),
}
# Whatever is in the files, a refused one is not looked into.
CONTENT = b"weights that took hours"


@contextmanager
def no_more_files(path: Path) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with path.open("rb") as file:
        next_number = file.fileno()
    resource.setrlimit(resource.RLIMIT_NOFILE, (next_number, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@contextmanager
def another_user(path: Path) -> Iterator[None]:
    path.chmod(0)
    user = os.geteuid()
    if user == 0:  # may read everything
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


@contextmanager
def folder(path: Path) -> Iterator[None]:
    path.unlink()
    path.mkdir()
    yield


@pytest.fixture(params=READERS)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    file: Path = tmp_path / request.param
    file.write_bytes(CONTENT)
    return file


def said(path: Path) -> str:
    """The refusal to read a file, after the file's name."""
    with pytest.raises(CampareError) as raised:
        READERS[path.name](path)
    named, _, message = str(raised.value).partition(": ")
    assert named == str(path)
    return message


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (no_more_files, "(Too many open files); raise the limit (ulimit -n)"),
        (another_user, "(Permission denied); let this user read it"),
        (folder, "(Is a directory); the file may be intact; run snakemake again once its disk or"),
    ],
)
def test_a_refused_file_is_not_called_broken(path: Path, how: Any, message: str) -> None:
    with how(path):
        assert said(path).startswith(f"cannot be read {message}")


@pytest.mark.parametrize("code", [errno.ESTALE, errno.EIO, errno.ENOLCK])
def test_nor_is_one_on_a_disk_that_does_not_answer(
    path: Path, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(*_: Any, **__: Any) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(Path, "open", opened)
    assert said(path).startswith(f"cannot be read ({os.strerror(code)}); ")


@pytest.mark.parametrize("name", [name for name in READERS if name.endswith(".h5")])
def test_nor_is_one_that_another_program_writes(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    with h5py.File(path, "w") as file:
        file["images"] = np.zeros(3)
    with path.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert said(path).endswith("another program has it open for writing; close it there")


def test_hdf5_says_in_its_message_what_the_system_said(tmp_path: Path) -> None:
    path = tmp_path / "store.h5"
    path.touch()
    report = "Can't synchronously read data (file read failed: errno = {}, error message = '…')"
    for code, message in [
        (errno.EIO, r"cannot be read \(Input/output error\); the file may be intact"),
        (0, f"not a readable CAM store .*; {ANEW}"),  # past the end of a truncated file
    ]:
        with pytest.raises(CampareError, match=message), reading(path, "CAM store"):
            raise OSError(report.format(code))


def test_no_message_tells_to_delete_a_file() -> None:
    sources = Path(errors.__file__).parent.parent.rglob("*.py")
    found = [path for path in sources if re.search(r'"[^"]*\bdelete (it|the)', path.read_text())]
    assert found == [Path(errors.__file__)]  # a comment there quotes the advice
