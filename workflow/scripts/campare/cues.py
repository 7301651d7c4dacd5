"""Generated shapes with several spurious cues, each with a class and a share of its own.

`mark` is that of `shapes`, in a corner; `texture` are stripes on the background; `tint` and `blur`
change all pixels, so that no map can point at them. As with `shapes`, equal settings give equal
bytes on any machine: numbers come from PCG64 and from +, −, × and ÷.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from campare import shapes
from campare.data import Dataset, Regions
from campare.errors import CampareError

CUES = ("mark", "texture", "tint", "blur")
ORANGE = (1.0, 0.6, 0.0)
TINTED, STRIPED = np.float32(0.3), np.float32(0.3)  # opacity of the colour and of the stripes

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]


def shapes_with_cues(
    *, channels: int | None, train: int, test: int, cues: Mapping[str, Any], seed: int, **given: Any
) -> Dataset:
    """Generate the images of `shapes.shapes` with several cues.

    A cue is in a share of the training images of its class, and in no other training image. In the
    test part it is in a random half of the images of every class. Each cue is drawn independently
    of the others, in training within its class. `mark` alone gives the images that `shapes` gives
    with this cue.

    Parameters
    ----------
    cues
        Name, of `CUES` → {class, share}.
    given
        The other parameters of `shapes.shapes`.

    Returns
    -------
    Dataset
        With the regions object, distractor and the cues: the square of the mark; all pixels of the
        background, for the texture; all pixels, for tint and blur.

    Raises
    ------
    CampareError
        A tint of grey images.
    """
    if channels == 1 and "tint" in cues:
        raise CampareError(
            "data.parameters.cues.tint: grey images have no colour; remove it, or set "
            "data.channels to 3"
        )
    plain = shapes.shapes(
        channels=channels,
        train=train,
        test=test,
        cue_class=next(iter(shapes.KINDS)),
        cue_share=0,
        seed=seed,
        **given,
    )
    assert plain.regions is not None
    images, known = plain.images, plain.regions.masks
    names = [name for name in CUES if name in cues]
    present = {
        name: _present(plain, cues[name]["class"], cues[name]["share"], [seed, CUES.index(name)])
        for name in names
    }
    everywhere = np.ones(images.shape[1:3], bool)
    of_cues: dict[str, Mask] = {
        name: present[name][:, None, None] & everywhere for name in ("tint", "blur") if name in cues
    }
    if "texture" in cues:
        of_cues["texture"] = present["texture"][:, None, None] & ~known.any(axis=1)
        _stripe(images, of_cues["texture"])
    if "blur" in cues:
        images[present["blur"]] = _blurred(images[present["blur"]])
    if "tint" in cues:
        colour = np.array(ORANGE, np.float32)
        images[present["tint"]] = _mixed(images[present["tint"]], 255 * colour, TINTED)
    if "mark" in cues:  # painted last, so that it is the same in all images
        regions = np.concatenate([known, np.zeros_like(known[:, :1])], axis=1)
        shapes._mark(images, regions, present["mark"])
        known, of_cues["mark"] = regions[:, :2], regions[:, 2]
        if "texture" in cues:
            of_cues["texture"] &= ~of_cues["mark"]
    masks = np.concatenate([known, *(of_cues[name][:, None] for name in names)], axis=1)
    regions_of = Regions(("object", "distractor", *names), masks)
    return Dataset(images, plain.labels, plain.classes, plain.part, regions_of)


def _present(plain: Dataset, kind: str, share: float, key: Sequence[int]) -> Mask:
    """Which images have a cue; key: seed of the data set and number of the cue."""
    seed, number = key
    parts = []
    for place, part in enumerate(("train", "test")):
        count = int((plain.part == part).sum())
        # Next to the streams of chunks of images, which count from 0. That of the mark is that of
        # the cue of `shapes`.
        stream = np.random.PCG64([seed, place, 2**32 - 1 - number])
        draws = np.random.Generator(stream).random(count)
        cued = list(shapes.KINDS).index(kind) if part == "train" else None
        parts.append(shapes._marked(draws, cued, share))
    return np.concatenate(parts)


def _mixed(images: Pixels, colour: NDArray[np.float32], opacity: np.float32) -> Pixels:
    """Images under a layer of a colour in grey levels, which broadcasts with them."""
    layer = colour.astype(np.float32)
    mixed: Pixels = np.rint(images + opacity * (layer - images.astype(np.float32))).astype(np.uint8)
    return mixed


def _stripe(images: Pixels, masks: Mask) -> None:
    """Paint diagonal stripes, black and white, on the pixels of the masks (N, S, S)."""
    side = images.shape[1]
    row, column = np.mgrid[:side, :side]
    white = (row + column) // max(1, side // 16) % 2 == 1
    levels = np.where(white, 255, 0).astype(np.float32)[..., None]
    for image, mask in zip(images, masks, strict=True):
        if mask.any():
            image[mask] = _mixed(image, levels, STRIPED)[mask]


def _blurred(images: Pixels) -> Pixels:
    """Images after repeated binomial filters of 3 pixels, whose border pixels are repeated."""
    values = images.astype(np.float32)
    for _ in range(max(1, images.shape[1] // 16)):
        for axis in (1, 2):
            width = [(0, 0)] * 4
            width[axis] = (1, 1)
            padded = np.pad(values, width, mode="edge")
            before, here, after = (
                np.take(padded, range(start, start + values.shape[axis]), axis)
                for start in range(3)
            )
            values = ((before + 2 * here + after) / 4).astype(np.float32)
    blurred: Pixels = np.rint(values).astype(np.uint8)
    return blurred
