"""Every script logs what it prints, and ends with one clear message or a traceback."""

from __future__ import annotations

import os
import subprocess
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


def test_notes_of_an_error_stand_before_it(tmp_path: Path) -> None:
    error = CampareError("2 files cannot be used")
    error.add_note("one.png: is broken")
    with pytest.raises(SystemExit), logged(str(tmp_path / "log")):
        raise error
    assert (tmp_path / "log").read_text().splitlines() == [
        "one.png: is broken",
        "error: 2 files cannot be used",
    ]


def test_any_name_can_be_logged_in_any_locale(tmp_path: Path) -> None:
    path, log = os.fsdecode(b"caf\xe9 \xe7\x8c\xab"), tmp_path / "log"
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    script = (
        "from job import logged; from campare.errors import CampareError\n"
        f"with logged({str(log)!r}): raise CampareError({path + ' ×'!a})"
    )
    run = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **ascii_only, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=False,
    )
    assert run.returncode == 1
    assert run.stderr.startswith(b"error: caf"), run.stderr
    assert log.read_text(encoding="utf-8") == "error: caf\\udce9 猫 ×\n"


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
