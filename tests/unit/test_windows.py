"""A window of levels for image files, in folders and manifests, as for arrays and Parquet."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from campare import config, data
from campare.errors import CampareError
from campare.levels import to_bytes

RNG = np.random.default_rng(3)
DEEP = RNG.integers(0, 4096, (4, 9, 9), dtype=np.uint16)
WINDOW = [100, 3000]


def saved(folder: Path, levels: np.ndarray, suffix: str = ".png") -> Path:
    """Images in two classes, and a manifest of them."""
    rows = ["path,label"]
    for number, image in enumerate(levels):
        name = "ab"[number % 2]
        (folder / name).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / name / f"{number}{suffix}")
        rows.append(f"{name}/{number}{suffix},{name}")
    (folder / "images.csv").write_text("\n".join(rows))
    return folder


def read(name: str, folder: Path, **changed: Any) -> data.Dataset:
    root = folder / "images.csv" if name == "manifest" else folder
    settings: dict[str, Any] = {"size": None, "fit": "crop", "channels": None, "window": WINDOW}
    return data.load(name, root=str(root), **{**settings, **changed})


ORDER = {"image_folder": [0, 2, 1, 3], "manifest": [0, 1, 2, 3]}


@pytest.mark.parametrize("name", ORDER)
@pytest.mark.parametrize(
    ("suffix", "kind"), [(".png", "uint16"), (".tif", "uint16"), (".tif", "float32")]
)
def test_deep_images_are_mapped_as_arrays_are(
    tmp_path: Path, name: str, suffix: str, kind: str
) -> None:
    folder = saved(tmp_path, DEEP.astype(kind), suffix)
    found = read(name, folder)
    expected = np.rint(255 * ((DEEP[ORDER[name]] - 100.0) / 2900).clip(0, 1))
    assert np.array_equal(found.images[..., 0], expected)
    assert np.array_equal(found.images[..., 0], to_bytes(DEEP[ORDER[name]], WINDOW))
    assert found.files is not None and found.files.deepest == 0  # white is meant to be white


def test_levels_are_mapped_before_images_are_resized(tmp_path: Path) -> None:
    found = read("image_folder", saved(tmp_path, DEEP), size=5, fit="pad")
    windowed = to_bytes(DEEP[:1], WINDOW)[0]
    expected, _ = data._pixels(windowed[..., None], "L", 5, "pad")
    assert np.array_equal(found.images[0], expected)


@pytest.mark.parametrize("shape", [(4, 9, 9), (4, 9, 9, 3)])
def test_a_window_within_8_bits_applies_to_images_of_8_bits(
    tmp_path: Path, shape: tuple[int, ...]
) -> None:
    levels = RNG.integers(0, 256, shape, dtype=np.uint8)
    found = read("manifest", saved(tmp_path, levels), window=[50, 200])
    expected = np.rint(255 * ((levels - 50.0) / 150).clip(0, 1)).reshape(4, 9, 9, -1)
    assert np.array_equal(found.images, expected)


@pytest.mark.parametrize("name", ORDER)
def test_an_image_of_8_bits_among_others_is_named(tmp_path: Path, name: str) -> None:
    folder = saved(tmp_path, DEEP)
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(folder / "b" / "1.png")
    with pytest.raises(CampareError, match=r"1\.png: it has 8 bits.* data.window is \[100, 3000\]"):
        read(name, folder)


def test_colours_of_16_bits_are_refused(tmp_path: Path) -> None:
    folder = saved(tmp_path, DEEP)
    rows = b"".join(b"\0" + row.tobytes() for row in np.zeros((9, 9, 3), ">u2"))
    chunks = [(b"IHDR", struct.pack(">LLBBBBB", 9, 9, 16, 2, 0, 0, 0)), (b"IEND", b"")]
    chunks.insert(1, (b"IDAT", zlib.compress(rows)))
    (folder / "b" / "1.png").write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">L", len(content)) + kind + content
            + struct.pack(">L", zlib.crc32(kind + content))
            for kind, content in chunks
        )
    )  # fmt: skip
    with pytest.raises(CampareError, match=r"1\.png: its colours have 16 bits.*file of arrays"):
        read("image_folder", folder)


@pytest.mark.parametrize(("window", "colour"), [([5000, 6000], "black"), ([-9, -1], "white")])
def test_a_window_that_leaves_one_level_is_refused(
    tmp_path: Path, window: list[int], colour: str
) -> None:
    with pytest.raises(CampareError, match=f"data.window: .*every pixel is {colour}"):
        read("image_folder", saved(tmp_path, DEEP), window=window)
    np.savez(tmp_path / "a.npz", images=DEEP, labels=[0, 1, 0, 1])
    settings: dict[str, Any] = {"size": None, "fit": "crop", "channels": None, "window": window}
    with pytest.raises(CampareError, match=f"data.window: .*every pixel is {colour}"):
        data.load("arrays", root=str(tmp_path / "a.npz"), **settings)


def test_nan_in_an_image_file_is_named(tmp_path: Path) -> None:
    levels = DEEP.astype(np.float32)
    levels[1, 2, 2] = np.nan
    with pytest.raises(CampareError, match=r"1\.tif: .*has 1 values NaN or infinite"):
        read("image_folder", saved(tmp_path, levels, ".tif"))


def test_the_config_check_takes_a_window_for_image_files(tmp_path: Path) -> None:
    saved(tmp_path, DEEP)
    study: dict[str, Any] = {
        "study": "s",
        "data": {"name": "image_folder", "root": str(tmp_path), "window": WINDOW},
        "model": {"architecture": "small_cnn", "input_size": 16},
        "augmentations": {"affine": {}},
    }
    complete = config.complete(study, "s")["data"]
    assert complete["parameters"] == {"window": WINDOW} and "window" not in complete
    study["data"]["window"] = [WINDOW]
    with pytest.raises(
        CampareError, match=r"data.window: .*only arrays may have a window for each"
    ):
        config.complete(study, "s")
