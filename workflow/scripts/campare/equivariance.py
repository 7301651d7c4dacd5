"""Whether maps follow transformations of the image.

Let M(x) be a network's map of the image x, shown at the size of the image (`maps.show`), and T a
transformation. If T moves pixels, the map should move with them: M(Tx) is compared with T M(x)
(equivariance). If T changes colours or sharpness only, the map should stay: M(Tx) is compared with
M(x) (invariance). The comparison is by a metric of two maps, so that identical maps have its value
of identical maps, such as an overlap rate of 1. Both maps explain the same class, that of the
study's maps of x, whatever the network predicts for Tx.

Only the valid region is compared: the pixels of Tx that come from inside of x. Within it both maps
are shown again (minimum 0, maximum 1), and shares such as the top 20 % are of its pixels.

A second value has M(x′) of another image x′ in the place of M(x): how similar maps are that have
nothing in common but the network, the class's share of the study and the region.

(Equivariance and invariance of explanations: Tětková and Hansen 2023, who correlate them.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from campare import cams, maps, registry, similarity
from campare.augment import Augmenter, Batch
from campare.augment.core import Draw
from campare.maps import Floats
from campare.robustness import OTHER, OWN
from campare.similarity import Axis, Grid, MapBatch, Pairs
from campare.sizes import Size, pair

Steps = Sequence[tuple[str, Mapping[str, Any]]]
Mask = NDArray[np.bool_]

MARK = 255  # level of pixels from inside of the image


@dataclass(frozen=True)
class Moved:
    """Where the pixels of n transformed images come from.

    row, column: float32 (n, H, W), positions in the image, pixels; valid: bool (n, H, W), whether
    they are inside of the image.
    """

    row: Floats
    column: Floats
    valid: Mask


def applied(
    steps: Steps, images: NDArray[np.uint8], index: NDArray[np.int64], seed: int
) -> NDArray[np.uint8]:
    """Images uint8 (n, H, W, C) transformed by augmentations in turn.

    The random numbers of an image depend on the seed and its number in the data set (`index`).
    """
    batch = _batch(images)
    source, copy = _keys(index)
    changed = Augmenter(steps, seed, batch)(batch, source, copy, 0).images
    return np.ascontiguousarray(changed.permute(0, 2, 3, 1).numpy())


def moved(steps: Steps, size: Size, index: NDArray[np.int64], seed: int) -> Moved:
    """Where the pixels of `applied` to images of this size come from.

    Found by applying the steps that move pixels to an image of the positions, as levels, with the
    same random numbers. Levels are multiples of a position by a whole number if an axis has at most
    255 positions; interpolated ones are rounded to 1/8 pixel at 32 pixels, and to a pixel at 224.
    """
    sides = pair(size)
    scales = [254 // (n - 1) if 1 < n <= 255 else 254 / max(n - 1, 1) for n in sides]
    down, across = (
        np.round(np.arange(n) * scale).astype(np.uint8)
        for n, scale in zip(sides, scales, strict=True)
    )
    positions = np.empty((*sides, 3), np.uint8)
    positions[..., 0], positions[..., 1], positions[..., 2] = down[:, None], across, MARK
    batch = _batch(np.broadcast_to(positions, (len(index), *positions.shape)))
    source, copy = _keys(index)
    for number, (name, parameters) in enumerate(steps):
        if registry.moves_pixels(name):
            draw = Draw(seed, 0, source, copy, step=number, pool=batch)
            # Nothing from outside of the image may look like a part of it.
            outside = {"fill": 0, "border": "fill"}
            own = {key: outside.get(key, value) for key, value in parameters.items()}
            batch = registry.entry(registry.STEPS, name).load()(batch, draw, **own)
    row, column, mark = batch.images.float().unbind(1)
    return Moved((row / scales[0]).numpy(), (column / scales[1]).numpy(), (mark == MARK).numpy())


def transformed(shown: Floats, where: Moved) -> Floats:
    """Maps (n, H, W) at the positions `where`, by bilinear interpolation: float32 (n, H, W)."""
    height, width = shown.shape[1:]
    row, column = where.row.clip(0, height - 1), where.column.clip(0, width - 1)
    top, left = (
        row.astype(int).clip(0, max(height - 2, 0)),
        column.astype(int).clip(0, max(width - 2, 0)),
    )
    down, right = row - top, column - left
    image = np.arange(len(shown))[:, None, None]
    below, beside = np.minimum(top + 1, height - 1), np.minimum(left + 1, width - 1)
    above = (1 - right) * shown[image, top, left] + right * shown[image, top, beside]
    under = (1 - right) * shown[image, below, left] + right * shown[image, below, beside]
    return np.asarray((1 - down) * above + down * under, np.float32)


def compared(
    first: Floats, second: Floats, valid: Mask, metrics: Sequence[str], epsilon: float
) -> dict[str, NDArray[np.float64]]:
    """Metrics of two maps of n images, (n, H, W), within the valid region of each: (n,)."""
    regions, member = np.unique(valid.reshape(len(valid), -1), axis=0, return_inverse=True)
    values = {name: np.full(len(valid), np.nan) for name in metrics}
    for number, region in enumerate(regions):
        if region.sum() < 2:
            continue
        rows = np.flatnonzero(member.reshape(-1) == number)
        p, q = (
            MapBatch(
                np.ascontiguousarray(each[rows].reshape(len(rows), -1)[:, None, region]),
                np.zeros((len(rows), 1), np.float32),
                _line(int(region.sum())),
            )
            for each in (first, second)
        )
        for name in metrics:
            orders = [Pairs(p, q, epsilon), Pairs(q, p, epsilon)]
            used = orders[:1] if registry.metric(name).symmetric else orders
            values[name][rows] = np.mean(
                [similarity.measure(name, order)[name] for order in used], axis=0
            )
    return values


def measure(
    network: nn.Module,
    layer: nn.Module,
    head: nn.Linear | None,
    images: NDArray[np.uint8],
    index: NDArray[np.int64],
    targets: NDArray[np.int64],
    transforms: Mapping[str, Steps],
    metrics: Sequence[str],
    *,
    seed: int,
    epsilon: float,
    **settings: Any,
) -> Iterator[pd.DataFrame]:
    """A table of each transform: comparisons of the maps of n images with those transformed.

    Parameters
    ----------
    images
        uint8 (n, H, W, C), at the size of the network's input.
    index, targets
        int64 (n,): numbers in the data set, and classes that the maps explain.
    transforms
        Name → steps, all of which move pixels or change colours (`registry.moves_pixels`).
    settings
        Of `cams.compute`, without targets.

    Yields
    ------
    DataFrame
        A row per image and `map` (OWN, OTHER: of which image T M is): transform, index, map,
        prediction (of x), transformed_prediction (of Tx), valid (share of the image), then the
        metrics.
    """
    size = (images.shape[1], images.shape[2])

    def explained(shown: NDArray[np.uint8]) -> tuple[Floats, NDArray[np.int64]]:
        batches = list(cams.compute(network, layer, head, shown, targets=targets, **settings))
        maps_of = np.concatenate([batch.maps for batch in batches])
        logits = np.concatenate([batch.logits for batch in batches])
        return maps.show(maps_of, size), logits.argmax(axis=1)

    before, prediction = explained(images)
    for name, steps in transforms.items():
        where = moved(steps, size, index, seed)
        after, changed = explained(applied(steps, images, index, seed))
        for kind, maps_before in ((OWN, before), (OTHER, np.roll(before, 1, axis=0))):
            values = compared(transformed(maps_before, where), after, where.valid, metrics, epsilon)
            yield pd.DataFrame(
                {
                    "transform": name,
                    "index": index,
                    "map": kind,
                    "prediction": prediction,
                    "transformed_prediction": changed,
                    "valid": where.valid.mean(axis=(1, 2)),
                    **values,
                }
            )


def _batch(images: NDArray[np.uint8]) -> Batch:
    pixels = torch.from_numpy(np.ascontiguousarray(np.moveaxis(images, 3, 1)))
    return Batch(pixels, torch.zeros(len(images), 1))


def _keys(index: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
    source = torch.from_numpy(np.asarray(index, np.int64))
    return source, torch.ones_like(source)


@lru_cache(maxsize=256)
def _line(pixels: int) -> Grid:
    """The grid of maps of one row of pixels at their own resolution.

    `Grid.of` gives the same, in a time that grows with the square of the number of pixels.
    """
    return Grid(_axis(1), _axis(pixels))


def _axis(pixels: int) -> Axis:
    place = np.arange(pixels)
    shares = np.tile(np.array([1, 0], np.float32), (pixels, 1))
    sources = np.stack([place, np.minimum(place + 1, pixels - 1)], axis=1)
    return Axis(sources, shares, np.ones(pixels, np.int64), place)
