"""The example of docs/notebook.md works as it stands there, on the finished tiny study."""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tiny import ROOT, Project

pytestmark = pytest.mark.workflow

BLOCKS = re.findall(
    r"```python\n(.*?)```", (ROOT / "docs" / "notebook.md").read_text(encoding="utf-8"), re.DOTALL
)


def test_the_page(
    finished: Project,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "digits").symlink_to(finished.results)
    monkeypatch.chdir(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in finished.results.rglob("*")}
    matplotlib.use("agg")
    names: dict = {}
    for block in BLOCKS:
        exec(compile(block, "docs/notebook.md", "exec"), names)

    study, printed = names["study"], capsys.readouterr().out
    assert study.models == [
        ("baseline", 1),
        *((name, seed) for name in ("affine", "blur_crop", "cutmix") for seed in (1, 2)),
    ]
    performance = pd.read_csv(finished.results / "tables" / "performance.csv")
    of_affine = performance[performance["augmentation"] == "affine"]["accuracy"]
    assert names["accuracy"].loc["affine", "mean"] == pytest.approx(of_affine.mean())
    assert len(names["affine"]) == 2 * 60
    for maps in (names["baseline"], names["augmented"]):
        assert (maps.shape, maps.dtype) == ((60, 16, 16), np.float32)
        assert maps.min() >= 0
        assert maps.max() <= 1
    assert ((names["share"] >= 0) & (names["share"] <= 1)).all()
    assert names["images"].shape == (4, 8, 8, 1)
    test = pd.read_csv(finished.results / "split.csv").query("subset == 'test'")
    np.testing.assert_array_equal(names["labels"], test["label"].to_numpy()[names["chosen"]])
    assert "did you mean 'accuracy_correlation'?" in printed
    with Image.open(tmp_path / "least_alike.png") as picture:
        assert len(np.unique(np.asarray(picture.convert("L")))) > 20
    assert before == {path: path.stat().st_mtime_ns for path in finished.results.rglob("*")}
