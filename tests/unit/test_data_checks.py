"""What is odd about a data set is said, and nothing of one that has nothing odd."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from campare import data, data_checks


def images(count: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (count, 4, 4, 3), dtype=np.uint8)


def dataset(pictures: NDArray[np.uint8], labels: list[int], part: list[str]) -> data.Dataset:
    return data.Dataset(pictures, np.array(labels), ("a", "b"), np.array(part, "U5"))


def folder(root: Path, **changes: Path) -> list[str]:
    """What is said of an image folder."""
    return data_checks.of(data.image_folder(root=str(root), size=None, fit="crop", channels=None))


def save(path: Path, pixels: NDArray[np.generic]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def test_ordinary_data_sets_have_nothing_odd(tmp_path: Path) -> None:
    assert not data_checks.of(data.digits(root=None, size=None, fit="crop", channels=None))
    for number, pixels in enumerate(images(4)):
        save(tmp_path / "ab"[number % 2] / f"{number}.png", pixels)
        (tmp_path / "ab"[number % 2] / ".hidden").touch()
    assert not folder(tmp_path)


def test_files_that_were_not_read_are_counted_by_suffix(tmp_path: Path) -> None:
    for number, pixels in enumerate(images(4)):
        save(tmp_path / "train" / "ab"[number % 2] / f"{number}.png", pixels)
        save(tmp_path / "test" / "ab"[number % 2] / f"{number}.png", 255 - pixels)
    for number in range(30):
        (tmp_path / "train" / "a" / f"IMG_{number:02}.HEIC").touch()
    for name in ("test/b/z.dng", "test/b/Z.DNG", "README", "train/beside.png"):
        (tmp_path / name).touch()
    (said,) = folder(tmp_path)
    assert said.startswith(
        f"{tmp_path}: 34 of 42 files are ignored: 30 .heic (train/a/IMG_00.HEIC), "
        "2 .dng (test/b/Z.DNG), 1 without suffix (README), 1 .png (train/beside.png); "
    )
    assert ".jpeg .jpg" in said


def test_levels_of_fewer_bits_are_told_with_their_factor(tmp_path: Path) -> None:
    levels = np.random.default_rng(0).integers(0, 4096, (4, 5, 5), dtype=np.uint16)
    levels[0, 0, 0] = 4095
    for number, pixels in enumerate(levels):
        save(tmp_path / "ab"[number % 2] / f"{number}.png", pixels)
    (said,) = folder(tmp_path)
    assert "the largest level of all 16-bit images is 4,095, and white is 65,535" in said
    assert "0 to 16 of 255" in said
    assert "12 bits, set data.window: [0, 4095], or multiply them by 16" in said
    for number, pixels in enumerate(16 * levels):
        save(tmp_path / "ab"[number % 2] / f"{number}.png", pixels)
    assert not folder(tmp_path)


def test_dark_levels_of_8_bits_are_told() -> None:
    (said,) = data_checks.of(dataset(images(4) // 16, [0, 1, 0, 1], [""] * 4))
    assert "largest level of all 8-bit images is 15" in said
    assert "multiply them by 16" in said


def test_identical_pictures_are_those_equal_in_every_pixel() -> None:
    pictures = images(5)
    pictures[3] = pictures[1]
    pictures[4] = pictures[1]
    pictures[4, 0, 0, 0] += 1
    assert data_checks.identical(pictures).tolist() == [0, 1, 2, 1, 4]


def test_test_pictures_that_train_are_counted(tmp_path: Path) -> None:
    for number, pixels in enumerate(images(6)):
        for part in ("train", "test") if number < 4 else ("train",):
            save(tmp_path / part / "ab"[number % 2] / f"{number}.png", pixels)
    (said,) = folder(tmp_path)
    assert said.startswith("4 of 4 test images equal a training image in every pixel (")
    assert "(test/a/0.png = train/a/0.png, test/a/2.png = train/a/2.png, " in said


def test_one_picture_in_two_classes_and_twice_in_one() -> None:
    pictures = images(6)
    pictures[4], pictures[5] = pictures[0], pictures[2]
    disputed, twice = data_checks.of(dataset(pictures, [0, 0, 1, 1, 1, 1], [""] * 6))
    assert disputed.startswith("1 image(s) equal an image of another class")
    assert "(number 4 = number 0)" in disputed
    assert twice.startswith("1 image(s) equal another image of their class")
    assert "(number 5 = number 2)" in twice


def test_few_of_many_are_named() -> None:
    pictures = np.concatenate([images(8), images(8)])
    (said,) = data_checks.of(dataset(pictures, [0] * 16, ["train"] * 16))
    assert said.startswith("8 image(s)")
    assert said.count("=") == 5
    assert ", 3 more)" in said
