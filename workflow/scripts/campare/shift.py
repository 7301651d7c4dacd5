"""How far an augmentation shifts the maps beyond retraining variability.

Two models that differ in nothing but their seed have different maps too. So the distances between
two arms of models, augmented (A) and reference (B), are set against those within them:

- net distance N = AB − BB: how much farther an augmented model's maps are from a reference
  model's than another reference model's are;
- tightening T = ½(BB − AA): how much more alike the maps of augmented models are among themselves;
- shift E = N + T = AB − ½(AA + BB): half the energy distance of the arms (Székely and Rizzo 2013).
  For a positive-definite similarity s and distance 1 − s it is ½‖μ_A − μ_B‖², μ the mean maps of
  the arms in the feature space of s. It can be positive where N is not;
- noise-corrected similarity c = s_AB / √(s_AA · s_BB): 1 where the arms differ no more than
  retraining makes models differ (Spearman 1904, the correction for attenuation).

AA, AB and BB are means over pairs of different models that share no seed. Throughout, `distances`
is float (pairs, images): any metric that grows as maps become less alike, for all pairs of models
of both arms, NaN where it is undefined; `pairs` is int (pairs, 2), the models of each; `augmented`
is bool (models,), the arm of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from campare import statistics
from campare.statistics import ALPHA, DRAWS, QUANTILE, Doubles, Interval, Test, average

# A pair's kind is how many of its models are augmented: BB, AB, AA. Their weights in each contrast:
NET = np.array([-1.0, 1.0, 0.0])
TIGHTENING = np.array([0.5, 0.0, -0.5])
SHIFT = NET + TIGHTENING


class Shift(NamedTuple):
    """The contrasts of two arms, two tests, and the mean distances BB, AB and AA."""

    net: Interval
    tightening: Interval
    shift: Interval
    similarity: Interval
    tightening_test: Test
    shift_test: Test
    kinds: Doubles


def shift(
    distances: ArrayLike,
    pairs: ArrayLike,
    augmented: ArrayLike,
    seed: int,
    *,
    identical: float | None = None,
    paired: Sequence[tuple[int, int]] = (),
) -> Shift:
    """Net distance, tightening, shift and noise-corrected similarity, with intervals and tests.

    The tests permute the labels of models, augmented or reference (`statistics.relabellings`),
    never images, since those of a model are not independent. The shift is tested one-sided, the
    tightening two-sided. A small p of the shift says that the arms are not exchangeable: a
    tightening alone can do that too, and then the shift is small and c is near 1.

    The interval of the net distance is of 95 %, 2·t·SE wide. That of the tightening is of 95 % and
    inverts its test: it excludes zero where p ≤ 0.05, and only there. Those of the shift and of c
    are of 90 %, each end one-sided at 5 % as the test is, and the end towards no shift inverts that
    test in the same way (`inverted`).

    Parameters
    ----------
    identical
        The metric's value for two identical maps where it is a similarity, identical − distance;
        None where it is none, and c is undefined.
    paired
        Pairs of models, one of each arm, that share a seed; all models, or none.

    Returns
    -------
    Shift
        NaN is what is undefined: what needs pairs within an arm where it has one model, and the
        interval of a test that so few models cannot pass.
    """
    d, pair, arm = _arrays(distances, pairs, augmented)
    means = average(d, 1)
    kind = arm[pair].sum(axis=1)
    kinds = np.array([average(means[kind == k]) for k in range(3)])
    table, errors = matrix(means, pair, len(arm)), _Errors(d, pair, arm)
    scale = float(np.nanmax(np.abs(means), initial=0))
    labels, outcome = _relabelled(table, arm, seed, paired)
    permuted = _kinds(table, labels)

    def test(statistic: Doubles, observed: float) -> Test:
        if outcome.words:
            return outcome
        return Test(statistics.permutation_p(statistic, observed, scale), outcome.least, "")

    def ends(statistic: Doubles, observed: float, weights: Doubles) -> Interval:
        if outcome.words or np.isnan(observed):
            return Interval(observed, np.nan, np.nan)
        return inverted(observed, statistic, *errors.of_effect(weights), scale)

    tightening, moved = float(TIGHTENING @ kinds), float(SHIFT @ kinds)
    sizes, shifts = np.abs(TIGHTENING @ permuted), SHIFT @ permuted
    reach = np.nan if outcome.words else statistics.critical(sizes, scale)
    # c by its logarithm, which is a contrast of the three means' logarithms.
    s = np.full(3, np.nan) if identical is None else identical - kinds
    apart = ends(-_logarithm(permuted, identical), -float(_logarithm(kinds, identical)), SHIFT / s)
    return Shift(
        errors.interval(float(NET @ kinds), NET),
        Interval(tightening, tightening - reach, tightening + reach),
        ends(shifts, moved, SHIFT),
        Interval(*(float(np.exp(-value)) for value in (apart.mean, apart.high, apart.low))),
        test(sizes, abs(tightening)),
        test(shifts, moved),
        kinds,
    )


def refused(kinds: Doubles, words: str) -> Shift:
    """What is said of arms whose distances do not compare, and why."""
    unknown, test = Interval(np.nan, np.nan, np.nan), Test(np.nan, np.nan, words)
    return Shift(unknown, unknown, unknown, unknown, test, test, kinds)


def inverted(
    estimate: float, permuted: Doubles, variance: float, freedom: float, scale: float
) -> Interval:
    """A 90 % interval of a contrast that is zero where arms are exchangeable, each end at 5 %.

    Where the truth is zero, the estimate varies as the permuted statistic does. Where it is e, what
    single models add does not cancel, and its variance grows as e does: here `variance` at the
    estimate, with t of `freedom`. The ends are the e whose 5 % limits, √(q² + t²·variance·e/ê) from
    e, are the estimate; q is the critical value of the permuted statistic on that side, and
    ê = estimate + q, since at a small estimate the variance is mostly noise. So zero lies outside
    where the test has p ≤ 0.05, and only there.

    Parameters
    ----------
    permuted
        float (ways,): the statistic of every relabelling.
    scale
        As in `statistics.permutation_p`.
    """
    above, below = (statistics.critical(side * permuted, scale) for side in (1, -1))
    t = special.stdtrit(freedom, 1 - ALPHA)
    spread = t**2 * variance / (estimate + above) if estimate > 0 and variance > 0 else 0.0
    middle = estimate + spread / 2
    low, high = (
        middle + side * np.sqrt(middle**2 - estimate**2 + q**2)
        for side, q in ((-1, above), (1, below))
    )
    return Interval(estimate, float(low), float(high))


def _logarithm(kinds: Doubles, identical: float | None) -> Doubles:
    """log c of the mean distances (3, …) of the kinds; NaN where a similarity is not positive."""
    if identical is None:
        return np.full(kinds.shape[1:], np.nan)
    s = identical - kinds
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(SHIFT @ np.log(np.where(s > 0, s, np.nan)))


def matrix(means: ArrayLike, pairs: ArrayLike, models: int) -> Doubles:
    """Each pair's distance (pairs,) in a symmetric (models, models); NaN where there is none."""
    table = np.full((models, models), np.nan)
    first, second = np.asarray(pairs).T
    table[first, second] = table[second, first] = means
    return table


def _relabelled(
    table: Doubles, arm: NDArray[np.bool_], seed: int, paired: Sequence[tuple[int, int]]
) -> tuple[Doubles, Test]:
    """Labels (ways, models) of the permutation test; its least p, and words where it is refused.

    Models without any defined distance keep their label, and so have no part in it.
    """
    some = np.asarray(~np.isnan(table).all(axis=1))
    n, m = int((arm & some).sum()), int((~arm & some).sum())
    observed = arm[None].astype(np.float64)
    if min(n, m) < 2:
        words = "too few models: each arm needs two with defined distances"
        return observed, Test(np.nan, np.nan, words)
    place = np.cumsum(some) - 1
    pairs = [(place[a], place[b]) for a, b in paired if some[a] and some[b]]
    if 2 * len(pairs) != n + m:
        pairs = []
    among, least = statistics.relabellings(arm[some], seed, pairs)
    words = statistics.too_few(least) if least > ALPHA else ""
    if not words and np.isnan(_kinds(table, observed)).any():
        words = "undefined: a kind of pair has no defined distance"
    labels = np.repeat(observed, len(among), axis=0)
    labels[:, some] = among
    return labels, Test(np.nan, least, words)


def _kinds(table: Doubles, labels: Doubles) -> Doubles:
    """Mean distances (3, ways) of BB, AB and AA under labels (ways, models), 1 for augmented."""
    defined = ~np.isnan(table)
    filled = np.where(defined, table, 0)
    others = 1 - labels

    def mean(rows: Doubles, columns: Doubles) -> Doubles:
        with np.errstate(invalid="ignore"):
            return np.asarray(
                ((rows @ filled) * columns).sum(1) / ((rows @ defined) * columns).sum(1)
            )

    return np.stack([mean(others, others), mean(labels, others), mean(labels, labels)])


def superiority(
    distances: ArrayLike, pairs: ArrayLike, augmented: ArrayLike, seed: int, draws: int = DRAWS
) -> Interval:
    """How often an augmented model's map is farther from a baseline's than another baseline's is.

    The share of (image, augmented a, baselines b ≠ b′) with d(a, b) > d(b′, b), ties counted half:
    0.5 where augmentation does nothing, 1 where every image moved. It is A of Vargha and Delaney
    (2000), the effect size usual for randomised algorithms (Arcuri and Briand 2011), within images;
    Cliff's delta is 2A − 1. It needs neither a scale nor normal values. Its interval is as that of
    `statistics.difference`, with the jackknife's variance over the models of each arm.

    Memory: 4 bytes for each of images × n·m·(m − 1), of n augmented and m baseline models.

    Returns
    -------
    Interval
        NaN for fewer than two baselines; without ends for fewer than three, or one augmented.
    """
    d, pair, arm = _arrays(distances, pairs, augmented)
    place = np.full((len(arm), len(arm)), -1)
    place[pair[:, 0], pair[:, 1]] = place[pair[:, 1], pair[:, 0]] = np.arange(len(pair))
    ours, theirs = np.flatnonzero(arm), np.flatnonzero(~arm)
    triples = np.array([(a, b, c) for a in ours for b in theirs for c in theirs if b != c])
    if len(triples) == 0:
        return Interval(np.nan, np.nan, np.nan)
    farther = np.empty((len(triples), d.shape[1]), np.float32)
    for row, (a, b, c) in zip(farther, triples, strict=True):
        gap = d[place[a, b]] - d[place[c, b]]
        row[:] = (np.sign(gap) + 1) / 2
    means = average(farther, 1)
    estimate = float(average(means))
    if len(ours) < 2 or len(theirs) < 3 or d.shape[1] < 2:
        return Interval(estimate, np.nan, np.nan)
    parts = [_jackknife(means, triples, ours), _jackknife(means, triples, theirs)]
    parts.append(_of_images(average(farther, 0)))
    rng = np.random.default_rng(seed)
    drawn_means = statistics.image_means(farther, rng, draws)
    weights = _resampled_models(arm, rng, draws)[:, triples].prod(axis=2)
    drawn = statistics.weighted(drawn_means, weights)
    variance = sum(part for part, _ in parts)
    return statistics.interval(estimate, drawn, variance, statistics.satterthwaite(parts))


def _jackknife(
    means: Doubles, triples: NDArray[np.int64], models: NDArray[np.int64]
) -> tuple[float, int]:
    """Variance of the mean of triples by leaving out each model once, and of how many."""
    without = np.array([average(means[(triples != model).all(axis=1)]) for model in models])
    without = without[~np.isnan(without)]
    n = len(without)
    return float((n - 1) / n * ((without - without.mean()) ** 2).sum()) if n > 1 else np.nan, n


class _Errors:
    """Variances of weighted means of the three kinds of pairs, from their parts.

    Distances between the arms are taken as a mean, a row's, a column's and a rest; those within as
    a mean, what each of the two models adds and a rest; the rests vary alike.
    """

    def __init__(self, d: Doubles, pair: NDArray[np.int64], arm: NDArray[np.bool_]) -> None:
        self.arms = [np.flatnonzero(~arm), np.flatnonzero(arm)]
        self.sizes = [len(models) for models in self.arms]
        self.images = d.shape[1]
        kind = arm[pair].sum(axis=1)
        self.per_image = np.stack([average(d[kind == k], 0) for k in range(3)])
        table = matrix(average(d, 1), pair, len(arm))
        base, augmented = self.arms
        between = table[np.ix_(base, augmented)]
        self.rows = [average(between, 1), average(between, 0)]
        self.added = [_added(table[np.ix_(models, models)]) for models in self.arms]
        # One arm of one model leaves no rest to measure: what follows then takes nothing off.
        self.rest = self.image_rest = 0.0
        if min(self.sizes) > 1:
            self.rest = statistics.interaction(between)
            first, second = np.where(arm[pair[:, :1]], pair[:, ::-1], pair)[kind == 1].T
            cells = np.full((*self.sizes, self.images), np.nan)
            cells[np.searchsorted(base, first), np.searchsorted(augmented, second)] = d[kind == 1]
            self.image_rest = statistics.interaction_over(cells)

    def interval(self, estimate: float, weights: Doubles) -> Interval:
        """A contrast of the kinds with its 95 % interval, 2·t·SE wide.

        SE² adds the variances that come from single models and from images, less what both
        count twice. NaN where what models add within an arm of two would have to be known.
        """
        parts, counted, once = self._parts(weights)
        if min(self.sizes) < 2 or any(
            within and size < 3 for within, size in zip(weights[[0, 2]], self.sizes, strict=True)
        ):
            return Interval(estimate, np.nan, np.nan)
        of_models = sum(part for part, _ in parts) - (counted - once) * self.rest
        of_models = max(of_models, once * self.rest)
        images = _of_images(weights[weights != 0] @ self.per_image[weights != 0])
        both = of_models + images[0] - once * self.image_rest / self.images
        freedom = statistics.satterthwaite([*parts, images])
        reach = special.stdtrit(freedom, QUANTILE) * np.sqrt(max(of_models, images[0], both))
        return Interval(estimate, float(estimate - reach), float(estimate + reach))

    def of_effect(self, weights: Doubles) -> tuple[float, float]:
        """Variance of a contrast and its degrees of freedom, without what is left at no effect."""
        parts, counted, _ = self._parts(weights)
        images, _ = _of_images(weights @ self.per_image)
        of_models = max(sum(part for part, _ in parts) - counted * self.rest, 0.0)
        return of_models + images, statistics.satterthwaite(parts)

    def _parts(self, weights: Doubles) -> tuple[list[tuple[float, int]], float, float]:
        """What single models add to the variance of the weighted sum, by arm, and of how many.

        And how often the rest is counted in these, and in the variance itself.
        """
        between = weights[1]
        n, m = self.sizes
        parts, counted, once = [], 0.0, between**2 / (n * m)
        for arm, within in enumerate(weights[[0, 2]]):
            size = self.sizes[arm]
            effects = between * self.rows[arm]
            if within and size > 2:
                effects = effects + 2 * within * self.added[arm]
                counted += 4 * within**2 / (size * (size - 2))
            if within and size > 1:
                once += 2 * within**2 / (size * (size - 1))
            counted += between**2 / (n * m)
            defined = effects[~np.isnan(effects)]
            if len(defined) > 1:
                parts.append((float(defined.var(ddof=1) / len(defined)), len(defined)))
        return parts, counted, once


def _added(table: Doubles) -> Doubles:
    """What each model adds to its distances (n, n) within an arm, by least squares: (n,)."""
    n = len(table)
    if n < 3:
        return np.zeros(n)
    means = average(table, 1)
    return np.asarray((means - average(means)) * (n - 1) / (n - 2))


def _of_images(values: Doubles) -> tuple[float, int]:
    """Variance of the mean over images, and of how many."""
    defined = values[~np.isnan(values)]
    n = len(defined)
    return float(defined.var(ddof=1) / n) if n > 1 else np.nan, n


def _resampled_models(arm: NDArray[np.bool_], rng: np.random.Generator, draws: int) -> Doubles:
    """How often each model is drawn when each arm is resampled: (draws, models)."""
    counts = np.empty((draws, len(arm)))
    for side in (False, True):
        if (arm == side).any():
            counts[:, arm == side] = statistics.resampled(rng, draws, int((arm == side).sum()))
    return counts


def _arrays(
    distances: ArrayLike, pairs: ArrayLike, augmented: ArrayLike
) -> tuple[Doubles, NDArray[np.int64], NDArray[np.bool_]]:
    """The three as arrays, once it is sure that no pair of models is missing.

    Raises
    ------
    ValueError
        A pair is missing, there twice, or of a model with itself.
    """
    d = np.asarray(distances, np.float64)
    pair, arm = np.asarray(pairs, np.int64), np.asarray(augmented, bool)
    there = sorted(map(tuple, np.sort(pair, axis=1).tolist()))
    if there != list(combinations(range(len(arm)), 2)):
        raise ValueError("distances of all pairs of the models of both arms are needed, each once")
    return d, pair, arm
