"""Images without maps: originals and their augmented copies, inputs of SVMs."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from campare.plots import page
from campare.plots.canvas import ImageGrid, blank_canvas, image_height, most_images, tile
from campare.plots.fitting import MOST_COLUMNS, chosen, first, fitted, text_width
from campare.plots.style import SMALL, Floats, styled, title


@styled
def examples(
    originals: npt.NDArray[np.uint8],
    augmented: npt.NDArray[np.uint8],
    shares: tuple[Floats, Floats],
    classes: Sequence[str],
    augmentation: str,
) -> Figure:
    """Original training images above their augmented copies (thesis figures 2.1 to 2.7).

    Parameters
    ----------
    originals, augmented
        uint8 (N, H, W, C), C = 1 or 3.
    shares
        Labels of the two over the K classes, (N, K) each: one-hot unless mixed.
    classes
        Names of the K classes.
    augmentation
        Name of the augmentation.
    """
    cell, pitch, line, left = 0.77, 0.865, 0.14, 0.05
    lines = int(max(1, *(shares[1] > 0).sum(axis=1)))
    drop = 0.2 + image_height(cell, originals[0]) + 0.05 + line + 0.08
    figure, axes = blank_canvas(
        max(2.0, left + len(originals) * pitch), 2 * drop + (lines - 1) * line
    )
    named = [classes[k] for k in np.flatnonzero((shares[0] + shares[1]).any(axis=0)).tolist()]
    whole = fitted(named, pitch - 0.05)
    part = fitted(named, pitch - 0.05 - text_width("00% "))
    rows = (("Original", originals, shares[0]), (title(augmentation), augmented, shares[1]))
    for row, (name, images, labels) in enumerate(rows):
        y = row * drop + 0.2
        axes.text(left, y - 0.05, name, va="bottom")
        for column, (image, label) in enumerate(zip(images, labels, strict=True)):
            x = left + column * pitch
            parts = [
                f"{label[k]:.0%} {part[classes[k]]}" if label[k] < 1 else whole[classes[k]]
                for k in np.argsort(-label, kind="stable")
                if label[k] > 0
            ]
            tile(axes, x, y, cell, image, "\n".join(parts))
    return figure


@styled
def sets(
    originals: npt.NDArray[np.uint8],
    augmented: Mapping[str, npt.NDArray[np.uint8]],
    classes: Sequence[str],
) -> Figure:
    """The same training images in every training set, without and with each augmentation.

    A row per set, or a column per set if there are more sets than images.

    Parameters
    ----------
    originals
        uint8 (N, H, W, C), C = 1 or 3.
    augmented
        Augmentation → one copy of each image, of the same shape.
    classes
        Class of each image, N names.
    """
    cell, pitch = (0.58, 0.62) if page.narrow() else (0.68, 0.72)
    most = most_images(len(originals), pitch)
    shown, note = chosen(augmented)
    every = {"original": originals, **{name: augmented[name] for name in shown}}
    rows = {name: images[:most] for name, images in every.items()}
    high = image_height(cell, originals[0])
    grid = ImageGrid(
        list(rows),
        classes[:most],
        cell,
        (pitch, pitch - (cell - high)),
        high=high,
        below=0.25 if note else 0.05,
    )
    figure, axes = blank_canvas(grid.width, grid.height)
    grid.label(axes)
    for number, images in enumerate(rows.values()):
        for place, image in enumerate(images):
            tile(axes, *grid.place(number, place), grid.cell, image, "")
    axes.text(0.1, grid.height - 0.05, note, va="bottom", size=SMALL)
    return figure


@styled
def tiles(rows: Mapping[str, Sequence[npt.NDArray[np.uint8]]], names: Sequence[str]) -> Figure:
    """Images (H, W, C) in named rows, with a class name above each column.

    Parameters
    ----------
    rows
        Row → images (H, W, C), one per class.
    names
        Names of the classes.
    """
    cell, pitch, left, top = 0.72, 0.8, 1.1, 0.4
    names, note = first(names, MOST_COLUMNS, "classes")
    high = image_height(cell, next(iter(rows.values()))[0])
    lines = max(len(textwrap.wrap(label, 13)) for label in rows)
    drop = min(pitch, max(pitch - (cell - high), 0.16 * lines))  # room for the labels
    height = top + drop * len(rows) + (0.25 if note else 0.1)
    figure, axes = blank_canvas(left + pitch * len(names), height)
    axes.text(left, height - 0.05, note, va="bottom")
    short = fitted(names, pitch - 0.04, 8)
    for row, (label, images) in enumerate(rows.items()):
        y = top + drop * row
        axes.text(left - 0.1, y + high / 2, textwrap.fill(label, 13), ha="right", va="center")
        for column, (image, name) in enumerate(zip(images, names, strict=False)):
            above = "" if row else short[name]
            tile(axes, left + pitch * column, y, cell, image, "", above=above)
    return figure
