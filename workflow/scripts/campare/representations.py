"""How similar two networks are inside and in their predictions, image by image.

Features of n images under one network, float (n, d), are compared with those under another network
of any width. Both measures ignore rotations and one common scale of the features:

- debiased linear CKA: the cosine of the two U-centred Gram matrices (Kornblith et al. 2019,
  equation 4, with the unbiased estimator of HSIC of Song et al. 2012, equation 5). With the usual,
  biased estimator random features of more dimensions than images would be similar (Murphy,
  Zylberberg and Fyshe 2024). 1: equal up to rotation and scale; expected value for independent
  features: 0;
- overlap of nearest neighbours: the share of an image's k nearest neighbours, by cosine
  similarity, that are the same in both (Huh et al. 2024, "mutual nearest-neighbor metric").
  Expected value for independent features: k/(n − 1).

Predictions are compared by their Jensen-Shannon divergence (Lin 1991, equation 3.4) and by whether
the two classes differ (prediction churn, Milani Fard et al. 2016).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from campare.errors import ANEW, reading
from campare.store import Store

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Integers = NDArray[np.int32]

# The places whose features are compared, by the names in columns.
LAYERS = ("target_layer", "penultimate")


@dataclass(frozen=True)
class Representation:
    """The geometry of n images in the features of a network, of each layer of `LAYERS`.

    grams: float32 (layers, n, n), U-centred Gram matrices of norm 1 (`u_centred`); neighbours:
    int32 (layers, n, k), the nearest images of every image, ascending; index: int64 (n,), positions
    of the images in the data set.
    """

    grams: Floats
    neighbours: Integers
    index: NDArray[np.int64]


def represent(layers: Sequence[ArrayLike], index: ArrayLike, neighbours: int) -> Representation:
    """The representation of n images by the features (n, …) of each layer."""
    flat = [np.asarray(x, np.float64).reshape(len(np.asarray(x)), -1) for x in layers]
    return Representation(
        np.stack([u_centred(x).astype(np.float32) for x in flat]),
        np.stack([nearest(x, neighbours) for x in flat]),
        np.asarray(index, np.int64),
    )


def u_centred(features: ArrayLike) -> Doubles:
    """Gram matrix (n, n) of features (n, d), U-centred and of Frobenius norm 1; n ≥ 4.

    U-centring sets the diagonal to zero and makes every row sum zero (Székely and Rizzo 2014,
    definition 2). The mean of the products of two such matrices estimates their HSIC without bias.
    NaN if all images have the same features.
    """
    x = np.asarray(features, np.float64)
    x = x - x.mean(axis=0)  # no effect on the result, but on rounding
    n = len(x)
    gram = x @ x.T
    np.fill_diagonal(gram, 0)
    rows = gram.sum(axis=1)
    gram -= (rows[:, None] + rows) / (n - 2)
    gram += rows.sum() / ((n - 1) * (n - 2))
    np.fill_diagonal(gram, 0)
    size = np.linalg.norm(gram)
    # What rounding leaves of equal features is no geometry.
    if size <= 1e-12 * max(1.0, float(np.abs(np.asarray(features)).max()) ** 2 * n):
        return np.full_like(gram, np.nan)
    return np.asarray(gram / size)


def cka(first: ArrayLike, second: ArrayLike) -> Doubles:
    """Contribution of each image to the CKA of two U-centred Gram matrices of norm 1: (n,).

    The CKA is the mean of the contributions.
    """
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    return np.asarray(len(a) * np.einsum("ij,ij->i", a, b))


def nearest(features: ArrayLike, count: int) -> Integers:
    """The `count` images most similar to each, by cosine of centred features: int32 (n, count).

    Ascending numbers; an image is not its own neighbour. Of equally similar images the first ones
    are taken; an image without features (all zero after centring) has similarity 0 to all.
    """
    x = np.asarray(features, np.float64)
    x = x - x.mean(axis=0)
    norm = np.linalg.norm(x, axis=1, keepdims=True)
    x = np.divide(x, norm, out=np.zeros_like(x), where=norm > 0)
    similarity = x @ x.T
    np.fill_diagonal(similarity, -np.inf)
    order = np.argsort(-similarity, axis=1, kind="stable")[:, :count]
    return np.sort(order, axis=1).astype(np.int32)


def shared_neighbours(first: Integers, second: Integers) -> Doubles:
    """Share of each image's neighbours (n, k) that are the same in both: (n,)."""
    both = (first[:, :, None] == second[:, None, :]).any(axis=2)
    return np.asarray(both.mean(axis=1))


def jensen_shannon(first: ArrayLike, second: ArrayLike) -> Doubles:
    """Jensen-Shannon divergence of probabilities (n, classes), in bits, 0 to 1: (n,)."""
    p, q = np.asarray(first, np.float64), np.asarray(second, np.float64)
    p, q = (x / x.sum(axis=1, keepdims=True) for x in (p, q))
    middle = (p + q) / 2

    def divergence(x: Doubles) -> Doubles:
        ratio = np.divide(x, middle, out=np.ones_like(x), where=x > 0)
        return np.asarray((x * np.log2(ratio)).sum(axis=1))

    return np.asarray(np.clip((divergence(p) + divergence(q)) / 2, 0, 1))


def compare(
    first: Representation, second: Representation, scores: tuple[Store, Store]
) -> dict[str, Doubles]:
    """All measures of two networks, a value per image of the representations: (n,).

    The names are those of `registry.REPRESENTATIONS`. `scores` are the stores of the two networks.
    """
    columns: dict[str, Doubles] = {}
    for place, layer in enumerate(LAYERS):
        columns[f"cka_{layer}"] = cka(first.grams[place], second.grams[place])
        columns[f"neighbours_{layer}"] = shared_neighbours(
            first.neighbours[place], second.neighbours[place]
        )
    a, b = scores
    columns["jensen_shannon"] = jensen_shannon(a.prediction, b.prediction)
    columns["churn"] = (a.predicted != b.predicted).astype(np.float64)
    return columns


def between(
    models: Mapping[tuple[str, int], tuple[Representation, Store]],
    pairs: Iterable[tuple[tuple[str, int], tuple[str, int]]],
) -> Iterator[pd.DataFrame]:
    """Tables of pairs of models, as those of their maps: a, seed_a, b, seed_b, index, label,
    prediction_a, prediction_b, then the measures; a row per image of the representations.

    Parameters
    ----------
    models
        Model → its representation, and its store with the same images.
    """
    for a, b in pairs:
        (first, scores_a), (second, scores_b) = models[a], models[b]
        yield pd.DataFrame(
            {
                **dict(zip(("a", "seed_a", "b", "seed_b"), (*a, *b), strict=True)),
                "index": first.index,
                "label": scores_a.label,
                "prediction_a": scores_a.predicted,
                "prediction_b": scores_b.predicted,
                **compare(first, second, (scores_a, scores_b)),
            }
        )


def write(representation: Representation, path: str | Path) -> None:
    """Write a representation as safetensors."""
    import torch

    from campare import checkpoints

    arrays = {name: torch.from_numpy(value) for name, value in vars(representation).items()}
    checkpoints.save(Path(path), arrays, {"representation": [*LAYERS]})


def read(path: str | Path) -> Representation:
    """Read a representation that `write` wrote.

    Raises
    ------
    CampareError
        The file is missing or truncated, or has other contents.
    """
    from safetensors import SafetensorError, safe_open

    with (
        reading(path, "representation", SafetensorError, remedy=ANEW),
        safe_open(path, framework="np") as file,
    ):
        arrays: dict[str, Any] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return Representation(**arrays)
