"""Images and labels from one file of arrays, `.npz` of NumPy or HDF5."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from campare import array_files
from campare.array_files import ArrayFile
from campare.data import Dataset, Files, Regions, as_pillow, check_channels
from campare.data_files import matching
from campare.errors import CampareError
from campare.levels import Window, to_bytes
from campare.sizes import Size
from campare.stacking import Item, Masks, occurring, stacked
from campare.subsets import parts

BLOCK = 1 << 25  # bytes of images that are read at a time


def arrays(
    *,
    root: str | None,
    size: Size | None,
    fit: str,
    channels: int | None,
    window: Window | None = None,
) -> Dataset:
    """A data set from the file `root`, `.npz` or HDF5.

    Its arrays are `images` (N, H, W) or (N, H, W, C), of 8 or 16 bits, or real numbers from 0 to 1;
    `labels` (N,), integers or names; and, if it has them, `classes` (names, by label), `subset`
    (N,) of train, validation and test, `masks` (N, H, W) or (N, R, H, W), with R names in
    `regions`, and `group` (N,). With a window [low, high], or one for each channel, levels of any
    type are mapped from it to 0 to 255 (`levels.to_bytes`). Images are read a block at a time.

    With one or three channels, images are grey or RGB, and `channels` may convert them. With
    another number of channels, they are kept as they are.

    Raises
    ------
    CampareError
        The file or an array is missing, damaged or has pickled objects; lengths or shapes differ;
        images have NaN, levels outside the range of their type, or not the number of `channels`.
    """
    path = matching(root or "data", array_files.SUFFIXES, several=False)[0]
    with array_files.opened(path) as file:
        (count, *shape), _ = file.kind("images")
        if channels is not None:
            check_channels(channels, shape[2] if len(shape) == 3 else 1, path)
        labels, classes = _labels(path, file)
        regions = _regions(path, file)
        items = _items(path, file, window)
        stack = stacked(items, count, size=size, fit=fit, channels=channels)
        subset = file.whole("subset") if "subset" in file.names else np.full(count, "train")
    return Dataset(
        stack.images,
        labels,
        classes,
        parts([str(name) for name in subset.tolist()], f"{path}: subset"),
        None if stack.masks is None else Regions(regions, stack.masks),
        Files(path.parent, stack.paths, (), max(stack.extras)),
    )


def _labels(path: Path, file: ArrayFile) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Labels int64 (N,) and the names of classes that have images."""
    labels = file.whole("labels")
    given = [str(name) for name in file.whole("classes")] if "classes" in file.names else None
    if given and len(set(given)) < len(given):
        twice = next(name for name in given if given.count(name) > 1)
        raise CampareError(f"{path}: classes has {twice!r} twice; give each class its own name")
    if labels.dtype.kind == "U":
        names = sorted(set(labels.tolist())) if given is None else given
        if other := sorted(set(labels.tolist()) - set(names)):
            raise CampareError(f"{path}: classes lacks the label {other[0]!r}; add it")
        if "" in names:
            raise CampareError(f"{path}: a label is empty; name its class, or remove the image")
        position = {name: place for place, name in enumerate(names)}
        return occurring([position[name] for name in labels.tolist()], names)
    if labels.dtype.kind not in "iub":
        raise CampareError(f"{path}: labels are {labels.dtype}; save integers or names")
    values = labels.astype(np.int64)
    low, high = int(values.min()), int(values.max())
    names = given or [str(label) for label in range(high + 1)]
    if low < 0 or high >= len(names):
        allowed = f"0 to {len(names) - 1}" if given else "0 or more"
        raise CampareError(
            f"{path}: labels are from {low} to {high}; must be {allowed}, positions in classes"
        )
    return occurring(values.tolist(), names)


def _regions(path: Path, file: ArrayFile) -> tuple[str, ...]:
    """Names of the regions of masks; empty without masks."""
    if "masks" not in file.names:
        return ()
    (_, *mask), _ = file.kind("masks")
    (_, *image), _ = file.kind("images")
    number = mask[0] if len(mask) == 3 else 1
    if len(mask) not in (2, 3) or mask[-2:] != image[:2]:
        raise CampareError(
            f"{path}: masks of an image have the shape {tuple(mask)}, and the image {image[0]}×"
            f"{image[1]} pixels (H×W); must be (H, W), or (R, H, W) for R regions"
        )
    named = "regions" in file.names
    names = [str(name) for name in file.whole("regions")] if named else ["object"]
    if len(names) != number or len(set(names)) < number:
        raise CampareError(
            f"{path}: masks are of {number} region(s), and regions names {', '.join(names)}; name "
            "each region once"
        )
    return tuple(names)


def _items(path: Path, file: ArrayFile, window: Window | None) -> Iterator[Item[int]]:
    """The images, each with its largest level, if it has 16 bits and there is no window, or 0."""
    (_, *shape), dtype = file.kind("images")
    rows = max(1, BLOCK // (int(np.prod(shape)) * dtype.itemsize))
    masks = file.blocks("masks", rows) if "masks" in file.names else None
    deep = dtype == np.uint16 and window is None
    number = 0
    for block in file.blocks("images", rows):
        images = _bytes(path, block, number, window).reshape(len(block), *shape[:2], -1)
        regions = None if masks is None else _masks(path, next(masks), number)
        for row, image in enumerate(images):
            levels = image[..., 0] if image.shape[2] == 1 else image
            of_image = None if regions is None else regions[row]
            level = int(block[row].max()) if deep else 0
            place = path.parent / f"{path.name}[{number}]"
            yield place, partial(_image, levels, level, of_image)
            number += 1


def _image(
    pixels: NDArray[np.uint8], level: int, masks: Masks | None
) -> tuple[Image.Image | NDArray[np.uint8], int, Masks | None]:
    return as_pillow(pixels), level, masks


def _bytes(
    path: Path, block: NDArray[Any], number: int, window: Window | None
) -> NDArray[np.uint8]:
    """A block of images, the first of which has this number, as uint8."""
    try:
        return to_bytes(block, window)
    except ValueError:
        for row, image in enumerate(block):
            try:
                to_bytes(image, window)
            except ValueError as problem:
                raise CampareError(f"{path}: image {number + row} {problem}") from None
        raise


def _masks(path: Path, block: NDArray[Any], number: int) -> Masks:
    """A block of masks, the first of which has this number, as bool (n, R, H, W).

    Raises
    ------
    CampareError
        A mask has another value than 0 and its largest one.
    """
    masks = block.reshape(len(block), -1, *block.shape[-2:])
    if masks.dtype != bool:
        odd = (masks != 0) & (masks != masks.max(axis=(1, 2, 3), keepdims=True))
        if odd.any():
            row, *_ = place = np.unravel_index(int(odd.argmax()), odd.shape)
            raise CampareError(
                f"{path}: the mask of image {number + row} has the value {masks[place]}; save true "
                "and false, or 0 and one other value"
            )
    return np.asarray(masks > 0)
