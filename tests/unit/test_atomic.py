"""Files appear whole or not at all."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from campare.atomic import replacing
from campare.errors import CampareError


def test_file_appears_with_its_suffix_kept_aside(tmp_path: Path) -> None:
    target = tmp_path / "new" / "table.csv"
    with replacing(target) as aside:
        assert aside.suffix == ".csv"
        assert not target.exists()
        aside.write_text("whole")
    assert target.read_text() == "whole"
    assert list(target.parent.iterdir()) == [target]


def test_failure_keeps_the_old_file_and_leaves_nothing_behind(tmp_path: Path) -> None:
    target = tmp_path / "table.csv"
    target.write_text("old")
    with pytest.raises(ValueError, match="boom"), replacing(target) as aside:
        aside.write_text("half")
        raise ValueError("boom")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(
    ("code", "remedy"), [(errno.ENOSPC, "free some space"), (errno.EACCES, "writable")]
)
def test_full_disk_is_one_message(tmp_path: Path, code: int, remedy: str) -> None:
    target = tmp_path / "table.csv"
    with pytest.raises(CampareError, match=remedy) as caught, replacing(target) as aside:
        aside.write_text("half")
        raise OSError(code, "no")
    assert str(target) in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_really_full_disk(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here")
    with pytest.raises(CampareError, match="free some space"), replacing(tmp_path / "x"):
        full.write_text("more than fits")


def test_other_errors_are_not_disguised(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="odd"), replacing(tmp_path / "x"):
        raise OSError(errno.EBADF, "odd")
