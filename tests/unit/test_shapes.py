"""Generated pictures are what they say: shapes, regions, difficulty, cue, by settings alone."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

from campare import data, registry, shapes
from campare.errors import CampareError

DEFAULTS = {key: entry.default for key, entry in registry.DATASETS["shapes"].parameters.items()}
SMALL = {"train": 60, "test": 120}
STAR = list(shapes.KINDS).index("star")


def made(size: int = 32, channels: int | None = None, **changes: Any) -> data.Dataset:
    settings = {**DEFAULTS, **SMALL, **changes}
    return data.load("shapes", root=None, size=size, fit="crop", channels=channels, **settings)


def regions(found: data.Dataset) -> dict[str, np.ndarray]:
    assert found.regions is not None
    return dict(zip(found.regions.names, found.regions.masks.swapaxes(0, 1), strict=True))


def test_arrays_are_as_documented() -> None:
    found = made(size=40, cue_share=0.5)
    assert found.images.shape == (180, 40, 40, 3)
    assert found.images.dtype == np.uint8
    assert found.labels.dtype == np.int64
    assert np.bincount(found.labels).tolist() == [30] * 6
    assert found.part.tolist() == ["train"] * 60 + ["test"] * 120
    assert found.regions is not None
    assert found.regions.names == ("object", "distractor", "cue")
    assert found.regions.masks.shape == (180, 3, 40, 40)
    assert (found.regions.masks.sum(axis=1) <= 1).all()


def test_bytes_are_fixed_by_the_settings() -> None:
    """A change here is a change of every study on shapes: it must be meant."""
    found = made(size=24, cue_share=0.5, train=12, test=12)
    digest = hashlib.sha256(found.images.tobytes() + found.regions.masks.tobytes()).hexdigest()
    assert digest[:16] == "ecaabab75d741bf6"
    again = made(size=24, cue_share=0.5, train=12, test=12, seed=1)
    assert not np.array_equal(again.images, found.images)


def test_more_pictures_add_to_fewer() -> None:
    few, many = made(train=20, test=30), made(train=300, test=30)
    assert np.array_equal(few.images[:20], many.images[:20])
    assert np.array_equal(few.images[20:], many.images[300:])


@pytest.mark.parametrize("kind", shapes.KINDS)
def test_shape_has_the_area_it_says(kind: str) -> None:
    outside, area = shapes.KINDS[kind]
    line = (np.arange(2000, dtype=np.float32) + 0.5) / 2000 * 8 - 4
    inside = outside(np.tile(line, (2000, 1)), np.tile(line[:, None], (1, 2000))) < 0
    assert np.isclose(inside.mean() * 64, area, rtol=5e-3)


def test_every_object_is_wholly_inside_and_of_the_area_asked_for() -> None:
    found = made(size=64, scale=[0.3, 0.3], train=12, test=300)
    mask = regions(found)["object"]
    edge = np.ones((64, 64), bool)
    edge[1:-1, 1:-1] = False
    assert not mask[:, edge].any()
    areas = mask.mean(axis=(1, 2))
    assert np.allclose(areas, 0.3**2, rtol=0.12)
    # The area says nothing of the class.
    means = [areas[found.labels == kind].mean() for kind in range(6)]
    assert np.ptp(means) < 0.03 * np.mean(means)


def test_mask_holds_the_pixels_that_opacity_changes() -> None:
    clear, faint = (made(contrast=contrast, noise=0.0) for contrast in (1.0, 0.5))
    changed = (clear.images != faint.images).any(axis=3)
    known = regions(clear)["object"] | regions(clear)["distractor"]
    # Outlines are smooth: a pixel less than half covered changes, and is of no region.
    assert (changed & ~known).mean() < 0.5 * known.mean()
    assert (changed & known).sum() > 0.95 * known.sum()
    assert np.array_equal(regions(clear)["object"], regions(faint)["object"])


@pytest.mark.parametrize(("setting", "low", "high"), [("noise", 0.0, 0.3), ("clutter", 0.0, 1.0)])
def test_difficulty_leaves_what_is_drawn_as_it_is(setting: str, low: float, high: float) -> None:
    easy, hard = made(**{setting: low}), made(**{setting: high})
    assert np.array_equal(regions(easy)["object"], regions(hard)["object"])
    assert np.array_equal(regions(easy)["distractor"], regions(hard)["distractor"])
    ground = ~(regions(easy)["object"] | regions(easy)["distractor"])

    def unrest(found: data.Dataset) -> float:
        return float(found.images[ground].astype(float).std())

    assert unrest(hard) > 1.1 * unrest(easy)


def test_cue_is_planted_in_its_share_of_one_class_and_in_half_of_every_test_class() -> None:
    found = made(train=600, test=120, cue_share=0.8)
    cue = regions(found)["cue"].any(axis=(1, 2))
    train, labels = found.part == "train", found.labels
    shares = [cue[train & (labels == kind)].mean() for kind in range(6)]
    assert shares == [0.8 if kind == STAR else 0 for kind in range(6)]
    assert [cue[~train & (labels == kind)].mean() for kind in range(6)] == [0.5] * 6


def test_cue_changes_its_own_pixels_alone() -> None:
    without, half, more = (made(cue_share=share) for share in (0, 0.5, 0.9))
    assert regions(without).keys() == {"object", "distractor"}
    first, second = regions(half)["cue"], regions(more)["cue"]
    assert (first <= second).all()  # a larger share adds to a smaller one's
    for found, cue in ((half, first), (more, second)):
        assert np.array_equal(found.images[~cue], without.images[~cue])
        assert (found.images[cue] == (255, 0, 255)).all()
        assert not (regions(found)["object"] & cue).any()
    # One place, a square in the lower left corner
    place = np.argwhere(first.any(axis=0))
    assert place.min(axis=0).tolist() == [27, 1]
    assert place.max(axis=0).tolist() == [30, 4]
    assert {int(mask.sum()) for mask in first} == {0, 16}


def test_nothing_else_has_the_colour_of_the_cue() -> None:
    found = made(noise=0.0, train=300, test=300)
    red, green, blue = found.images.astype(int).transpose(3, 0, 1, 2)
    assert (np.minimum(red, blue) - green < 128).all()


def test_one_channel_is_pillows_grey() -> None:
    grey, colour = made(channels=1, cue_share=1.0).images, made(cue_share=1.0).images
    assert grey.shape[3] == 1
    for one, rgb in zip(grey[:20], colour[:20], strict=True):
        assert np.array_equal(one[..., 0], np.asarray(Image.fromarray(rgb).convert("L")))


def test_two_parts_are_of_different_pictures() -> None:
    found = made()
    assert len(np.unique(found.images.reshape(len(found.images), -1), axis=0)) == len(found.images)


def test_a_data_set_that_is_not_known_still_names_the_known_ones() -> None:
    with pytest.raises(CampareError, match="shapes"):
        data.load("shape", root=None, size=None, fit="crop", channels=None)
