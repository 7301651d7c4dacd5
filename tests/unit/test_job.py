"""Every script logs its output, and ends with one clear message or a traceback."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import snakemake_logger_plugin_campare

from campare.errors import CampareError
from job import comparison_device, logged
from progress import Report


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "logs" / "train" / "affine" / "1.log"
    path.parent.mkdir(parents=True)
    return path


def test_output_is_in_the_log_and_on_the_terminal_with_the_name_of_the_job(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with logged(str(log)):
        print("a", "table", 1)
        print("of two lines\nand its end")
        print("a remark", file=sys.stderr)
    printed = capsys.readouterr()
    lines = ("a table 1", "of two lines", "and its end")
    assert printed.out.splitlines() == [f"train/affine/1  {line}" for line in lines]
    assert printed.err == "train/affine/1  a remark\n"
    assert log.read_text() == "a table 1\nof two lines\nand its end\na remark\n"


class Terminal(io.StringIO):
    """A terminal of 60 columns with the functions that progress bars need."""

    def isatty(self) -> bool:
        return True

    def rows(self) -> list[str]:
        """The lines on the terminal."""
        rows, column = [""], 0
        for part in re.findall(r"\033\[K|.|\n", self.getvalue(), re.DOTALL):
            if part == "\n" or column == 60:
                rows.append("")
                column = 0
            if part == "\r":
                column = 0
            elif part == "\033[K":
                rows[-1] = rows[-1][:column]
            elif part != "\n":
                rows[-1] = rows[-1][:column] + part + rows[-1][column + 1 :]
                column += 1
        return rows


@pytest.mark.parametrize("name", ["train/affine/1", "train/an_augmentation_with_a_long_name/12345"])
def test_progress_bars_are_cleared(name: str, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", "60")
    snakemake_logger_plugin_campare.LogHandler(None, None)  # type: ignore[arg-type]
    report = Report(name)
    batch = {"event": "batch", "epoch": 1, "epochs": 9, "images": 1000, "loss": 0.021}
    with logged(str(log)):
        report(batch | {"done": 990})
        snakemake_logger_plugin_campare.show("42 of 92 jobs (1 s)")
        report(batch | {"done": 1000})
        assert terminal.rows()[1].startswith(name)
        report.line("done")
    assert terminal.rows() == ["42 of 92 jobs (1 s)", "train/affine/1  done", ""]


def test_no_progress_bar_with_the_output_of_snakemake(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.delenv("CAMPARE_BAR", raising=False)
    batch = {"event": "batch", "epoch": 1, "epochs": 9, "done": 1, "images": 2, "loss": 1}
    Report("train/affine/1")(batch)
    assert terminal.rows() == [""]


def test_bad_input_is_one_message_and_exit_code_1(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended, logged(str(log)):
        raise CampareError("file.h5: is broken; delete it")
    assert ended.value.code == 1
    assert capsys.readouterr().err == "train/affine/1  error: file.h5: is broken; delete it\n"
    assert log.read_text() == "error: file.h5: is broken; delete it\n"


def test_notes_of_an_error_are_printed_before_it(tmp_path: Path) -> None:
    error = CampareError("2 files cannot be used")
    error.add_note("one.png: is broken")
    with pytest.raises(SystemExit), logged(str(tmp_path / "log")):
        raise error
    assert (tmp_path / "log").read_text().splitlines() == [
        "one.png: is broken",
        "error: 2 files cannot be used",
    ]


def test_any_name_can_be_logged_in_any_locale(log: Path) -> None:
    path = os.fsdecode(b"caf\xe9 \xe7\x8c\xab")
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
    assert run.stderr.startswith(b"train/affine/1  error: caf"), run.stderr
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


def test_similarity_needs_torch_only_for_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(CampareError, match=r"similarity\.device: cuda .*set it to cpu"):
        comparison_device("cuda")
    monkeypatch.setitem(sys.modules, "torch", None)
    assert comparison_device("cpu") == "cpu"
