"""Refusals and warnings of jobs are collected from the logs of this run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import retrying


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(retrying, "_refusals", {})
    (tmp_path / "train").mkdir()
    return tmp_path / "train" / "1.log"


def test_each_warning_of_this_run_is_collected_once(tmp_path: Path, log: Path) -> None:
    log.write_text("epoch 1\nwarning: images are dark\nusual\n")
    (tmp_path / "train" / "2.log").write_text("warning: images are dark\n")
    old = tmp_path / "old.log"
    old.write_text("warning: long ago\n")
    os.utime(old, (0, 0))
    assert retrying.warnings(tmp_path) == [f"warning: images are dark\n  (from {log})"]
    assert retrying.warnings(tmp_path / "none") == []


@pytest.mark.parametrize("rest", ["", "\n  a.png: broken\n  b.png: broken"])
def test_a_refusal_is_the_end_of_a_log(log: Path, rest: str) -> None:
    log.write_text(f"a note\nerror: 2 files{rest}\n")
    assert retrying._refusal(log) == f"error: 2 files{rest}\n  (from {log})"


@pytest.mark.parametrize("text", ["", "  \n", "error: once\nthen it went on\n", "Killed\n"])
def test_other_ends_of_a_log_are_not_refusals(log: Path, text: str) -> None:
    log.write_text(text)
    assert retrying._refusal(log) is None
