"""Deletion and insertion with exchanged maps: is it the map or the network that differs?

How far a score falls when pixels are deleted in the order of a map depends on the map, and on how
robust the network is to images with deleted pixels, which augmentations such as CutMix train. So
the scores of two networks, each with its own maps, do not compare their maps. Here two networks,
one augmented (a) and one baseline (b), exchange their maps: each is measured with both. With
F(n, m), the score of network n with the maps of m,

- networks = ½ [F(a, a) + F(a, b) − F(b, a) − F(b, b)]
- maps = ½ [F(a, a) − F(a, b) + F(b, a) − F(b, b)]
- own = ½ [F(a, a) − F(a, b) + F(b, b) − F(b, a)]

are the main effects of network and map, and their interaction, of a 2 × 2 design. The difference
of the usual scores is the sum of the first two, F(a, a) − F(b, b) = networks + maps. `maps`
compares the maps on the same two networks: robustness to deletion, and how confident the networks
are, cancel. `own` is the advantage of a network's own map over that of the other.

F is the area under the insertion curve, or minus that under the deletion curve
(`faithfulness.measure`), so that more is more faithful. Both maps have to explain the same class.

Won, Bae and Kim (2023) compare networks with and without mixed images for the same reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, product
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn

from campare import faithfulness, statistics
from campare.design import Model
from campare.sizes import Size
from campare.statistics import Interval
from campare.store import Store

Doubles = NDArray[np.float64]

MODEL, PARTNER = "model", "partner"
TERMS = DIFFERENCE, NETWORKS, MAPS, OWN = "difference", "networks", "maps", "own"
SIGNS = {"deletion": -1, "insertion": 1}


def measure(
    networks: Mapping[str, tuple[nn.Module, Mapping[str, Any]]],
    images: NDArray[np.uint8],
    stores: Mapping[str, Store],
    *,
    input_size: Size,
    steps: int,
    blur: float,
    seed: int,
    batch_size: int,
    device: torch.device,
) -> pd.DataFrame:
    """Areas under the curves of two networks, each with its own maps and with the other's.

    Parameters
    ----------
    networks
        `MODEL` and `PARTNER` → network and metadata (mean, std), as from `models.load`.
    images, stores
        uint8 (N, H, W, C), and the rows of these images in the two stores, which explain the same
        classes.
    input_size, steps, blur, seed, batch_size, device
        As for `faithfulness.measure`.

    Returns
    -------
    DataFrame
        index, network, map (each `MODEL` or `PARTNER`), deletion, insertion (areas); no rows for
        no images.
    """
    if len(images) == 0:
        return pd.DataFrame(columns=["index", "network", "map", *SIGNS])
    rows = []
    for name, other in ((MODEL, PARTNER), (PARTNER, MODEL)):
        network, about = networks[name]
        curves = faithfulness.measure(
            network,
            images,
            stores[name],
            mean=about["mean"],
            std=about["std"],
            input_size=input_size,
            steps=steps,
            road=[],
            blur=blur,
            seed=seed,
            batch_size=batch_size,
            device=device,
            others={other: stores[other].maps},
        )
        rows.append(_areas(pd.concat(curves), name))
    return pd.concat(rows, ignore_index=True)


def _areas(curves: pd.DataFrame, network: str) -> pd.DataFrame:
    """Areas under the curves of a network, a row per map and image."""
    return pd.concat(
        pd.DataFrame(
            {"index": np.unique(rows["index"]), "network": network}
            | {"map": network if which == faithfulness.OWN else which}
            | faithfulness.areas(rows)
        )
        for which, rows in curves.groupby("map", sort=False)
    )


def terms(table: pd.DataFrame, measure: str) -> pd.DataFrame:
    """The terms (`TERMS`, columns) of every image (rows) of a pair, from a table of `measure`."""
    signed = table.assign(score=SIGNS[measure] * table[measure])
    scores = signed.pivot_table("score", "index", ["network", "map"])
    cells = list(product((MODEL, PARTNER), repeat=2))
    aa, ab, ba, bb = (scores.reindex(columns=cells)[cell] for cell in cells)
    return pd.DataFrame(
        {
            DIFFERENCE: aa - bb,
            NETWORKS: (aa + ab - ba - bb) / 2,
            MAPS: (aa - ab + ba - bb) / 2,
            OWN: (aa - ab + bb - ba) / 2,
        }
    )


def by_pair(pairs: Sequence[tuple[Model, Model]], measured: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Means over images of every pair of networks.

    Parameters
    ----------
    pairs, measured
        (model, its partner), and the table of `measure`, of each.

    Returns
    -------
    DataFrame
        augmentation, seed, partner_seed, measure, term, images (with the same explained class),
        mean.
    """
    return pd.DataFrame(
        {"augmentation": augmentation, "seed": k, "partner_seed": partner}
        | {"measure": measure, "term": term, "images": len(values), "mean": values[term].mean()}
        for ((augmentation, k), (_, partner)), table in zip(pairs, measured, strict=True)
        for measure in SIGNS
        for values in [terms(table, measure)]
        for term in TERMS
    )


def summary(
    pairs: Sequence[tuple[Model, Model]], measured: Sequence[pd.DataFrame], seed: int
) -> pd.DataFrame:
    """Means over the pairs of every augmentation, with intervals over pairs and images.

    Parameters
    ----------
    pairs, measured
        As in `by_pair`.
    seed
        Seed of the resampling.

    Returns
    -------
    DataFrame
        augmentation, measure, term, pairs, images (mean number with the same explained class),
        mean, low, high (95 %: `statistics.mean`; NaN if two pairs of the augmentation share a
        network, because the interval takes them as independent). Of the baseline: pairs of two
        baselines, in which only `own` has a sign of meaning.
    """
    arms: dict[str, list[tuple[tuple[Model, Model], pd.DataFrame]]] = {}
    for pair, table in zip(pairs, measured, strict=True):
        arms.setdefault(pair[0][0], []).append((pair, table))
    return pd.DataFrame(_summarised(arms, seed))


def _summarised(
    arms: Mapping[str, Sequence[tuple[tuple[Model, Model], pd.DataFrame]]], seed: int
) -> Iterator[dict[str, Any]]:
    for augmentation, of_arm in arms.items():
        tables = [table for _, table in of_arm]
        networks = list(chain.from_iterable(pair for pair, _ in of_arm))
        independent = len(set(networks)) == len(networks)
        images = float(np.mean([table["index"].nunique() for table in tables]))
        for measure in SIGNS:
            of_pairs = [terms(table, measure) for table in tables]
            for term in TERMS:
                values = pd.concat([pair[term] for pair in of_pairs], axis=1).to_numpy().T
                mean = statistics.mean(values, seed)
                interval = mean if independent else Interval(mean.mean, np.nan, np.nan)
                yield (
                    {"augmentation": augmentation, "measure": measure, "term": term}
                    | {"pairs": len(tables), "images": images}
                    | interval.columns("mean", "")
                )
