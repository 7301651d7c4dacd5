"""What is kept of a picture, and what is hidden: masks from maps, patches, and whose mask it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from campare import feasibility, seeding
from campare.errors import CampareError
from campare.maps import Floats

Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]


def kept(shown: Floats, *, top: float | None = None, above: float | None = None) -> Mask:
    """The pixels that a mask keeps, bool (N, H, W).

    Parameters
    ----------
    shown
        Maps in [0, 1], (N, H, W), as `maps.show` gives them.
    top
        Keep the pixels at or above the (100 − top)th percentile of their map, ties included, as
        in `overlap_<Y>_ties`: a map that is zero on more than 100 − top per cent keeps the whole
        picture.
    above
        Keep the pixels at or above this value: a map that is zero everywhere keeps nothing.
    """
    if top is not None:
        cut = np.percentile(shown, 100 - top, axis=(1, 2), keepdims=True)
        return np.asarray(shown >= cut)
    if above is None:
        raise ValueError("a mask needs `top` or `above`")
    return np.asarray(shown >= above)


def partners(groups: NDArray[Any], seed: int) -> Integers:
    """Another row of the same group for every row: int64 (N,), −1 for one that is alone.

    Every row is the partner of one other: within a group, drawn in random order, each has the
    next. Decided by groups and seed.
    """
    partner = np.full(len(groups), -1)
    generator = np.random.Generator(np.random.PCG64(seed))
    order = generator.permutation(len(groups))
    for group in np.unique(groups):
        members = order[groups[order] == group]
        if len(members) > 1:
            partner[members] = np.roll(members, -1)
    return partner


def occluded(
    images: NDArray[np.uint8], index: Integers, size: int, *, fill: int, seed: int
) -> NDArray[np.uint8]:
    """Pictures (N, H, W, C) with a square of `size` pixels painted over; the argument is kept.

    The place is uniform over those where the square is inside, decided by the seed and the
    picture's `index` in the data set alone; a larger square lies about the same place.

    Raises
    ------
    CampareError
        The square is larger than the pictures.
    """
    height, width = images.shape[1:3]
    if problem := feasibility.occlusion([size], min(height, width)):
        raise CampareError(problem)
    numbers = torch.tensor(index)
    draws = seeding.uniforms(seed, 0, numbers, torch.zeros_like(numbers), 2).numpy()
    top = (draws[:, 0] * (height - size + 1)).astype(int)[:, None, None]
    left = (draws[:, 1] * (width - size + 1)).astype(int)[:, None, None]
    down, across = np.arange(height)[:, None], np.arange(width)
    inside = (down >= top) & (down < top + size) & (across >= left) & (across < left + size)
    return np.where(inside[..., None], np.uint8(fill), images)


def masked(
    images: NDArray[np.uint8],
    mask: Mask,
    how: str,
    *,
    predicted: Integers,
    training: Mask,
    seed: int,
) -> NDArray[np.uint8]:
    """Pictures as one of the pixel SVMs sees them: uint8 (N, H, W, C).

    Parameters
    ----------
    images, mask
        uint8 (N, H, W, C), and each one's own mask (N, H, W).
    how
        "unmasked"; "masked", under their own masks; "mask-same-class" and "mask-any-class", under
        that of another image, which the model takes for the same class or for any; "mask-alone",
        the mask without the picture, white on black.
    predicted, training
        (N,), the class the model predicts, and whether an image is for training: training images
        lend masks to each other, and test images do. An image alone in its predicted class
        borrows from any, and its own is left to it where there is no other.
    """
    if how == "unmasked":
        return images
    if how == "mask-alone":
        return np.repeat(np.uint8(255) * mask[..., None], images.shape[3], axis=3)
    if how != "masked":
        everyone = partners(training, seed)
        lender = np.where(everyone < 0, np.arange(len(images)), everyone)
        if how == "mask-same-class":
            alike = partners(2 * predicted + training, seed)
            lender = np.where(alike < 0, lender, alike)
        mask = mask[lender]
    return images * mask[..., None]
