"""The examples of docs/data.md: configs are valid, recipes write a file that is read."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml

from campare import config, data, registry

PAGE = (Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8")


def section(heading: str) -> str:
    return PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]


@pytest.mark.parametrize("heading", ["Data sets of torchvision", "Arrays", "Parquet"])
def test_configs_are_valid(heading: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("data/leaves").mkdir(parents=True)
    Path("data/leaves/train-0.parquet").touch()
    for name, channels in (("cells", 3), ("spectral", 6)):
        images = np.zeros((4, 32, 32, channels), np.uint16)
        np.savez(f"data/{name}.npz", images=images, labels=np.arange(4) % 2, group=np.arange(4))
    blocks = re.findall(r"```yaml\n(.*?)```", section(heading), re.DOTALL)
    assert blocks
    for block in blocks:
        study = {
            "study": "s",
            **yaml.safe_load(block),
            "model": {"architecture": "small_cnn", "input_size": 16},
            "seeds": [1],
            "augmentations": {"affine": {}},
            "training": {"epochs": 1},
        }
        config.complete(study, "docs/data.md")


def test_sets_that_are_named_exist() -> None:
    text = section("Data sets of torchvision")
    available, missing = text.split("Not available are")
    sets = {name.removeprefix("torchvision:") for name in registry.DATASETS if ":" in name}
    assert f"lists the {len(sets)} sets" in " ".join(available.split())
    assert set(re.findall(r"`([A-Z]\w+)`", available)) <= sets
    assert not set(re.findall(r"`([A-Z]\w+)`", missing)) & sets


class Scan(SimpleNamespace):
    def get(self, name: str, default: float) -> float:
        return {"RescaleSlope": 2.0, "RescaleIntercept": -1024.0}.get(name, default)


def test_recipes_write_arrays_that_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pydicom: Any = ModuleType("pydicom")
    pydicom.dcmread = lambda path: Scan(pixel_array=np.full((6, 6), 512, np.int16))
    nibabel: Any = ModuleType("nibabel")
    volume = np.zeros((6, 6, 32), np.float32)
    nibabel.load = lambda path: SimpleNamespace(get_fdata=lambda dtype: volume.astype(dtype))
    monkeypatch.setitem(sys.modules, "pydicom", pydicom)
    monkeypatch.setitem(sys.modules, "nibabel", nibabel)
    blocks = re.findall(r"```python\n(.*?)```", section("Arrays"), re.DOTALL)
    recipes = [block for block in blocks if "scans" in block]
    assert len(recipes) == 2
    for place in ("a/p1/1.dcm", "a/p1/2.dcm", "b/p2/1.dcm", "a/p1.nii.gz", "b/p2.nii.gz"):
        (tmp_path / "scans" / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "scans" / place).touch()
    for recipe, count in zip(recipes, (3, 4), strict=True):
        exec(recipe, {})
        with np.load("scans.npz") as file:
            assert set(file["group"]) == {"p1", "p2"}
        dataset = data.load(
            "arrays", root="scans.npz", size=6, fit="crop", channels=None, window=[-160, 240]
        )
        assert dataset.classes == ("a", "b") and len(dataset.images) == count
        assert set(np.unique(dataset.images)) == {102}  # 0 Hounsfield units
