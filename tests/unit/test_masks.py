"""Masks keep what they say, partners are others of the group, patches lie where they should."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campare import data, masks
from campare.errors import CampareError

MAPS = np.random.default_rng(0).random((6, 10, 10)).astype(np.float32)


@pytest.mark.parametrize("top", [5, 20, 50])
def test_top_keeps_its_share_of_distinct_values(top: int) -> None:
    kept = masks.kept(MAPS, top=top)
    assert (kept.sum(axis=(1, 2)) == top).all()
    for shown, mask in zip(MAPS, kept, strict=True):
        assert shown[mask].min() > shown[~mask].max()


def test_above_keeps_what_reaches_the_value() -> None:
    assert np.array_equal(masks.kept(MAPS, above=0.25), ~(MAPS < 0.25))


def test_map_of_zeros_keeps_all_by_share_and_nothing_by_value() -> None:
    zero = np.zeros((1, 4, 4), np.float32)
    assert masks.kept(zero, top=20).all()
    assert not masks.kept(zero, above=0.2).any()


@settings(max_examples=50, deadline=None)
@given(groups=st.lists(st.integers(0, 4), min_size=1, max_size=40), seed=st.integers(0, 9))
def test_partners_are_others_of_the_group(groups: list[int], seed: int) -> None:
    kinds = np.array(groups)
    partner = masks.partners(kinds, seed)
    alone = np.array([groups.count(kind) == 1 for kind in groups])
    assert np.array_equal(partner == -1, alone)
    paired = np.flatnonzero(~alone)
    assert (partner[paired] != paired).all()
    assert np.array_equal(kinds[partner[paired]], kinds[paired])
    assert np.array_equal(np.sort(partner[paired]), paired)  # each is a partner once
    assert np.array_equal(partner, masks.partners(kinds, seed))


def pictures(count: int = 8) -> tuple[np.ndarray, np.ndarray]:
    images = np.random.default_rng(1).integers(1, 256, (count, 12, 12, 1), dtype=np.uint8)
    return images, masks.kept(np.random.default_rng(2).random((count, 12, 12)), top=30)


def masked(how: str, **changes: object) -> np.ndarray:
    images, mask = pictures()
    training = np.arange(8) < 4
    predicted = np.array([0, 0, 1, 1, 0, 0, 1, 2])
    given = {"predicted": predicted, "training": training, "seed": 0, **changes}
    return masks.masked(images, mask, how, **given)


def test_own_mask_leaves_the_picture_inside_and_black_outside() -> None:
    images, mask = pictures()
    assert np.array_equal(masked("unmasked"), images)
    assert np.array_equal(masked("masked"), np.where(mask[..., None], images, 0))
    assert np.array_equal(masked("mask-alone")[..., 0], np.where(mask, 255, 0))


@pytest.mark.parametrize("how", ["mask-same-class", "mask-any-class"])
def test_borrowed_masks_come_from_the_same_part(how: str) -> None:
    _, mask = pictures()
    found = masked(how)
    for row, picture in enumerate(found[..., 0] > 0):
        lenders = [k for k in range(8) if np.array_equal(mask[k], picture)]
        assert lenders != [row]
        assert (lenders[0] < 4) == (row < 4)
    if how == "mask-same-class":
        assert np.array_equal(found[0, ..., 0] > 0, mask[1])
        assert np.array_equal(found[4, ..., 0] > 0, mask[5])


def test_alone_in_its_class_and_its_part_a_picture_keeps_its_mask() -> None:
    images, mask = pictures(1)
    alone = masks.masked(
        images,
        mask,
        "mask-same-class",
        predicted=np.zeros(1, int),
        training=np.ones(1, bool),
        seed=0,
    )
    assert np.array_equal(alone, images * mask[..., None])


@pytest.mark.parametrize("size", [1, 3, 12])
def test_patch_is_a_square_inside_and_its_place_is_the_images_own(size: int) -> None:
    images, _ = pictures()
    index = np.arange(100, 108)
    found = masks.occluded(images, index, size, fill=0, seed=5)
    hidden = (found == 0)[..., 0]
    assert (hidden.sum(axis=(1, 2)) == size**2).all()
    assert np.array_equal(found[~hidden], images[~hidden])
    for one in hidden:
        assert one.any(axis=0).sum() == one.any(axis=1).sum() == size
    alone = masks.occluded(images[3:4], index[3:4], size, fill=0, seed=5)
    assert np.array_equal(alone[0], found[3])
    assert images.min() > 0  # the argument is kept


def test_images_are_occluded_when_they_are_read() -> None:
    images, _ = pictures()
    index = np.array([6, 1, 3])
    whole = masks.occluded(images[index], index, 3, fill=0, seed=5)
    rows = data.Rows(images, index, partial(masks.occluded, size=3, fill=0, seed=5))
    for part in (slice(None), slice(1, 3), np.array([2, 0]), 1, slice(0)):
        assert np.array_equal(rows[part], whole[part])


def test_patch_larger_than_the_picture_is_named() -> None:
    images, _ = pictures()
    with pytest.raises(CampareError, match=r"occlusion\.sizes: 13 is larger .* 12×12"):
        masks.occluded(images, np.arange(8), 13, fill=0, seed=0)


def test_patches_lie_everywhere() -> None:
    blank = np.ones((4000, 6, 6, 1), np.uint8)
    hidden = masks.occluded(blank, np.arange(4000), 2, fill=0, seed=0)[..., 0] == 0
    corners = hidden[:, 0, 0].mean(), hidden[:, 5, 5].mean(), hidden[:, 0, 5].mean()
    assert corners == pytest.approx([1 / 25] * 3, abs=0.01)
