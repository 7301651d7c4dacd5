"""Masks from maps, partners whose masks are exchanged, masked images, and occluded patches."""

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
        Maps in [0, 1], (N, H, W), as `maps.show` returns them.
    top
        Keep the pixels at or above the (100 − top)th percentile of their map, including ties, as
        in `overlap_<Y>_ties`: a map that is zero on more than 100 − top per cent of its pixels
        keeps the whole image.
    above
        Keep the pixels at or above this value: a map that is zero everywhere keeps no pixel.
    """
    if top is not None:
        cut = np.percentile(shown, 100 - top, axis=(1, 2), keepdims=True)
        return np.asarray(shown >= cut)
    if above is None:
        raise ValueError("a mask needs `top` or `above`")
    return np.asarray(shown >= above)


def partners(groups: NDArray[Any], seed: int) -> Integers:
    """Another row of the same group for every row: int64 (N,), −1 for the only row of a group.

    Rows of a group are put in random order, and each has the next one as its partner; so every row
    is the partner of one other. The result depends on groups and seed only.
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
    """Copies of images (N, H, W, C) in which a square patch of `size` pixels has the level `fill`.

    The position is uniform over all positions inside the image. It depends on the seed and the
    image's `index` in the data set only; patches of other sizes are at about the same position.

    Raises
    ------
    CampareError
        The patch is larger than the images.
    """
    height, width = images.shape[1:3]
    if problem := feasibility.occlusion([size], (height, width)):
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
    """Images as the input of a pixel SVM: uint8 (N, H, W, C).

    Parameters
    ----------
    images, mask
        uint8 (N, H, W, C), and the masks of the images, bool (N, H, W).
    how
        "unmasked"; "masked": with its own mask; "mask-same-class", "mask-any-class": with the mask
        of another image, of the same predicted class or of any class; "mask-alone": the mask,
        white on black.
    predicted, training
        (N,): the class that the model predicts, and whether an image is a training image. Masks are
        exchanged among training images and among test images. An image without another one of its
        predicted class has the mask of any other image, and its own mask if there is no other.
    """
    if how == "unmasked":
        return images
    if how == "mask-alone":
        return np.repeat(np.uint8(255) * mask[..., None], images.shape[3], axis=3)
    if how != "masked":
        everyone = partners(training, seed)
        lender = np.where(everyone < 0, np.arange(len(images)), everyone)
        if how == "mask-same-class":
            same_class = partners(2 * predicted + training, seed)
            lender = np.where(same_class < 0, lender, same_class)
        mask = mask[lender]
    return images * mask[..., None]
