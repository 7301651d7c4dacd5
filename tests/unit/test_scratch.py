"""Arrays above a limit lie in a file without a name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from campare import data, scratch
from campare.errors import CampareError


def test_large_arrays_lie_in_the_folder_and_small_ones_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scratch, "LIMIT", 100)
    with scratch.folder(tmp_path / "new"):
        large, small = scratch.empty((5, 5, 5), np.uint8), scratch.empty((5, 5), np.uint8)
    assert isinstance(large, np.memmap) and not isinstance(small, np.memmap)
    assert not any((tmp_path / "new").iterdir())
    large[...] = 7
    assert int(large.sum()) == 7 * 125
    assert not isinstance(scratch.empty((5, 5, 5), np.uint8), np.memmap)


def test_a_copy_is_contiguous_and_equal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "STEP", 10)
    array = np.arange(3 * 4 * 5 * 3, dtype=np.uint8).reshape(3, 4, 5, 3)[..., :1]
    copy = scratch.copied(array)
    assert copy.flags["C_CONTIGUOUS"] and np.array_equal(copy, array)


def test_a_disk_that_is_full_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "LIMIT", 100)
    with scratch.folder(tmp_path), pytest.raises(CampareError, match="free some space"):
        scratch.empty((1 << 50,), np.uint8)


@pytest.mark.parametrize("coloured", [True, False])
def test_a_folder_of_images_is_read_alike(
    coloured: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    levels = np.random.default_rng(0).integers(0, 256, (12, 9, 9, 3), np.uint8)
    if not coloured:
        levels[...] = levels[..., :1]
    for k, pixels in enumerate(levels):
        for kind, shown in (("", pixels), ("masks", np.where(pixels[..., 0] > 99, 255, 0))):
            path = tmp_path / "images" / kind / "ab"[k % 2] / f"{k}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(shown.astype(np.uint8)).save(path)

    def read(name: str) -> bytes:
        dataset = data.load(
            "image_folder", root=str(tmp_path / "images"), size=None, fit="crop", channels=None
        )
        data.write(dataset, tmp_path / name)
        again = data.read(tmp_path / name)
        assert again.images.shape == (12, 9, 9, 3 if coloured else 1)
        regions = data.read_regions(tmp_path / name, np.arange(12))
        assert regions is not None
        return again.images.tobytes() + regions.masks.tobytes()

    resident = read("resident.h5")
    monkeypatch.setattr(scratch, "LIMIT", 0)
    monkeypatch.setattr(scratch, "STEP", 300)
    with scratch.folder(tmp_path):
        assert read("spilled.h5") == resident
