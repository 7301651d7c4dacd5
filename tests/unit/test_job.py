"""Every script logs what it prints, and ends with one clear message or a traceback."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from campare.errors import CampareError
from job import logged, placed


def test_output_is_on_the_terminal_and_in_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with logged(str(tmp_path / "log")):
        print("a result")
        print("a remark", file=sys.stderr)
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("a result\n", "a remark\n")
    assert (tmp_path / "log").read_text() == "a result\na remark\n"


def test_bad_input_is_one_message_and_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended, logged(str(tmp_path / "log")):
        raise CampareError("file.h5: is broken; delete it")
    assert ended.value.code == 1
    assert capsys.readouterr().err == "error: file.h5: is broken; delete it\n"
    assert (tmp_path / "log").read_text() == "error: file.h5: is broken; delete it\n"


def test_a_bug_keeps_its_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, logged(str(tmp_path / "log")):
        raise KeyError("odd")
    assert ended.value.code == 1
    assert "Traceback" in capsys.readouterr().err
    assert "KeyError: 'odd'" in (tmp_path / "log").read_text()


def test_streams_are_restored(tmp_path: Path) -> None:
    before = sys.stdout, sys.stderr
    with logged(str(tmp_path / "log")):
        assert sys.stdout is not before[0]
    assert (sys.stdout, sys.stderr) == before


def test_comparing_needs_torch_for_a_gpu_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(CampareError, match=r"similarity\.device: cuda .*set it to cpu"):
        placed("cuda")
    monkeypatch.setitem(sys.modules, "torch", None)
    assert placed("cpu") == "cpu"
