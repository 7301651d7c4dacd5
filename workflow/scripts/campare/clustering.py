"""Profiles of augmentations: which of them change the look alike, and how sure that is.

Throughout, `values` is float (metrics, augmentations, seeds, images): every metric of every model
against its baseline, NaN where it is undefined. As in `analysis.aggregate` an image's value is its
mean over the seeds that define it, and as in `analysis.correlation` two augmentations correlate
over the images that both define.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

from campare import statistics
from campare.statistics import Doubles, average

RESAMPLES = 1000
LIMIT = 1 - 1e-8


class Clusters(NamedTuple):
    """A hierarchy of augmentations, a row per cluster in the order in which they are joined.

    kept: bool (augmentations,), those in the tree, whose correlations are all defined. linkage:
    float (clusters, 4) as scipy has it, of the kept, in their order. clusters: bool (clusters,
    augmentations), who is in each; the last holds all. support: float (clusters,), the share of
    resamples in which exactly this cluster appears; resamples: of how many.
    """

    kept: NDArray[np.bool_]
    linkage: Doubles
    clusters: NDArray[np.bool_]
    support: Doubles
    resamples: int


class Counts(NamedTuple):
    """How often each pair is among the top of a metric, and what chance gives.

    counts: int (pairs,), pairs in the order of itertools.combinations; expected: of any pair by
    chance; p: float (pairs,), how often a pair reaches that count by chance; p_any: how often any
    of all pairs does, so corrected for looking at all of them.
    """

    counts: NDArray[np.int64]
    expected: float
    p: Doubles
    p_any: Doubles


def correlations(values: ArrayLike) -> Doubles:
    """Pearson correlations of the augmentations, per metric: (metrics, A, A).

    NaN where fewer than two images are defined in both, or one is constant over them.
    """
    of_metrics = np.asarray(values, np.float64)
    ones = np.ones(of_metrics.shape[1:3])
    return np.array(
        [_correlation(metric, ones, np.ones(of_metrics.shape[3])) for metric in of_metrics]
    )


def combined(correlations: ArrayLike) -> Doubles:
    """One correlation map of all metrics: (metrics, A, A) to (A, A).

    The mean of Fisher's z = artanh r, back by tanh: a mean of r itself is biased towards zero, the
    more so the stronger the correlations (Silver and Dunlap 1987). Every metric counts alike, of
    those that define a pair.
    """
    r = np.asarray(correlations, np.float64)
    # A metric in which two augmentations are the same has z = ∞, and would silence all others.
    mean = np.tanh(average(np.arctanh(np.clip(r, -LIMIT, LIMIT)), 0))
    return np.where(np.eye(r.shape[-1], dtype=bool) & ~np.isnan(mean), 1, mean)


def clusters(
    values: ArrayLike, seed: int, draws: int = RESAMPLES, *, paired: bool = False
) -> list[Clusters]:
    """The tree of each metric, then that of all of them combined, and how stable each cluster is.

    Average linkage of the distances 1 − r. The stability of a cluster is the share of resamples
    whose tree has it too, member for member (Felsenstein 1985, there of sites of a sequence). A
    resample draws images, the same for all, and seeds, and leads to trees by the same way. It is
    left out where a correlation is undefined.

    Parameters
    ----------
    paired
        Whether the models of a seed have something in common in all augmentations, such as the
        baseline they are compared with; then seeds are drawn the same for all augmentations.
    """
    of_metrics = np.asarray(values, np.float64)
    _, augmentations, seeds, images = of_metrics.shape
    observed = correlations(of_metrics)
    trees = [_tree(r) for r in [*observed, combined(observed)]]
    hits = [np.zeros(len(clusters)) for _, _, clusters in trees]
    counted = np.zeros(len(trees), int)
    rng = np.random.default_rng(seed)
    for _ in range(draws):
        of_seeds = statistics.resampled(rng, 1 if paired else augmentations, seeds)
        weights = np.broadcast_to(of_seeds, (augmentations, seeds))
        of_images = statistics.resampled(rng, 1, images)[0]
        drawn = np.array([_correlation(metric, weights, of_images) for metric in of_metrics])
        for place, r in enumerate([*drawn, combined(drawn)]):
            kept, _, clusters = trees[place]
            part = r[np.ix_(kept, kept)]
            if np.isnan(part).any():
                continue
            again = {row.tobytes() for row in _clusters(_linkage(part), kept)}
            hits[place] += [row.tobytes() in again for row in clusters]
            counted[place] += 1
    with np.errstate(invalid="ignore"):
        return [
            Clusters(*tree, hit / n, int(n))
            for tree, hit, n in zip(trees, hits, counted, strict=True)
        ]


def by_chance(values: ArrayLike, top: int, seed: int, draws: int = 999) -> tuple[Counts, Counts]:
    """What tables 5.1 and 5.2 would be by chance: the strongest pairs, and the weakest.

    The null: augmentations make no difference, so the models of a seed could have been of any of
    them. A draw permutes the augmentations' labels among the models of each seed, one model in all
    its metrics and images together, and then averages, correlates, ranks and counts as
    `analysis.top_pairs` does. So metrics stay as dependent as they are, images too, and what comes
    from one model being unlike another is chance; permuting images instead would take them for
    independent, and a model's luck for an effect. The observed order counts as one of the draws.

    With one seed nothing can be shown: labels are all that changes, and p_any of the highest count
    is 1.

    Parameters
    ----------
    top
        Pairs taken from each metric: four in the thesis.
    """
    of_metrics = np.asarray(values, np.float64)
    _, augmentations, seeds, _ = of_metrics.shape
    rng = np.random.default_rng(seed)
    orders = np.tile(np.arange(augmentations)[:, None], (draws + 1, 1, seeds))
    orders[1:] = rng.permuted(orders[1:], axis=1)
    columns = np.triu_indices(augmentations, 1)
    tables = np.empty((2, draws + 1, len(columns[0])), np.int64)
    for draw, order in enumerate(orders):
        r = correlations(of_metrics[:, order, np.arange(seeds)])[:, *columns]
        tables[:, draw] = _counts(-r, top), _counts(r, top)
    strongest, weakest = (_against_chance(table) for table in tables)
    return strongest, weakest


def _against_chance(table: NDArray[np.int64]) -> Counts:
    """From counts (1 + draws, pairs), the observed first."""
    counts, highest = table[0], table.max(axis=1)
    p = np.array([np.mean(table >= count) for count in counts])
    p_any = np.array([np.mean(highest >= count) for count in counts])
    return Counts(counts, float(table.mean()), p, p_any)


def _counts(ranked: Doubles, top: int) -> NDArray[np.int64]:
    """How often each pair is among the lowest `top` of a metric: (metrics, pairs) to (pairs,)."""
    first = np.argsort(ranked, axis=1, kind="stable")[:, :top]
    defined = ~np.isnan(np.take_along_axis(ranked, first, axis=1))
    return np.bincount(first[defined], minlength=ranked.shape[1])


def _correlation(values: Doubles, seeds: Doubles, images: Doubles) -> Doubles:
    """Of one metric (A, S, N), its seeds weighted by (A, S) and its images by (N,): (A, A)."""
    defined = ~np.isnan(values)
    # About zero, so that no digits are lost in squares.
    centre = average(average(values, 2), 1)
    with np.errstate(invalid="ignore"):
        x = (seeds[:, None] @ np.where(defined, values - centre[:, None, None], 0))[:, 0]
        x /= (seeds[:, None] @ defined)[:, 0]
        here = ~np.isnan(x)
        x = np.where(here, x, 0)
        weighed = x * images
        n = (here * images) @ here.T
        one, square = weighed @ here.T, (weighed * x) @ here.T
        spread = n * square - one**2
        # What rounding leaves of a constant is no spread.
        spread = np.where(spread > 1e-12 * n * square, spread, np.nan)
        r = (n * (weighed @ x.T) - one * one.T) / np.sqrt(spread * spread.T)
    return np.asarray(np.clip(r, -1, 1))


def _tree(r: Doubles) -> tuple[NDArray[np.bool_], Doubles, NDArray[np.bool_]]:
    """kept, linkage and clusters of a `Clusters`.

    The augmentation with most undefined correlations is taken out until none is undefined.
    """
    kept = np.ones(len(r), bool)
    while np.isnan(r[np.ix_(kept, kept)]).any():
        undefined = np.isnan(r[:, kept]).sum(axis=1)
        kept[np.where(kept, undefined, -1).argmax()] = False
    linkage = _linkage(r[np.ix_(kept, kept)])
    return kept, linkage, _clusters(linkage, kept)


def _linkage(r: Doubles) -> Doubles:
    if len(r) < 2:
        return np.empty((0, 4))
    distances = squareform(1 - (r + r.T) / 2, checks=False)
    return np.asarray(hierarchy.linkage(distances, "average"))


def _clusters(linkage: Doubles, kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Who is in each cluster of a linkage of the kept: bool (clusters, augmentations)."""
    members = list(np.eye(len(kept), dtype=bool)[kept])
    for first, second in linkage[:, :2].astype(int):
        members.append(members[first] | members[second])
    return np.array(members[kept.sum() :], bool).reshape(len(linkage), len(kept))
