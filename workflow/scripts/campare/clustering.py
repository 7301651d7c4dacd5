"""Clusters of augmentations that change the maps of the same images, and their stability.

In all functions `values` is float (metrics, augmentations, seeds, images): every metric of every
model against its baseline, NaN if undefined. As in `analysis.aggregate` the value of an image is
the mean over the seeds for which it is defined; as in `analysis.correlation` two augmentations are
correlated over the images for which both are defined.
"""

from __future__ import annotations

from typing import Any, NamedTuple

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
    float (clusters, 4), scipy's linkage matrix of the kept ones, in their order. clusters: bool
    (clusters, augmentations), the members of each; the last cluster has all. support: float
    (clusters,), share of the resamples whose tree contains exactly this cluster. resamples: their
    number.
    """

    kept: NDArray[np.bool_]
    linkage: Doubles
    clusters: NDArray[np.bool_]
    support: Doubles
    resamples: int


class Counts(NamedTuple):
    """Number of metrics in which each pair is among the top, and its null distribution.

    counts: int (pairs,), pairs in the order of itertools.combinations. expected: mean count of a
    pair under the null hypothesis. p: float (pairs,), probability under the null hypothesis that a
    pair, averaged over all pairs, has at least this count. p_any: float (pairs,), probability that
    the largest count of all pairs is at least this one, which corrects for multiple testing.
    """

    counts: NDArray[np.int64]
    expected: float
    p: Doubles
    p_any: Doubles


def correlations(values: ArrayLike) -> Doubles:
    """Pearson correlation over images between every two augmentations: (metrics, A, A).

    NaN if fewer than two images are defined in both, or one is constant over them.
    """
    of_metrics = np.asarray(values, np.float64)
    ones = np.ones(of_metrics.shape[1:3])
    return np.array(
        [_correlation(metric, ones, np.ones(of_metrics.shape[3])) for metric in of_metrics]
    )


def combined(correlations: ArrayLike) -> Doubles:
    """One correlation matrix of all metrics: (metrics, A, A) to (A, A).

    tanh of the mean of Fisher's z = artanh r over the metrics that define a pair, with equal
    weights. A mean of r itself is biased towards zero, the more so for strong correlations (Silver
    and Dunlap 1987).
    """
    r = np.asarray(correlations, np.float64)
    # A metric in which two augmentations are identical has z = ∞, and would dominate all others.
    mean = np.tanh(average(np.arctanh(np.clip(r, -LIMIT, LIMIT)), 0))
    return np.where(np.eye(r.shape[-1], dtype=bool) & ~np.isnan(mean), 1, mean)


def clusters(
    values: ArrayLike, seed: int, draws: int = RESAMPLES, *, paired: bool = False
) -> list[Clusters]:
    """The tree of each metric, then that of all metrics combined, with the support of clusters.

    Trees are made by average linkage of the distances 1 − r. The support of a cluster is the share
    of bootstrap resamples whose tree contains exactly this cluster (Felsenstein 1985, there for
    sites of a sequence). A resample draws images, the same ones for all augmentations, and seeds.
    Resamples in which a correlation is undefined are left out.

    Parameters
    ----------
    paired
        Whether the models of a seed have something in common in all augmentations, such as the
        baseline that they are compared with. Then the same seeds are drawn for all augmentations,
        otherwise seeds are drawn for each augmentation.
    """
    of_metrics = np.asarray(values, np.float64)
    _, augmentations, seeds, images = of_metrics.shape
    observed = correlations(of_metrics)
    trees = [_tree(r) for r in [*observed, combined(observed)]]
    hits = [np.zeros(len(clusters)) for _, _, clusters in trees]
    counted = np.zeros(len(trees), int)
    rng = np.random.default_rng(seed)
    prepared = [_Metric(metric, _centres(metric)) for metric in of_metrics]
    for _ in range(draws):
        of_seeds = statistics.resampled(rng, 1 if paired else augmentations, seeds)
        weights = np.broadcast_to(of_seeds, (augmentations, seeds))
        of_images = statistics.resampled(rng, 1, images)[0]
        drawn = np.array([metric.resampled(weights, of_images) for metric in prepared])
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
    """Permutation tests of the thesis's tables 5.1 and 5.2: the strongest and the weakest pairs.

    Null hypothesis: augmentations have no effect, so that the models of a seed are exchangeable
    between augmentations. A draw permutes the labels of the augmentations among the models of each
    seed, and then averages, correlates, ranks and counts as `analysis.top_pairs` does. A model
    keeps all its metrics and images, so the dependence between metrics and between images is
    preserved, and differences between single models are part of the null distribution. (Permuting
    images instead would treat them as independent, and differences between single models as
    effects.) The observed labelling is one of the draws.

    With one seed no effect can be detected: a draw only renames the models, and p_any of the
    highest count is 1.

    Parameters
    ----------
    top
        Number of pairs taken from each metric: four in the thesis.

    Returns
    -------
    strongest, weakest
        Counts of the pairs with the highest, and with the lowest correlations.
    """
    of_metrics = np.asarray(values, np.float64)
    _, augmentations, seeds, _ = of_metrics.shape
    rng = np.random.default_rng(seed)
    orders = np.tile(np.arange(augmentations)[:, None], (draws + 1, 1, seeds))
    orders[1:] = rng.permuted(orders[1:], axis=1)
    columns = np.triu_indices(augmentations, 1)
    tables = np.empty((2, draws + 1, len(columns[0])), np.int64)
    prepared = [_Metric(m, np.repeat(average(m), augmentations)) for m in of_metrics]
    for draw, order in enumerate(orders):
        # The observed counts are those of the table of correlations, also if some are equal.
        drawn = [metric.relabelled(order) for metric in prepared] if draw else correlations(values)
        r = np.array(drawn)[:, *columns]
        tables[:, draw] = _counts(-r, top), _counts(r, top)
    strongest, weakest = (_against_chance(table) for table in tables)
    return strongest, weakest


def _against_chance(table: NDArray[np.int64]) -> Counts:
    """Observed counts and p-values from counts (1 + draws, pairs), the observed ones first."""
    counts, highest = table[0], table.max(axis=1)
    distinct, place = np.unique(counts, return_inverse=True)
    p = np.array([np.mean(table >= count) for count in distinct])
    p_any = np.array([np.mean(highest >= count) for count in distinct])
    return Counts(counts, float(table.mean()), p[place], p_any[place])


def _counts(ranked: Doubles, top: int) -> NDArray[np.int64]:
    """In how many metrics each pair is among the lowest `top`: (metrics, pairs) to (pairs,)."""
    first = np.argsort(ranked, axis=1, kind="stable")[:, :top]
    defined = ~np.isnan(np.take_along_axis(ranked, first, axis=1))
    return np.bincount(first[defined], minlength=ranked.shape[1])


def _centres(values: Doubles) -> Doubles:
    """The mean of each augmentation: (A, S, N) to (A,)."""
    return average(average(values, 2), 1)


def _correlation(values: Doubles, seeds: Doubles, images: Doubles) -> Doubles:
    """Weighted correlation matrix (A, A) of one metric.

    values: (A, S, N), NaN if undefined. seeds: (A, S) and images: (N,), weights of each.
    """
    defined = ~np.isnan(values)
    # Centred, so that squares lose no digits.
    filled = np.where(defined, values - _centres(values)[:, None, None], 0)
    return _pearson(*_moments(filled, defined, seeds, images))


# Weighted sums over images for each two augmentations, (A, A): n of ones, of x, of x² and of the
# product of the two, over the images that define both. x is the mean over seeds of the first one.
_Moments = tuple[Doubles, Doubles, Doubles, Doubles]


def _moments(
    filled: Doubles, defined: NDArray[np.bool_], seeds: Doubles, images: Doubles
) -> _Moments:
    """`_Moments` of values (A, S, N), 0 where they are not `defined`."""
    with np.errstate(invalid="ignore"):
        x = (seeds[:, None] @ filled)[:, 0]
        x /= (seeds[:, None] @ defined)[:, 0]
    has_value = ~np.isnan(x)
    x = np.where(has_value, x, 0)
    weighted = x * images
    n = (has_value * images) @ has_value.T
    return n, weighted @ has_value.T, (weighted * x) @ has_value.T, weighted @ x.T


def _pearson(n: Doubles, one: Doubles, square: Doubles, product: Doubles) -> Doubles:
    """Correlation matrix (A, A) from `_Moments`."""
    spread = n * square - one**2
    # A spread as small as rounding errors of a constant counts as zero.
    spread = np.where(spread > 1e-12 * n * square, spread, np.nan)
    with np.errstate(invalid="ignore"):
        r = (n * product - one * one.T) / np.sqrt(spread * spread.T)
    return np.asarray(np.clip(r, -1, 1))


class _Metric:
    """Correlation matrices of one metric's values (A, S, N) for many weights or labels of models.

    The same as `_correlation`, but for rounding. Images that all models define need no counting of
    seeds. For a relabelling their moments follow from the products of each two models.
    """

    def __init__(self, values: Doubles, centres: Doubles) -> None:
        """centres: (A,), subtracted so that squares lose few digits; equal for `relabelled`."""
        centred = values - centres[:, None, None]
        self.whole = ~np.isnan(values).any(axis=(0, 1))
        self.complete = np.ascontiguousarray(centred[..., self.whole])
        rest = centred[..., ~self.whole]
        self.defined = ~np.isnan(rest)
        self.filled = np.where(self.defined, rest, 0)
        models, images = values[..., 0].size, self.complete.shape[2]
        of_models = self.complete.reshape(models, images)
        self.sums, self.products = of_models.sum(axis=1), of_models @ of_models.T

    def resampled(self, seeds: Doubles, images: Doubles) -> Doubles:
        """With weights of the seeds (A, S) and of the images (N,)."""
        weights = images[self.whole]
        x = ((seeds / seeds.sum(axis=1, keepdims=True))[:, None] @ self.complete)[:, 0]
        weighted = x * weights
        rest = self.filled, self.defined, seeds, images[~self.whole]
        return _with_rest(weights.sum(), weighted.sum(axis=1), weighted @ x.T, *rest)

    def relabelled(self, order: NDArray[np.int64]) -> Doubles:
        """With order[a, s] in place of the augmentation of a model of seed s."""
        augmentations, seeds = order.shape
        place = order * seeds + np.arange(seeds)
        shares = np.zeros((augmentations, len(self.sums)))
        np.put_along_axis(shares, place, 1 / seeds, axis=1)
        rest = (a[order, np.arange(seeds)] for a in (self.filled, self.defined))
        ones = np.ones(order.shape), np.ones(self.filled.shape[2])
        complete = shares @ self.sums, shares @ self.products @ shares.T
        return _with_rest(self.complete.shape[2], *complete, *rest, *ones)


def _with_rest(n: float, one: Doubles, product: Doubles, *rest: Any) -> Doubles:
    """Correlations from the sums over complete images (of ones, x, products), and the others.

    rest: arguments of `_moments` for the other images.
    """
    moments: Any = np.float64(n), one[:, None], np.diag(product)[:, None], product
    if rest[0].shape[2]:
        moments = (a + b for a, b in zip(moments, _moments(*rest), strict=True))
    return _pearson(*moments)


def _tree(r: Doubles) -> tuple[NDArray[np.bool_], Doubles, NDArray[np.bool_]]:
    """kept, linkage and clusters of a `Clusters`.

    The augmentation with most undefined correlations is removed until all are defined.
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
    """Members of each cluster of a linkage of the kept ones: bool (clusters, augmentations)."""
    members = list(np.eye(len(kept), dtype=bool)[kept])
    for first, second in linkage[:, :2].astype(int):
        members.append(members[first] | members[second])
    return np.array(members[kept.sum() :], bool).reshape(len(linkage), len(kept))
