"""How far an augmentation shifts the maps beyond retraining variability.

Models that differ only in their seeds have different maps, too. Therefore the distances between two
arms of models, augmented (A) and reference (B), are compared with the distances within the arms:

- net distance N = AB − BB: how much larger the distance of an augmented model's maps from a
  reference model's maps is than the distance between two reference models' maps;
- tightening T = ½(BB − AA): how much smaller the distances among augmented models are than those
  among reference models, halved;
- shift E = N + T = AB − ½(AA + BB): half the energy distance of the arms (Székely and Rizzo 2013).
  For a positive-definite similarity s and the distance 1 − s, E = ½‖μ_A − μ_B‖², where μ are the
  mean maps of the arms in the feature space of s. E can be positive when N is not;
- noise-corrected similarity c = s_AB / √(s_AA · s_BB): 1 if models of different arms are as similar
  as models of one arm (Spearman 1904, the correction for attenuation).

AA, AB and BB are means over pairs of different models that share no seed, and over images. In all
functions `distances` is float (pairs, images), a metric that grows as two maps become less alike,
for all pairs of models of both arms, NaN if undefined; `pairs` is int (pairs, 2), the places of the
two models; `augmented` is bool (models,), whether a model is augmented.
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

# The kind of a pair is its number of augmented models: 0 (BB), 1 (AB), 2 (AA). A contrast is a sum
# of the mean distances of the kinds with these weights.
NET = np.array([-1.0, 1.0, 0.0])
TIGHTENING = np.array([0.5, 0.0, -0.5])
SHIFT = NET + TIGHTENING


class Shift(NamedTuple):
    """Contrasts of two arms with intervals, two tests, and the mean distances (BB, AB, AA)."""

    net: Interval
    tightening: Interval
    shift: Interval
    noise_corrected_similarity: Interval
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

    Null hypothesis of both tests: the models of the two arms are exchangeable. The tests permute
    the labels of models, augmented or reference (`statistics.relabellings`), never images, because
    the maps of one model are not independent. The test of the shift is one-sided (E > 0), that of
    the tightening two-sided. A small p of the shift rejects exchangeability. A tightening alone can
    cause it as well; then the shift is small and c is near 1.

    Intervals:

    - net distance: 95 %, estimate ± t·SE over models and images;
    - tightening: 95 %, estimate ± the critical value of its permutation test; so it excludes zero
      if and only if p ≤ 0.05;
    - shift and c: 90 %, each end a one-sided limit at 5 %. The end towards no shift excludes it if
      and only if p ≤ 0.05 (`inverted`).

    Parameters
    ----------
    identical
        The metric's value for two identical maps, if it is a similarity, which is then `identical`
        − distance; None for other metrics, for which c is undefined.
    paired
        Pairs of places of models, one of each arm, that share a seed; of all models, or empty.

    Returns
    -------
    Shift
        Undefined values are NaN: those that need pairs within an arm of one model, intervals from a
        test whose smallest possible p-value is above 0.05, and intervals and tests of one image.
    """
    d, pair, arm = _arrays(distances, pairs, augmented)
    means = average(d, 1)
    kind = arm[pair].sum(axis=1)
    kinds = np.array([average(means[kind == k]) for k in range(3)])
    if d.shape[1] < 2:
        untested = Test(np.nan, np.nan, "too few images: a test needs two")
        corrected = float(np.exp(_logarithm(kinds, identical)))
        of_net, of_tightening, of_shift = (
            _alone(float(weights @ kinds)) for weights in (NET, TIGHTENING, SHIFT)
        )
        return Shift(of_net, of_tightening, of_shift, _alone(corrected), untested, untested, kinds)
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

    tightening, effect = float(TIGHTENING @ kinds), float(SHIFT @ kinds)
    sizes, shifts = np.abs(TIGHTENING @ permuted), SHIFT @ permuted
    reach = np.nan if outcome.words else statistics.critical(sizes, scale)
    # The interval of c is that of −log c, a contrast of the logarithms of the three similarities.
    s = np.full(3, np.nan) if identical is None else identical - kinds
    minus_log = ends(
        -_logarithm(permuted, identical), -float(_logarithm(kinds, identical)), SHIFT / s
    )
    return Shift(
        errors.interval(float(NET @ kinds), NET),
        Interval(tightening, tightening - reach, tightening + reach),
        ends(shifts, effect, SHIFT),
        Interval(
            *(float(np.exp(-value)) for value in (minus_log.mean, minus_log.high, minus_log.low))
        ),
        test(sizes, abs(tightening)),
        test(shifts, effect),
        kinds,
    )


def _alone(estimate: float) -> Interval:
    """An estimate without an interval."""
    return Interval(estimate, np.nan, np.nan)


def refused(kinds: Doubles, words: str) -> Shift:
    """A result without estimates, for arms whose distances are not comparable; `words`: why."""
    unknown, test = Interval(np.nan, np.nan, np.nan), Test(np.nan, np.nan, words)
    return Shift(unknown, unknown, unknown, unknown, test, test, kinds)


def inverted(
    estimate: float, permuted: Doubles, variance: float, freedom: float, scale: float
) -> Interval:
    """90 % interval of a contrast that is zero if the arms are exchangeable; 5 % beyond each end.

    If the true contrast is zero, the estimate is distributed as the permuted statistic is. If it is
    e > 0, the effects of single models do not cancel, and contribute a variance that grows
    in proportion to e; `variance` is its value at the estimate. So the distance between e and
    its 5 % limit is √(q² + t²·variance·e/ê). q is the critical value of the permuted statistic on
    that side, t Student's quantile with `freedom` degrees of freedom, and ê = estimate + q instead
    of the estimate, because at a small estimate the variance is mostly noise. Each end of the
    interval is the e whose 5 % limit is the estimate. The interval excludes zero if and only if the
    one-sided permutation test has p ≤ 0.05.

    Parameters
    ----------
    estimate
        The observed contrast.
    permuted
        float (labellings,): the statistic of every relabelling.
    variance, freedom
        Variance of the estimate and its degrees of freedom (`_Errors.of_effect`).
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
    """log c from mean distances (3, …) of BB, AB, AA; NaN if a similarity is not positive."""
    if identical is None:
        return np.full(kinds.shape[1:], np.nan)
    s = identical - kinds
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(SHIFT @ np.log(np.where(s > 0, s, np.nan)))


def matrix(means: ArrayLike, pairs: ArrayLike, models: int) -> Doubles:
    """Distances (pairs,) as a symmetric matrix (models, models); NaN elsewhere."""
    table = np.full((models, models), np.nan)
    first, second = np.asarray(pairs).T
    table[first, second] = table[second, first] = means
    return table


def _relabelled(
    table: Doubles, arm: NDArray[np.bool_], seed: int, paired: Sequence[tuple[int, int]]
) -> tuple[Doubles, Test]:
    """Labels (labellings, models) of the permutation test, and its smallest p or why it is refused.

    Models without any defined distance keep their label in all labellings.
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
    """Mean distances (3, labellings) of BB, AB and AA.

    table: float (models, models). labels: (labellings, models), 1 for augmented, 0 for reference.
    """
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
    """Probability that an augmented model's map is farther from a baseline's than a baseline's is.

    The share of (image, augmented model a, baselines b ≠ b′) with d(a, b) > d(b′, b); ties count
    half. It is 0.5 if augmentation has no effect, and 1 if d(a, b) is larger in all cases. It is A
    of Vargha and Delaney (2000) within images, the usual effect size for randomised algorithms
    (Arcuri and Briand 2011); Cliff's delta is 2A − 1. It depends only on the order of the
    distances. The 95 % interval is constructed as that of `statistics.difference`,
    with jackknife variances over the models of each arm.

    Memory: 4 bytes for each of images × n·m·(m − 1) comparisons, with n augmented and m baseline
    models.

    Returns
    -------
    Interval
        NaN for fewer than two baselines; `low` and `high` are NaN for fewer than three baselines or
        two augmented models.
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
    drawn_means, rng = statistics.image_means(farther, seed, draws)
    weights = _resampled_models(arm, rng, draws)[:, triples].prod(axis=2)
    drawn = statistics.weighted(drawn_means, weights)
    variance = sum(part for part, _ in parts)
    return statistics.interval(estimate, drawn, variance, statistics.satterthwaite(parts))


def _jackknife(
    means: Doubles, triples: NDArray[np.int64], models: NDArray[np.int64]
) -> tuple[float, int]:
    """Jackknife variance of the mean of triples, leaving out each model, and how many models."""
    without = np.array([average(means[(triples != model).all(axis=1)]) for model in models])
    without = without[~np.isnan(without)]
    n = len(without)
    return float((n - 1) / n * ((without - without.mean()) ** 2).sum()) if n > 1 else np.nan, n


class _Errors:
    """Variances of contrasts of the three kinds of pairs, by variance components.

    Model of the distances averaged over images. AB: mean + effect of the baseline + effect of the
    augmented model + residual. AA and BB: mean + effects of both models + residual. All residuals
    have the same variance. Images are a further random factor, crossed with models.
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
        # With a single model in an arm residuals cannot be estimated; then nothing is subtracted.
        self.rest = self.image_rest = 0.0
        if min(self.sizes) > 1:
            self.rest = statistics.interaction(between)
            first, second = np.where(arm[pair[:, :1]], pair[:, ::-1], pair)[kind == 1].T
            cells = np.full((*self.sizes, self.images), np.nan)
            cells[np.searchsorted(base, first), np.searchsorted(augmented, second)] = d[kind == 1]
            self.image_rest = statistics.interaction_over(cells)

    def interval(self, estimate: float, weights: Doubles) -> Interval:
        """A contrast of the kinds with its 95 % interval, estimate ± t·SE.

        SE² is the variance due to models plus that due to images, minus their interaction, which
        both contain. NaN if an arm has fewer than two models, or fewer than three while its
        distances within are part of the contrast, since the effects of two models are confounded.
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
        """Variance of a contrast due to effects of models and images, without residuals; its d.f.

        Residuals are left out because they vary in the permuted statistic, too (`inverted`).
        """
        parts, counted, _ = self._parts(weights)
        images, _ = _of_images(weights @ self.per_image)
        of_models = max(sum(part for part, _ in parts) - counted * self.rest, 0.0)
        return of_models + images, statistics.satterthwaite(parts)

    def _parts(self, weights: Doubles) -> tuple[list[tuple[float, int]], float, float]:
        """Variance of a contrast due to single models.

        Returns
        -------
        parts
            Of each arm, the variance of the mean of its models' effects, and their number.
        counted
            Multiple of the residual variance that the sum of `parts` contains.
        once
            Multiple of the residual variance in the true variance of the contrast.
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
    """Effect of each model on its distances (n, n) within an arm, by least squares: (n,)."""
    n = len(table)
    if n < 3:
        return np.zeros(n)
    means = average(table, 1)
    return np.asarray((means - average(means)) * (n - 1) / (n - 2))


def _of_images(values: Doubles) -> tuple[float, int]:
    """Variance of the mean over images, and the number of images."""
    defined = values[~np.isnan(values)]
    n = len(defined)
    return float(defined.var(ddof=1) / n) if n > 1 else np.nan, n


def _resampled_models(arm: NDArray[np.bool_], rng: np.random.Generator, draws: int) -> Doubles:
    """Bootstrap counts of the models, each arm resampled on its own: (draws, models)."""
    counts = np.empty((draws, len(arm)))
    for augmented in (False, True):
        members = arm == augmented
        if members.any():
            counts[:, members] = statistics.resampled(rng, draws, int(members.sum()))
    return counts


def _arrays(
    distances: ArrayLike, pairs: ArrayLike, augmented: ArrayLike
) -> tuple[Doubles, NDArray[np.int64], NDArray[np.bool_]]:
    """The three arguments as arrays, after a check that every pair of models is given once.

    Raises
    ------
    ValueError
        A pair is missing, given twice, or of a model with itself.
    """
    d = np.asarray(distances, np.float64)
    pair, arm = np.asarray(pairs, np.int64), np.asarray(augmented, bool)
    ordered = sorted(map(tuple, np.sort(pair, axis=1).tolist()))
    if ordered != list(combinations(range(len(arm)), 2)):
        raise ValueError("distances of all pairs of the models of both arms are needed, each once")
    return d, pair, arm
