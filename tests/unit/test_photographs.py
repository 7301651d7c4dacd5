"""Photographs come out light on black, centred and small."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from campare import data, photographs
from campare.errors import CampareError


def photograph(background: int, thing: int, size: tuple[int, int] = (100, 80)) -> np.ndarray:
    """A thing of 40 × 20 pixels off the centre."""
    picture = np.full(size, background, np.uint8)
    picture[10:50, 50:70] = thing
    return picture


def test_light_background_is_turned_dark_and_the_thing_centred() -> None:
    found = photographs.prepared(photograph(255, 55), 28, light=0.5)
    assert found.shape == (28, 28)
    assert found.dtype == np.uint8
    rows, columns = np.flatnonzero(found.any(axis=1)), np.flatnonzero(found.any(axis=0))
    assert (rows[0], rows[-1]) == (0, 27)  # its longest edge fills the square
    assert (columns[0], columns[-1]) == (7, 20)
    assert found[14, 14] == 200
    assert found[:, :6].max() == 0


def test_dark_background_is_kept_and_its_level_taken_off() -> None:
    found = photographs.prepared(photograph(30, 130), 28, light=0.5)
    assert found[14, 14] == 100
    assert found[0, 0] == 0
    light = photographs.prepared(photograph(225, 125), 28, light=0.5)
    assert np.array_equal(found, light)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_picture_of_one_level_comes_out_black(level: int) -> None:
    found = photographs.prepared(np.full((5, 9), level, np.uint8), 28, light=0.5)
    assert not found.any()


def test_nearly_background_counts_as_background() -> None:
    assert not photographs.prepared(photograph(255, 244), 28, light=0.5).any()


def test_smallest_pictures() -> None:
    assert photographs.prepared(np.array([[7]], np.uint8), 28, light=0.5).shape == (28, 28)
    thin = photograph(0, 0)
    thin[:, 3] = 200
    assert photographs.prepared(thin, 28, light=0.5).max() == 200


def test_class_is_the_name_of_the_folder(tmp_path: Path) -> None:
    classes = ("Bag", "Coat", "T-shirt/top")
    assert photographs.label(tmp_path / "Bag" / "1.jpg", tmp_path, classes) == "Bag"
    assert photographs.label(tmp_path / "other" / "1.jpg", tmp_path, classes) == ""
    shirt = photographs.label(tmp_path / "T-shirt-top" / "1.jpg", tmp_path, classes)
    assert shirt == "T-shirt/top"
    assert (
        photographs.label(tmp_path / "cafe\u0301" / "1.jpg", tmp_path, ("caf\u00e9",))
        == "caf\u00e9"
    )
    bag = tmp_path / "Bag"
    assert photographs.label(bag / "1.jpg", bag, classes) == ""


def test_pictures_are_found_in_the_folder_and_in_those_in_it(tmp_path: Path) -> None:
    for name, mode in (("b.png", "RGB"), ("a.jpg", "L"), ("Coat/c.png", "RGBA")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new(mode, (7, 5)).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no picture")
    found = data.photographs(tmp_path)
    assert [str(path.relative_to(tmp_path)) for path, _ in found] == [
        "a.jpg",
        "b.png",
        "Coat/c.png",
    ]
    assert all(grey.shape == (5, 7) and grey.dtype == np.uint8 for _, grey in found)


def test_missing_folder_empty_folder_and_broken_picture_are_named(tmp_path: Path) -> None:
    with pytest.raises(CampareError, match=r"nowhere: no such folder; set own_images\.folder"):
        data.photographs(tmp_path / "nowhere")
    with pytest.raises(CampareError, match="has no images"):
        data.photographs(tmp_path)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG half")
    with pytest.raises(CampareError, match=r"broken\.png: cannot be read as an image"):
        data.photographs(tmp_path)
