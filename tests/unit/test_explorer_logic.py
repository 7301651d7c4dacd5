"""The explorer's logic in JavaScript: explorer_logic.mjs, run by Node."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from campare import explorer_page

NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="node is not installed")


@needs_node
def test_logic() -> None:
    assert NODE
    tests = Path(__file__).with_name("explorer_logic.mjs")
    settings = {"EXPLORER": str(explorer_page.FOLDER), "MODULES": ",".join(explorer_page.LOGIC)}
    run = subprocess.run(
        [NODE, "--test", str(tests)], env=os.environ | settings, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "# fail 0" in run.stdout or "ℹ fail 0" in run.stdout


@needs_node
def test_the_whole_script_is_valid(tmp_path: Path) -> None:
    assert NODE
    (tmp_path / "explorer.js").write_text(explorer_page.script(), encoding="utf-8")
    run = subprocess.run(
        [NODE, "--check", str(tmp_path / "explorer.js")], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr


@needs_node
def test_colours_are_those_of_matplotlib(tmp_path: Path) -> None:
    assert NODE
    from matplotlib import colormaps

    code = (explorer_page.FOLDER / "colours.js").read_text(encoding="utf-8")
    (tmp_path / "table.js").write_text(
        f"{code}\nconsole.log([...table(SEQUENTIAL)].join(' '));", encoding="utf-8"
    )
    printed = subprocess.run(
        [NODE, str(tmp_path / "table.js")], check=True, capture_output=True, text=True
    ).stdout
    ours = np.array(printed.split(), int).reshape(256, 3)
    theirs = 255 * colormaps["viridis"](np.arange(256))[:, :3]
    assert np.abs(ours - theirs).max() < 6
