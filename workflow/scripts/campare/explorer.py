"""The data of the explorer: all maps and metrics of a study, packed for a page.

Layout: docs/explorer.md. The page itself is made by `explorer_page`.
"""

from __future__ import annotations

import base64
import gzip
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from campare import controls, embedding, maps, registry
from campare.design import BASELINE, Model
from campare.store import Store

Floats = NDArray[np.floating[Any]]
FORMAT = 1  # of the layout, so that a page never reads the data of another
MISSING = 65535  # an undefined number among uint16
MAP_VALUES = 240_000_000  # of all maps of a page together, which a browser keeps in memory
CHUNK = 500  # maps that are scaled at a time
KINDS = {BASELINE: "baseline", **dict.fromkeys(registry.MATCHED, "control")}


@dataclass
class Payload:
    """What a page contains: a description, and arrays and sheets of images as base64.

    about: values for JSON; blocks: name → base64 text of a gzip stream, or of an image file.
    """

    about: dict[str, Any]
    blocks: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, values: NDArray[Any]) -> None:
        """Add an array of uint8, uint16 or uint32, little-endian."""
        values = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
        self.about["arrays"][name] = {"type": values.dtype.name, "shape": list(values.shape)}
        # Level 6: at 9 the data of a large study take minutes more and 1 % less space.
        self.blocks[name] = text_of(gzip.compress(values.tobytes(), 6, mtime=0))


def quantised(values: ArrayLike) -> tuple[NDArray[np.uint16], dict[str, float]]:
    """Numbers as uint16, and their scale: number = low + step × value; NaN becomes `MISSING`.

    The error is at most half a step, 1/131,068 of the range of the numbers.
    """
    given = np.asarray(values, np.float64)
    finite = np.isfinite(given)
    low, high = (given[finite].min(), given[finite].max()) if finite.any() else (0.0, 0.0)
    step = (high - low) / (MISSING - 1) or 1.0
    steps = np.rint((np.where(finite, given, low) - low) / step)
    coded = np.where(finite, steps, MISSING).astype(np.uint16)
    return coded, {"low": float(low), "step": float(step)}


def shown(values: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Maps as figures show them (ReLU, min–max), from 0 to 255 in a grid of `size` (`maps.fitted`).

    Parameters
    ----------
    values
        float32 (N, h, w), signed and unnormalised, as stored.

    Returns
    -------
    uint8 (N, *size); 0 everywhere if a map has no positive value.
    """
    return np.rint(255 * maps.fitted(values, size)).astype(np.uint8)


def grid(shapes: Sequence[tuple[int, int]], images: int) -> tuple[int, int]:
    """Height and width of all maps of a page: the largest of the models', within `MAP_VALUES`."""
    height, width = (max(sides) for sides in zip(*shapes, strict=True))
    factor = math.sqrt(MAP_VALUES / max(1, images * len(shapes) * height * width))
    if factor < 1:
        height, width = max(1, int(height * factor)), max(1, int(width * factor))
    return height, width


def measured(
    tables: Mapping[Model, pd.DataFrame],
    models: Sequence[Model],
    names: Sequence[str],
    index: NDArray[np.int64],
) -> Floats:
    """Metrics of every model and image, means over the baselines it is compared with.

    Parameters
    ----------
    tables
        Similarity table of each augmented model.
    names
        Columns of the tables.
    index
        (N,) positions of the images in the data set.

    Returns
    -------
    float64 (metrics, models, N); NaN if undefined, or if a model has no table.
    """
    values = np.full((len(names), len(models), len(index)), np.nan)
    for place, model in enumerate(models):
        if model in tables:
            means = tables[model].groupby("index")[list(names)].mean().reindex(index)
            values[:, place] = means.to_numpy().T
    return values


def located(
    tables: Mapping[Model, pd.DataFrame], models: Sequence[Model], index: NDArray[np.int64]
) -> tuple[list[dict[str, str]], Floats]:
    """Localisation scores of every model, region and image, in the form of `measured`.

    Returns
    -------
    entries
        Name and label of each score and region.
    values
        float64 (scores and regions, models, N); NaN if an image lacks the region.
    """
    regions = list(dict.fromkeys(region for table in tables.values() for region in table["region"]))
    entries, values = [], []
    for region in regions:
        parts = {
            model: table[table["region"] == region].groupby("index")
            for model, table in tables.items()
        }
        for score, label in registry.LOCALISATION.items():
            entries.append({"name": f"{score}:{region}", "label": f"{region}: {label}"})
            nothing = pd.Series(dtype=float)
            values.append(
                [
                    (parts[model][score].mean() if model in parts else nothing).reindex(index)
                    for model in models
                ]
            )
    return entries, np.array(values, float).reshape(len(entries), len(models), len(index))


def components(
    pairs: Mapping[str, pd.DataFrame], augmentation: str, reference: str, metric: str
) -> pd.DataFrame:
    """Net distance and tightening of an augmentation, of each image (`shift` defines them).

    Parameters
    ----------
    pairs
        Augmentation, control or baseline → its pairs as measure_pairs writes them.

    Returns
    -------
    DataFrame
        net and tightening, by the index of the images. Their means over images are those of
        summary.csv, if no distance is undefined.
    """

    def mean(table: pd.DataFrame, first: str, second: str) -> pd.Series:
        kind = table[(table["a"] == first) & (table["b"] == second)]
        return pd.Series(controls.distance(kind.groupby("index")[metric].mean(), metric))

    between = mean(pairs[augmentation], reference, augmentation)
    within = mean(pairs[augmentation], augmentation, augmentation)
    floor = mean(pairs[reference], reference, reference)
    return pd.DataFrame({"net": between - floor, "tightening": (floor - within) / 2})


@dataclass(frozen=True)
class Embedding:
    """The first two principal components of maps, and their Laplacian eigenmaps.

    places, spectral: float64 (groups, N, 2); explained: share of the variance that each of the two
    components explains; ends: uint8 (2, 2, h, w), for each component the mean map minus and plus
    two standard deviations along it.
    """

    places: Floats
    explained: list[float]
    ends: NDArray[np.uint8]
    spectral: Floats


def embedded(values: NDArray[np.uint8], groups: Sequence[Sequence[int]]) -> Embedding:
    """Two embeddings of the mean map of each group of models and image.

    One analysis of all groups together, so that their places can be compared.

    Parameters
    ----------
    values
        uint8 (models, N, h, w), as `shown` returns them.
    groups
        Places of the models of each group.
    """
    count, *size = values.shape[1:]
    means = [values[list(group)].mean(0, dtype=np.float32).reshape(count, -1) for group in groups]
    flat = np.concatenate(means).astype(np.float64) / 255
    found = embedding.principal(flat)
    ends = found.mean + 2 * np.array([-found.directions, found.directions]).swapaxes(0, 1)
    return Embedding(
        found.places.reshape(len(groups), count, 2),
        found.explained,
        np.rint(255 * ends.clip(0, 1)).astype(np.uint8).reshape(2, 2, *size),
        embedding.eigenmaps(flat).reshape(len(groups), count, 2),
    )


def described(
    models: Sequence[Model], titles: Mapping[str, str], colours: Mapping[str, str]
) -> list[dict[str, Any]]:
    """The groups of models of one name: name, title, kind, colour, places among `models`."""
    names = dict.fromkeys(name for name, _ in models)
    return [
        {
            "name": name,
            "title": titles.get(name, name),
            "kind": KINDS.get(name, "augmentation"),
            "colour": colours.get(name, "#777777"),
            "models": [place for place, model in enumerate(models) if model[0] == name],
        }
        for name in names
    ]


@dataclass(frozen=True, eq=False)
class Outline:
    """What the page needs of a store besides its maps, for all stores at once in memory.

    Maps of the input's size, and the scores of a thousand classes, would not fit.

    shape: height and width of the maps; index, label, target, predicted: int64 (N,), as in `Store`;
    probability: float32 (N,), of the predicted class.
    """

    shape: tuple[int, int]
    index: NDArray[np.int64]
    label: NDArray[np.int64]
    target: NDArray[np.int64]
    predicted: NDArray[np.int64]
    probability: NDArray[np.float32]


def outline(store: Store) -> Outline:
    """The outline of a store."""
    predicted = store.predicted
    height, width = store.maps.shape[1:]
    return Outline(
        (height, width), store.index, store.label, store.target, predicted,
        store.prediction[np.arange(len(predicted)), predicted],
    )  # fmt: skip


def common_index(stores: Sequence[Outline]) -> NDArray[np.int64]:
    """Positions in the data set of the images that all models mapped, in ascending order."""
    index = stores[0].index
    for other in stores[1:]:
        index = np.intersect1d(index, other.index)
    return np.unique(index)


def add_maps(
    payload: Payload, read: Sequence[Callable[[], Store]], index: NDArray[np.int64]
) -> NDArray[np.uint8]:
    """Add the maps of all models and their peaks, reading one store at a time.

    Parameters
    ----------
    read
        A function for each model that returns its store.

    Returns
    -------
    uint8 (models, N, h, w), the maps as in the page.
    """
    size = tuple(payload.about["map"])
    values, peaks = [], []
    for one in read:
        store = one()
        rows = rows_of(store, index)
        chunks = np.split(rows, range(CHUNK, len(rows), CHUNK))
        values.append(np.concatenate([shown(store.maps[chunk], size) for chunk in chunks]))
        peaks.append(np.concatenate([store.maps[chunk].max((1, 2)) for chunk in chunks]).clip(0))
    kept = np.stack(values)
    payload.add("maps", kept)
    coded, payload.about["peak"] = quantised(peaks)
    payload.add("peak", coded)
    return kept


def add_predictions(payload: Payload, stores: Sequence[Outline], index: NDArray[np.int64]) -> None:
    """Add labels and positions of the images and, if known, predictions and classes explained."""
    rows = [rows_of(store, index) for store in stores]
    pairs = list(zip(stores, rows, strict=True))
    if payload.about["predicts"]:
        targets = np.stack([store.target[own] for store, own in pairs])
        payload.add("target", targets.astype(np.uint16))
        predicted = np.stack([store.predicted[own] for store, own in pairs])
        chances = [store.probability[own] for store, own in pairs]
        payload.add("predicted", predicted.astype(np.uint16))
        coded, payload.about["probability"] = quantised(chances)
        payload.add("probability", coded)
    payload.add("label", stores[0].label[rows[0]].astype(np.uint16))
    payload.add("index", index.astype(np.uint32))


def add_numbers(
    payload: Payload, entries: Sequence[Mapping[str, Any]], values: Floats, name: str
) -> None:
    """Add numbers (entries, …), each entry with a scale of its own, to `about` and the blocks."""
    coded = [quantised(part) for part in values]
    payload.about[name] = [
        {**entry, "scale": scale} for entry, (_, scale) in zip(entries, coded, strict=True)
    ]
    if coded:
        payload.add(name, np.stack([part for part, _ in coded]))


def rows_of(store: Store | Outline, index: NDArray[np.int64]) -> NDArray[np.intp]:
    """Rows of a store with these positions in the data set."""
    order = np.argsort(store.index, kind="stable")
    return order[np.searchsorted(store.index[order], index)]


def text_of(content: bytes) -> str:
    """Bytes as base64."""
    return base64.b64encode(content).decode("ascii")
