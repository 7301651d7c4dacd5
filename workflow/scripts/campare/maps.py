"""Maps as shown: stored signed maps, rectified, scaled to [0, 1] and resized."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def show(maps: Floats, size: tuple[int, int] | None) -> Floats:
    """Maps as pytorch-grad-cam shows them: ReLU, min–max, bilinear resize, min–max.

    A map without a positive value, or with equal values, becomes zero everywhere.

    Parameters
    ----------
    maps
        float32 (N, h, w), signed and unnormalised, as stored.
    size
        (height, width) to resize to; None keeps the maps' own.

    Returns
    -------
    float32 (N, height, width) in [0, 1]; equal to the library's to within 1e-6, because its
    cv2.resize computes the same sums in another order.
    """
    shown = _stretch(np.maximum(maps, 0))
    if size is not None:
        height, width = size
        rows, columns = interpolation(maps.shape[1], height), interpolation(maps.shape[2], width)
        shown = rows @ (shown @ columns.T)
    return _stretch(shown)


def fitted(maps: Floats, size: tuple[int, int]) -> Floats:
    """Maps as `show` makes them, in a larger or a smaller grid of `size`.

    A larger grid is filled by bilinear interpolation (`show`), a smaller one by means over the area
    of its cells.

    Parameters
    ----------
    maps
        float32 (N, h, w), signed and unnormalised, as stored.

    Returns
    -------
    float32 (N, *size) in [0, 1].
    """
    height, width = maps.shape[1:]
    if height <= size[0] and width <= size[1]:
        return show(maps, None if (height, width) == size else size)
    reduced = _area(height, size[0]) @ show(maps, None) @ _area(width, size[1]).T
    return np.asarray(reduced, np.float32)


def interpolation(n: int, size: int) -> Floats:
    """Bilinear resize of one axis from n to `size` pixels, as a matrix.

    Pixel centres lie at (i + ½)/size, and the outermost values are repeated beyond them
    (`align_corners=False`). Without antialiasing, as in OpenCV, even if size < n.

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
    """(map − min)/(max − min + 1e-7) of each map; the library's 1e-7 avoids division by zero."""
    above_min = maps - maps.min(axis=(1, 2), keepdims=True)
    scaled: Floats = above_min / (np.float32(1e-7) + above_min.max(axis=(1, 2), keepdims=True))
    return scaled


def _area(n: int, size: int) -> Floats:
    """Means over the area of each of `size` cells along an axis of n pixels, as a matrix."""
    ends = np.linspace(0, n, size + 1)
    pixel = np.arange(n)
    inside = np.minimum(ends[1:, None], pixel + 1) - np.maximum(ends[:-1, None], pixel)
    share: Floats = (inside.clip(0) * size / n).astype(np.float32)
    return share


def splined(maps: Floats, size: tuple[int, int], order: int) -> Floats:
    """Maps as Suresh and Kaushik show them: signed maps enlarged by a spline, min–max, no ReLU.

    `scipy.ndimage.zoom` places the outermost values of a map on the outermost pixels; `show` aligns
    pixel centres and repeats the outermost values. Splines of order 2 and more overshoot.

    Parameters
    ----------
    maps
        float32 (N, h, w), signed and unnormalised, as stored.
    order
        Order of the spline, 0 to 5; Suresh and Kaushik use 2.

    Returns
    -------
    float32 (N, height, width) in [0, 1].
    """
    from scipy.ndimage import zoom

    count, height, width = maps.shape
    enlarged = np.empty((count, *size), np.float32)
    factors = size[0] / height, size[1] / width
    for small, large in zip(maps, enlarged, strict=True):
        large[...] = zoom(small.astype(np.float64), factors, order=order)
    return _stretch(enlarged)
