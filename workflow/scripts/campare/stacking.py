"""Images from any source as one array: read one at a time, at the size of the study.

For data sets whose images are not files of their own (`torchvision_sets`, `arrays`, `parquet`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from campare import scratch
from campare.data import _each, _fitted, _reason, prepared, shown
from campare.errors import CampareError
from campare.levels import Window
from campare.sizes import Size

_T = TypeVar("_T")
Masks = NDArray[np.bool_]
# The place of an image, for messages, and a function that opens it (as `data.prepared` takes it),
# with whatever belongs to it and the masks bool (R, H, W) of its regions, if it has some.
Item = tuple[Path, Callable[[], tuple[Image.Image | NDArray[np.uint8], _T, Masks | None]]]
# Images that wait to be decoded at a time, and pixels of an image above which threads help.
BATCH = 256
FEW_PIXELS = 10_000


@dataclass(frozen=True, eq=False)
class Stack(Generic[_T]):
    """N images as an array, and what came with them.

    Attributes
    ----------
    images : uint8 (N, H, W, C), C = 1 (grey), 3 (RGB), or that of arrays
    masks : bool (N, R, H, W), resized as the images are; None without masks
    extras : what belongs to each image, such as its label
    paths : place of each image
    deepest : the largest grey level of images with 16 bits, 0 without such images
    """

    images: NDArray[np.uint8]
    masks: Masks | None
    extras: list[_T]
    paths: tuple[Path, ...]
    deepest: int


class _OtherSizeError(Exception):
    """Ends the reading at the first image of another size."""


def stacked(
    items: Iterable[Item[_T]],
    count: int,
    *,
    size: Size | None,
    fit: str,
    channels: int | None,
    window: Window | None = None,
) -> Stack[_T]:
    """Read images one at a time into one array.

    Parameters
    ----------
    items
        Place of each image and a function that opens it; consumed a batch at a time. An error that
        the iterator itself raises ends the reading.
    count
        Number of items.
    size, fit, channels
        As in `data.load`.
    window
        Levels of images that become 0 and 255 (`levels`).

    Raises
    ------
    CampareError
        Images cannot be read (the first of them are named), or differ in size.
    """
    mode = "L" if channels == 1 else "RGB"
    images = np.empty((0, 0, 0, 0), np.uint8)
    masks: Masks | None = None
    first = Path()
    lock = Lock()

    def place(numbered: tuple[int, Item[_T]]) -> tuple[_T, Path, bool, int]:
        nonlocal images, masks, first
        position, (path, opener) = numbered
        try:
            opened, extra, regions = opener()
            pixels, deepest = prepared(opened, mode, size, fit, window)
        except CampareError:
            raise
        except Exception as error:  # decoders raise a dozen kinds on a broken file
            raise CampareError(shown(f"{path}: {_reason(error)}")) from error
        with lock:
            if not images.size:
                images, first = scratch.empty((count, *pixels.shape), np.uint8), path
                if regions is not None:
                    masks = scratch.empty((count, len(regions), *pixels.shape[:2]), bool)
        if pixels.shape != images.shape[1:]:
            height, width = images.shape[1:3]
            raise _OtherSizeError(
                f"{shown(path)}: {pixels.shape[1]}×{pixels.shape[0]} pixels, while {shown(first)} "
                f"has {width}×{height}; set data.size to give all images one size"
            )
        images[position] = pixels
        if masks is not None and regions is not None:
            masks[position] = _fitted_masks(regions, size, fit)
        return extra, path, bool((pixels == pixels[..., :1]).all()), deepest

    def mapped(act: Callable[[Any], Any], numbered: Iterable[Any]) -> Iterator[Any]:
        waiting = iter(numbered)
        head = list(map(act, islice(waiting, 1)))
        yield from head
        # Pillow decodes without the GIL: threads speed up large images, and slow down small ones.
        with ThreadPoolExecutor() as pool:
            mapping = pool.map if images[0:1].size > 3 * FEW_PIXELS else map
            while batch := list(islice(waiting, BATCH)):
                yield from mapping(act, batch)

    try:
        results = _each(place, enumerate(items), mapped)
    except _OtherSizeError as error:
        raise CampareError(str(error)) from None
    extras, paths, grey, deepest = zip(*results, strict=True)
    if channels is None and images.shape[3] == 3 and all(grey):
        images = scratch.copied(images[..., :1])
    return Stack(images, masks, list(extras), paths, max(deepest))


def _fitted_masks(masks: Masks, size: Size | None, fit: str) -> Masks:
    """Masks bool (R, H, W) of one image, resized as the image is."""
    if size is None:
        return masks
    white = (Image.fromarray(mask.astype(np.uint8) * np.uint8(255)) for mask in masks)
    return np.stack([np.asarray(_fitted(mask, size, fit)) > 127 for mask in white])


def unique(names: Sequence[str]) -> tuple[str, ...]:
    """Names of classes, each with its position if it occurs more than once ("crane (134)")."""
    several = {name for name, count in Counter(names).items() if count > 1}
    return tuple(
        f"{name} ({place})" if name in several else name for place, name in enumerate(names)
    )


def occurring(
    labels: Sequence[int], names: Sequence[str]
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Labels int64 (N,) and names of those classes that have images."""
    present, positions = np.unique(np.asarray(labels, np.int64), return_inverse=True)
    kept = unique(list(names))
    return positions.astype(np.int64), tuple(kept[label] for label in present)
