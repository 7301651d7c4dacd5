"""Power of the test of the map shift, from the variability of distances between networks.

Model. In the feature space of a positive-definite similarity s, with the distance d = 1 − s, the
maps of network i are a point f_i, and d_ij = ½‖f_i − f_j‖² (module `shift`). Networks of one arm
vary around the arm's mean μ: f_i = μ + e_i, with covariance Σ of e. Then

    d_ij = floor + a_i + a_j + r_ij,    r_ij = −⟨e_i, e_j⟩,    floor = tr Σ,    var r_ij = tr Σ².

The effects a_i of single networks cancel in the shift E and in its permutations, so that the
distribution of E without an effect depends on the residuals r_ij only, whose variance is the
variance of the interaction (specific combining ability) of a diallel without selfs (Griffing 1956,
"Concept of general and specific combining ability in relation to diallel crossing systems",
Australian Journal of Biological Sciences 9, method 4). An augmentation that moves the mean by v
adds, to each distance between the arms, its shift θ = ½‖v‖² and the random terms ⟨v, e_i⟩ of the
augmented network minus ⟨v, e_j⟩ of the reference network. If v points where networks vary, as the
difference of two of them does on average, the variance of such a term is 2θ · tr Σ² / tr Σ. In
units of the floor everything depends on one number, the relative variability

    q = √(tr Σ²) / tr Σ.

Networks do not vary equally in all dimensions. tr Σ³ / (tr Σ²)^1.5, the mean of −r_ij·r_jk·r_ki
over three networks in units of the standard deviation of r, is 0.18 for 30 networks of the digits
and 0.19 for the ten of CIFAR-10 (overlap rate). It is 1/√L if all of tr Σ² is of L equal
dimensions. Therefore in simulated studies −r_ij is the scalar product of normal vectors in L = 32
dimensions; ⟨v, e_i⟩ is an independent normal variable. Metrics that are no positive-definite
similarity are treated alike. The model assumes that augmented networks vary as reference networks
do. tests/unit/test_power.py compares it with simulated points, docs/planning.md with networks.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from campare import statistics
from campare.shift import SHIFT
from campare.statistics import ALPHA, QUANTILE, Doubles

POWER = 0.8
# Studies simulated for a design: as many as keep the number of values, labellings × studies.
FEWEST, MOST, VALUES = 500, 4_000, 2_000_000
# L: dimensions in which networks vary most.
DIMENSIONS = 32
# Labellings used of those of a permutation test, at least; and for each test at the level ALPHA.
LABELLINGS, PER_LEVEL = 2_000, 20
# Largest shift that is searched for, in noise floors, and relative precision of a detectable shift.
LARGEST, PRECISION = 4.0, 5e-3


class Comparison(NamedTuple):
    """Numbers of networks of a comparison of two arms, and how it is tested.

    models, references: networks of the augmentation and of the reference. shared: how many networks
    of the augmentation share a seed with a reference network; the distance of such a pair is not
    used. swapped: whether labels are swapped within seeds (then all of them share one).
    """

    models: int
    references: int
    shared: int = 0
    swapped: bool = False


class Variability(NamedTuple):
    """Retraining variability of a metric, from the distances between reference networks.

    floor: mean distance. relative: q, standard deviation of the residual distances / floor, with
    its 95 % interval (low, high). networks: their number; NaN if they are too few.
    """

    floor: float
    relative: float
    low: float
    high: float
    networks: int


class Simulated(NamedTuple):
    """The shift E of simulated studies, in units of the noise floor, under each labelling.

    Of a study with the true shift θ it is noise + θ·effect + √θ·cross. noise, cross: float
    (labellings, studies); effect: float (labellings,). The first labelling is the observed one.
    """

    noise: Doubles
    effect: Doubles
    cross: Doubles


def variability(distances: ArrayLike, pairs: ArrayLike, networks: int) -> Variability:
    """Noise floor and relative variability, from pairs of networks of one kind.

    d_ij = floor + a_i + a_j + r_ij is fitted by least squares; var r_ij is the residual sum of
    squares over its degrees of freedom, N(N − 3)/2 for all pairs of N networks. Its interval is
    that of χ².

    Parameters
    ----------
    distances
        float (pairs,), means over images; NaN is left out.
    pairs
        int (pairs, 2), the places of the two networks.
    networks
        N; relative, low and high are NaN for fewer than four.
    """
    d, pair = np.asarray(distances, np.float64), np.asarray(pairs, np.int64)
    d, pair = d[~np.isnan(d)], pair[~np.isnan(d)]
    floor = float(d.mean()) if len(d) else np.nan
    members = np.zeros((len(d), networks))
    np.put_along_axis(members, pair, 1, axis=1)
    freedom = len(d) - int(np.linalg.matrix_rank(members)) if len(d) else 0
    if freedom < 1 or not floor > 0:
        return Variability(floor, np.nan, np.nan, np.nan, networks)
    fitted = members @ np.linalg.lstsq(members, d, rcond=None)[0]
    squares = float(((d - fitted) ** 2).sum())
    # χ² at a probability is twice the inverse of the incomplete gamma function.
    low, high = (2 * special.gammaincinv(freedom / 2, p) for p in (1 - QUANTILE, QUANTILE))
    q, least, most = (math.sqrt(squares / by) / floor for by in (freedom, high, low))
    return Variability(floor, q, least, most, networks)


def least_p(comparison: Comparison, tests: int = 1) -> float:
    """The smallest possible p-value of the test of the shift, after Holm's correction.

    NaN if an arm has fewer than two networks, because the shift is undefined.
    """
    if min(comparison.models, comparison.references) < 2:
        return np.nan
    least = statistics.relabellings(_augmented(comparison), 0, _paired(comparison))[1]
    return min(least * tests, 1.0)


def simulate(
    comparison: Comparison, relative: float, tests: int, seed: int, studies: int | None = None
) -> Simulated:
    """Simulated studies of a comparison, by the model of this module.

    Parameters
    ----------
    relative
        Relative variability q.
    tests
        Number of tests that Holm's correction is for: more labellings are drawn for more tests.
    studies
        Their number; None: 500 to 4,000, more if there are few labellings.
    """
    noise, effect, cross = _simulated(comparison, tests, seed, studies)
    return Simulated(relative * noise, effect, relative * cross)


@lru_cache(maxsize=2)
def _simulated(comparison: Comparison, tests: int, seed: int, studies: int | None) -> Simulated:
    """`simulate` with a relative variability of 1; kept, because a plan needs several values."""
    arm = _augmented(comparison)
    labels, _ = statistics.relabellings(arm, seed, _paired(comparison))
    rng = np.random.default_rng(seed)
    most = max(LABELLINGS, math.ceil(PER_LEVEL * tests / ALPHA))
    if len(labels) > most:
        labels = np.concatenate([labels[:1], labels[1 + rng.choice(len(labels) - 1, most - 1)]])
    first, second = np.triu_indices(len(arm), 1)
    used = (first >= comparison.shared) | (second != first + comparison.models)
    first, second = first[used], second[used]
    weights = _weights(labels, first, second)
    weights = weights[~np.isnan(weights).any(axis=1)]  # labellings without a kind of pair
    studies = studies or min(MOST, max(FEWEST, VALUES // len(weights)))
    along = np.where(arm, 1.0, -1.0)[:, None] * rng.standard_normal((len(arm), studies))
    between = arm[first] != arm[second]
    cross = math.sqrt(2) * between[:, None] * (along[first] + along[second])
    points = rng.standard_normal((studies, len(arm), DIMENSIONS))
    products = (points @ points.transpose(0, 2, 1))[:, first, second].T
    noise = -products / math.sqrt(DIMENSIONS)
    return Simulated(weights @ noise, weights @ between, weights @ cross)


def power(simulated: Simulated, shift: float, tests: int) -> float:
    """Share of the simulated studies in which a shift has p ≤ 0.05/tests.

    This is the power after Holm's correction if a single augmentation shifts the maps; if several
    do, the power is larger.

    Parameters
    ----------
    shift
        True shift, as a share of the noise floor.
    """
    statistic = (
        simulated.noise + shift * simulated.effect[:, None] + math.sqrt(shift) * simulated.cross
    )
    p = np.mean(statistic >= statistic[0] - 1e-12, axis=0)
    return float(np.mean(p * tests <= ALPHA * (1 + 1e-12)))


def detectable(
    comparison: Comparison, relative: float, tests: int, seed: int, studies: int | None = None
) -> float:
    """The smallest shift that is detected with a power of 80 %, as a share of the noise floor.

    NaN if no shift can be detected, because the smallest possible p-value is too large.
    """
    if not (relative > 0 and least_p(comparison, tests) <= ALPHA * (1 + 1e-12)):
        return np.nan
    simulated = simulate(comparison, relative, tests, seed, studies)
    low, high = 0.0, approximate(comparison, relative, tests)
    while power(simulated, high, tests) < POWER:
        low, high = high, 2 * high
        if high > LARGEST:
            return np.nan
    while high - low > PRECISION * high:
        middle = (low + high) / 2
        reached = power(simulated, middle, tests) >= POWER
        low, high = (low, middle) if reached else (middle, high)
    return high


def approximate(comparison: Comparison, relative: float, tests: int) -> float:
    """Approximation of `detectable` from below: the test compared with a normal statistic.

    In units of the floor, the variance of E is q²·(1/nm + 1/2n(n−1) + 1/2m(m−1)) without an effect,
    and larger by q²·2θ(1/n + 1/m) if the shift is θ.
    """
    n, m = comparison.models, comparison.references
    none = 1 / (n * m) + 1 / (2 * n * (n - 1)) + 1 / (2 * m * (m - 1))
    level, reached = -special.ndtri(ALPHA / tests), special.ndtri(POWER)
    shift = 0.0
    for _ in range(20):  # converges to the fixed point
        some = none + 2 * shift * (1 / n + 1 / m)
        shift = relative * (level * math.sqrt(none) + reached * math.sqrt(some))
    return float(shift)


def _augmented(comparison: Comparison) -> NDArray[np.bool_]:
    """Whether a network is augmented: bool (networks,); augmented networks come first."""
    return np.arange(comparison.models + comparison.references) < comparison.models


def _paired(comparison: Comparison) -> list[tuple[int, int]]:
    """Pairs of places whose labels are swapped."""
    n = comparison.models
    return [(k, n + k) for k in range(n)] if comparison.swapped else []


def _weights(labels: Doubles, first: NDArray[np.int64], second: NDArray[np.int64]) -> Doubles:
    """Weights (labellings, pairs) whose product with distances (pairs,) is the shift.

    NaN in the row of a labelling for which a kind of pair does not exist.
    """
    kind = (labels[:, first] + labels[:, second]).astype(np.int64)
    weights = np.zeros(kind.shape)
    for number, weight in enumerate(SHIFT):
        member = kind == number
        with np.errstate(invalid="ignore"):
            weights += weight * member / member.sum(axis=1, keepdims=True)
    return weights
