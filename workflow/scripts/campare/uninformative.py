"""Maps that know nothing of what a model looks at: the chance level of every metric.

A metric of a model's map with one of these is what two maps share without a reason. Each is a store
like the model's own, with other maps in it, so that it is measured as any other.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from campare import masks
from campare.store import Store

SHUFFLED, GAUSSIAN, EDGES, UNTRAINED = "shuffled", "gaussian", "edges", "untrained"
LEVELS = (SHUFFLED, GAUSSIAN, EDGES, UNTRAINED)
# Those that have no class scores, and so no divergence of them.
WITHOUT_SCORES = (GAUSSIAN, EDGES)
# Of the Gaussian's standard deviation, as a share of the side: ±2σ is the picture.
WIDTH = 0.25


def shuffled(store: Store, seed: int) -> Store:
    """Maps and scores of another image each, of any class: what a bias to the centre gives.

    No image keeps its own, and each is given once (`masks.partners`).
    """
    return store.with_maps_of(masks.partners(np.zeros_like(store.label), seed))


def gaussian(store: Store) -> Store:
    """The same map for all images, exp(−r²/2σ²) about the centre, σ a quarter of the side."""
    rows, columns = (
        np.exp(-0.5 * (((np.arange(n) + 0.5) / n - 0.5) / WIDTH) ** 2) for n in store.maps.shape[1:]
    )
    bump = np.outer(rows, columns).astype(np.float32)
    return replace(store, maps=np.broadcast_to(bump, store.maps.shape))


def edges(store: Store, images: NDArray[np.uint8]) -> Store:
    """Sobel's magnitude of the grey picture, averaged over the cells of the maps.

    Parameters
    ----------
    images
        uint8 (N, H, W, C), those of the store.
    """
    grey = images.mean(axis=3)
    across, down = _slope(grey, 2, 1), _slope(grey, 1, 2)
    height, width = store.maps.shape[1:]
    rows, columns = averaging(grey.shape[1], height), averaging(grey.shape[2], width)
    strength = (rows @ np.hypot(across, down) @ columns.T).astype(np.float32)
    return replace(store, maps=strength)


def _slope(grey: NDArray[np.float64], along: int, over: int) -> NDArray[np.float64]:
    """Sobel's of each picture (N, H, W); scipy's own would smooth over the pictures as well."""
    steep = ndimage.correlate1d(grey, [-1, 0, 1], axis=along, mode="nearest")
    slope: NDArray[np.float64] = ndimage.correlate1d(steep, [1, 2, 1], axis=over, mode="nearest")
    return slope


def averaging(n: int, size: int) -> NDArray[np.float64]:
    """The mean of n pixels in each of `size` cells of the same width, as a matrix.

    Returns
    -------
    float64 (size, n); every row sums to 1. Entry (i, k) is the share of cell i that pixel k covers.
    """
    start = np.arange(size)[:, None] / size
    pixel = np.arange(n) / n
    covered = np.minimum(start + 1 / size, pixel + 1 / n) - np.maximum(start, pixel)
    shares: NDArray[np.float64] = covered.clip(0) * size
    return shares
