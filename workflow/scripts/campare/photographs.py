"""Conversion of a user's photographs to the format of Fashion-MNIST: grey, light on dark, centred.

Xiao et al. (2017), section 2, made Fashion-MNIST from photographs on white: trimmed to the garment,
longest edge resized to 28 pixels, centred on a square, inverted. The same is done here, but without
sharpening, with antialiasing instead of subsampling, and with the inversion first and only if the
background is light.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from campare.sizes import Size, pair

Grey = NDArray[np.uint8]

# Largest difference of levels from the background that counts as background: 5 %, as Xiao et al.
CLOSE = 0.05 * 255


def prepared(photograph: Grey, size: Size, light: float) -> Grey:
    """One grey photograph (H, W) as uint8 in the size of the data set, its object light on black.

    Parameters
    ----------
    size
        Side of a square, or (height, width), pixels.
    light
        Mean grey level of the border, 0 to 1, above which the background counts as light.

    Notes
    -----
    The level of the background is the median of the outermost pixels. Pixels that exceed it by no
    more than `CLOSE` are background; the bounding box of the others is cut out. An image without
    other pixels becomes black.
    """
    grey = photograph.astype(np.float64)
    if border(grey).mean() > 255 * light:
        grey = 255 - grey
    grey = np.clip(grey - np.median(border(grey)), 0, None)
    is_object = grey > CLOSE
    most = pair(size)
    framed = np.zeros(most, np.uint8)
    if not is_object.any():
        return framed
    rows, columns = np.flatnonzero(is_object.any(axis=1)), np.flatnonzero(is_object.any(axis=0))
    cut = grey[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    axis = int(cut.shape[1] * most[0] >= cut.shape[0] * most[1])  # that the object fills
    height, width = (max(1, round(most[axis] * n / cut.shape[axis])) for n in cut.shape)
    levels = Image.fromarray(cut.astype(np.float32))
    small = np.asarray(levels.resize((width, height), Image.Resampling.BILINEAR))
    top, left = (most[0] - height) // 2, (most[1] - width) // 2
    framed[top : top + height, left : left + width] = np.rint(small.clip(0, 255))
    return framed


def border(grey: NDArray[np.float64]) -> NDArray[np.float64]:
    """The outermost pixels of an image (H, W), as one row."""
    return np.concatenate([grey[0], grey[-1], grey[1:-1, 0], grey[1:-1, -1]])


def label(path: Path, folder: str | Path, classes: Sequence[str]) -> str:
    """The class after which the image's folder is named, with "-" for "/"; "" if there is none."""
    if path.parent == Path(folder).expanduser():
        return ""
    named = {name.replace("/", "-"): name for name in classes}
    return named.get(normalize("NFC", path.parent.name), "")
