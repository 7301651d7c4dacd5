"""Generated images with several cues: each where it should be, and nothing else changed."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest

from campare import cues, data, registry, shapes
from campare.errors import CampareError

DEFAULTS = {
    key: entry.default for key, entry in registry.DATASETS["shapes_with_cues"].parameters.items()
}
SIZES = {"train": 600, "test": 120}
KINDS = list(shapes.KINDS)


def made(channels: int | None = None, name: str = "shapes_with_cues", **changes: Any) -> Any:
    settings = {**DEFAULTS, **SIZES, **changes}
    if name == "shapes":
        del settings["cues"]
    return data.load(name, root=None, size=32, fit="crop", channels=channels, **settings)


def regions(found: data.Dataset) -> dict[str, np.ndarray]:
    assert found.regions is not None
    return dict(zip(found.regions.names, found.regions.masks.swapaxes(0, 1), strict=True))


@pytest.fixture(scope="module")
def every() -> data.Dataset:
    return made()


@pytest.fixture(scope="module")
def plain() -> data.Dataset:
    return made(name="shapes", cue_class="star", cue_share=0)


def one(name: str) -> data.Dataset:
    return made(cues={name: {"class": "star", "share": 0.5}})


def test_the_mark_alone_gives_the_images_of_shapes() -> None:
    found = made(cues={"mark": {"class": "ring", "share": 0.8}})
    expected = made(name="shapes", cue_class="ring", cue_share=0.8)
    assert np.array_equal(found.images, expected.images)
    assert np.array_equal(found.regions.masks, expected.regions.masks)
    assert found.regions.names == ("object", "distractor", "mark")


def test_bytes_are_fixed_by_the_settings(every: data.Dataset) -> None:
    """A change here is a change of every study on these images: it must be meant."""
    digest = hashlib.sha256(every.images.tobytes() + every.regions.masks.tobytes()).hexdigest()
    assert digest[:16] == "a9392aa945b33c19"
    again = made()
    assert np.array_equal(again.images, every.images)


def test_each_cue_has_its_share_of_its_class_and_half_of_every_test_class(
    every: data.Dataset,
) -> None:
    train, labels = every.part == "train", every.labels
    for name, about in DEFAULTS["cues"].items():
        present = regions(every)[name].any(axis=(1, 2))
        for kind, of in enumerate(KINDS):
            expected = about["share"] if of == about["class"] else 0
            assert present[train & (labels == kind)].mean() == expected
            assert present[~train & (labels == kind)].mean() == 0.5


def test_cues_are_drawn_independently(every: data.Dataset) -> None:
    present = {name: mask.any(axis=(1, 2)) for name, mask in regions(every).items()}
    test = every.part == "test"
    drawn = np.array([present[name][test] for name in cues.CUES], float)
    between = np.corrcoef(drawn)[np.triu_indices(4, 1)]
    assert (np.abs(between) < 3 / np.sqrt(120)).all()


@pytest.mark.parametrize("name", cues.CUES)
def test_a_cue_changes_the_images_that_have_it_within_its_region(
    name: str, plain: data.Dataset
) -> None:
    found = one(name)
    region = regions(found)[name]
    assert np.array_equal(found.images[~region], plain.images[~region])
    changed = (found.images != plain.images).any(axis=3)
    assert changed[region].mean() > 0.8
    if name in ("tint", "blur"):
        assert set(region.mean(axis=(1, 2))) == {0, 1}  # no map can point at it
    else:
        objects = regions(found)["object"] | regions(found)["distractor"]
        assert not (objects & region).any()


def test_what_the_cues_look_like(plain: data.Dataset) -> None:
    tinted, blurred, striped = (one(name) for name in ("tint", "blur", "texture"))
    has = {name: regions(of)[name].any(axis=(1, 2)) for name, of in
           (("tint", tinted), ("blur", blurred), ("texture", striped))}  # fmt: skip
    # A layer of 30 % of (255, 153, 0).
    original = plain.images[has["tint"]].astype(float)
    expected = 0.7 * original + 0.3 * np.array([255, 153, 0])
    assert np.abs(tinted.images[has["tint"]] - expected).max() <= 0.5 + 1e-3
    # Twice the filter (1, 2, 1)/4 along both axes, by scipy.
    from scipy.ndimage import convolve1d

    expected = plain.images[has["blur"]].astype(float)
    for _ in range(2):
        for axis in (1, 2):
            expected = convolve1d(expected, [0.25, 0.5, 0.25], axis=axis, mode="nearest")
    assert np.abs(blurred.images[has["blur"]] - expected).max() <= 0.5 + 1e-3
    # Stripes along one diagonal: pixels of one stripe are brighter, of the next darker.
    region = regions(striped)["texture"]
    row, column = np.mgrid[:32, :32]
    white = (row + column) // 2 % 2 == 1
    brighter = striped.images.astype(int) - plain.images
    assert (brighter[region & white] >= 0).all() and (brighter[region & ~white] <= 0).all()


def test_grey_images_have_no_tint() -> None:
    with pytest.raises(CampareError, match=r"cues.tint: grey images have no colour"):
        made(channels=1)
    grey = made(channels=1, cues={"blur": {"class": "star", "share": 0.5}})
    assert grey.images.shape[3] == 1
