"""Uninformative reference maps: maps that do not depend on what the model uses in the image.

A metric of a model's map and such a map is a chance level of the metric. Each function returns a
store like the model's, with other maps, so that all metrics can be measured as for any two models.
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
# Levels without class scores, for which metrics of predictions are undefined.
WITHOUT_SCORES = (GAUSSIAN, EDGES)
# Standard deviation of the Gaussian, as a share of the image's side: ±2σ spans the image.
WIDTH = 0.25


def shuffled(store: Store, seed: int) -> Store:
    """A store in which each image has the map and scores of another random image, of any class.

    It keeps what all maps of the model have in common, such as a bias to the centre. No image keeps
    its own map, and each map is used once (`masks.partners`).
    """
    return store.with_maps_of(masks.partners(np.zeros_like(store.label), seed))


def gaussian(store: Store) -> Store:
    """A store with the same map for all images: exp(−r²/2σ²), σ a quarter of the side.

    r is the distance from the centre.
    """
    rows, columns = (
        np.exp(-0.5 * (((np.arange(n) + 0.5) / n - 0.5) / WIDTH) ** 2) for n in store.maps.shape[1:]
    )
    bump = np.outer(rows, columns).astype(np.float32)
    return replace(store, maps=np.broadcast_to(bump, store.maps.shape))


def edges(store: Store, images: NDArray[np.uint8]) -> Store:
    """A store with the Sobel gradient magnitude of each grey image, averaged over the map's cells.

    Parameters
    ----------
    images
        uint8 (N, H, W, C), the images of the store.
    """
    grey = images.mean(axis=3)
    across, down = _slope(grey, 2, 1), _slope(grey, 1, 2)
    height, width = store.maps.shape[1:]
    rows, columns = averaging(grey.shape[1], height), averaging(grey.shape[2], width)
    strength = (rows @ np.hypot(across, down) @ columns.T).astype(np.float32)
    return replace(store, maps=strength)


def _slope(grey: NDArray[np.float64], along: int, over: int) -> NDArray[np.float64]:
    """Sobel derivative of each image (N, H, W); scipy's own would smooth over axis 0, too."""
    steep = ndimage.correlate1d(grey, [-1, 0, 1], axis=along, mode="nearest")
    slope: NDArray[np.float64] = ndimage.correlate1d(steep, [1, 2, 1], axis=over, mode="nearest")
    return slope


def averaging(n: int, size: int) -> NDArray[np.float64]:
    """A matrix that averages n pixels in each of `size` cells of equal width.

    Returns
    -------
    float64 (size, n); every row sums to 1. Entry (i, k) is the share of cell i that pixel k covers.
    """
    start = np.arange(size)[:, None] / size
    pixel = np.arange(n) / n
    common = np.minimum(start + 1 / size, pixel + 1 / n) - np.maximum(start, pixel)
    shares: NDArray[np.float64] = common.clip(0) * size
    return shares
