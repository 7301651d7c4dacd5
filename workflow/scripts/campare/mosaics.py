"""Mosaics of test images: localisation of maps without masks.

A mosaic has cells × cells images, in rows; the map of one class should mark the cells that show
this class. Two kinds, which are regions of the localisation scores (`localisation.measure`):

- `grid_pointing`: all images are of different classes, and one cell is of the explained class
  (Böhle, Fritz and Schiele 2021, section 4, the grid pointing game);
- `focus`: half of the cells (rounded down) are of the explained class, the others of other classes
  (Arias-Duart et al. 2022, section 3).

Unlike in these papers, images are drawn from all test images, whether or not a network classifies
them correctly, so that all networks have the same mosaics.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from campare.data import Regions

GRID_POINTING, FOCUS = "grid_pointing", "focus"
KINDS = (GRID_POINTING, FOCUS)


class Mosaics(NamedTuple):
    """M mosaics of cells² images each, cells in reading order.

    members: int64 (M, cells²), places of the images; classes: int64 (M,), the explained classes;
    inside: bool (M, cells²), the cells of this class.
    """

    members: NDArray[np.int64]
    classes: NDArray[np.int64]
    inside: NDArray[np.bool_]


def draw(labels: ArrayLike, kind: str, cells: int, count: int, seed: int) -> Mosaics:
    """Mosaics of images with these labels, with the explained class and its cells at random.

    No image is twice in a mosaic. A class is explained in proportion to its number of images.

    Parameters
    ----------
    labels
        int (N,). For `grid_pointing` of cells² classes or more; for `focus` of two or more, each
        explained one with cells² // 2 images or more (others are not explained).
    kind
        One of `KINDS`.
    """
    label = np.asarray(labels, np.int64)
    random = np.random.Generator(np.random.PCG64([seed, KINDS.index(kind)]))
    places = cells**2
    own = 1 if kind == GRID_POINTING else places // 2
    of_class = [np.flatnonzero(label == k) for k in range(label.max() + 1)]
    present = [k for k, rows in enumerate(of_class) if len(rows)]
    explained = np.array([len(rows) * (len(rows) >= own) for rows in of_class], np.float64)
    explained /= explained.sum()
    members, classes = np.empty((count, places), np.int64), np.empty(count, np.int64)
    inside = np.zeros((count, places), np.bool_)
    for row in range(count):
        classes[row] = target = random.choice(len(of_class), p=explained)
        if kind == GRID_POINTING:
            others = random.choice([k for k in present if k != target], places - 1, replace=False)
            rest = np.array([random.choice(of_class[k]) for k in others], np.int64)
        else:
            rest = random.choice(np.flatnonzero(label != target), places - own, replace=False)
        images = np.concatenate([random.choice(of_class[target], own, replace=False), rest])
        order = random.permutation(places)
        members[row] = images[order]
        inside[row] = order < own
    return Mosaics(members, classes, inside)


def assembled(
    images: NDArray[np.uint8], members: NDArray[np.int64], cells: int
) -> NDArray[np.uint8]:
    """The mosaics of images (N, H, W, C): uint8 (M, cells·H, cells·W, C)."""
    height, width, channels = images.shape[1:]
    grid = images[members.reshape(-1)].reshape(-1, cells, cells, height, width, channels)
    rows = grid.transpose(0, 1, 3, 2, 4, 5)
    return rows.reshape(len(members), cells * height, cells * width, channels)


def regions(inside: NDArray[np.bool_], kind: str, cells: int, size: Sequence[int]) -> Regions:
    """The cells of the explained class as masks (M, 1, cells·H, cells·W) of one region, `kind`.

    `size` is (H, W) of an image.
    """
    grid = inside.reshape(-1, 1, cells, cells)
    return Regions((kind,), grid.repeat(size[0], axis=2).repeat(size[1], axis=3))
