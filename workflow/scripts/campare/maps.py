"""From the signed coarse maps of a store to what pytorch-grad-cam shows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def show(maps: Floats, size: tuple[int, int] | None) -> Floats:
    """What pytorch-grad-cam shows: ReLU, min–max, bilinear resize, min–max.

    A map without a positive value, and one whose values are all the same, is zero everywhere.

    Parameters
    ----------
    maps
        float32 (N, h, w), signed and unnormalised, as stored.
    size
        (height, width) to resize to; None keeps the maps' own.

    Returns
    -------
    float32 (N, height, width) in [0, 1]; within 1e-6 of the library's, whose cv2.resize
    computes the same sums in another order.
    """
    shown = _stretch(np.maximum(maps, 0))
    if size is not None:
        height, width = size
        rows, columns = interpolation(maps.shape[1], height), interpolation(maps.shape[2], width)
        shown = rows @ (shown @ columns.T)
    return _stretch(shown)


def interpolation(n: int, size: int) -> Floats:
    """Bilinear resize of one axis from n to `size` pixels, as a matrix.

    Pixel centres lie at (i + ½)/size, and what is beyond the outermost ones repeats them
    (`align_corners=False`). Without antialiasing, as in OpenCV, also where size < n.

    Returns
    -------
    float32 (size, n); every row sums to 1 and has at most two entries.
    """
    place = ((np.arange(size) + 0.5) * (n / size) - 0.5).clip(0, n - 1)
    below = place.astype(int)
    share = (place - below).astype(np.float32)
    matrix = np.zeros((size, n), np.float32)
    row = np.arange(size)
    matrix[row, below] = 1 - share
    inside = share > 0
    matrix[row[inside], below[inside] + 1] = share[inside]
    return matrix


def _stretch(maps: Floats) -> Floats:
    """(map − min)/(1e-7 + max of that), per map; the library's guard against a zero range."""
    risen = maps - maps.min(axis=(1, 2), keepdims=True)
    scaled: Floats = risen / (np.float32(1e-7) + risen.max(axis=(1, 2), keepdims=True))
    return scaled


def splined(maps: Floats, size: tuple[int, int], order: int) -> Floats:
    """What Suresh and Kaushik show: the signed map enlarged by a spline, min–max, no ReLU.

    `scipy.ndimage.zoom` lays the outermost values of a map onto the outermost pixels, where `show`
    lays pixel centres on pixel centres and repeats what is beyond them: its maps reach further
    out. From order 2 on it also overshoots between values.

    Parameters
    ----------
    maps
        float32 (N, h, w), signed and unnormalised, as stored.
    order
        Of the spline, 0 to 5; the deck has 2.

    Returns
    -------
    float32 (N, height, width) in [0, 1].
    """
    from scipy.ndimage import zoom

    count, height, width = maps.shape
    enlarged = np.empty((count, *size), np.float32)
    for one, place in zip(maps, enlarged, strict=True):
        place[...] = zoom(one.astype(np.float64), (size[0] / height, size[1] / width), order=order)
    return _stretch(enlarged)
