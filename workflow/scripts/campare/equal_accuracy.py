"""The map shift between networks of equal accuracy, by regression over pairs of networks.

If networks of an augmentation are more accurate than the reference networks, their maps may differ
for this reason alone. The distance of the maps of networks i and j is therefore modelled as

    d_ij = u_i + u_j + E·[i and j are of different arms] + κ·(a_i − a_j)·[the same] + γ·(a_i − a_j)²

with the accuracies a, in the signed difference that of the augmented network first. E is the map
shift at equal accuracy: the difference between distances between arms and within arms that is left
when two networks have the same accuracy. u_i, the effect of a network on all its distances, absorbs
what is unusual about a single network; without terms of accuracy, E is the map shift of `shift`.

The model is an analysis of covariance in the feature space of a similarity (distance-based
regression: McArdle and Anderson 2001, "Fitting multivariate models to community data", Ecology 82).
If the distance is half the squared distance of features φ, as 1 − s is for a positive-definite
similarity s, and φ_i = α·[augmented] + β·a_i + e_i, then its expectation is the model above with
E = ½‖α‖², κ = α·β, γ = ½‖β‖².

Accuracy is a result of training, as the maps are. E says whether the maps differ more than the
accuracies let expect, not what the maps would be if an intervention had made accuracies equal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations
from math import factorial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from campare import controls, shift, statistics
from campare.design import Model
from campare.registry import MATCHED
from campare.statistics import ALPHA, EXACT, SAMPLED, Doubles, Interval, Test

SMALLEST = 3  # networks of each arm
POINT = 0.01  # of accuracy
CLOSE = 0.005  # difference of two accuracies that count as equal: half a point


class EqualAccuracy(NamedTuple):
    """The shift at equal accuracy.

    shift: with its 90 % interval. test: one-sided (shift > 0). slope: γ, distance per squared
    difference of accuracy; NaN if all accuracies are equal. inflation: variance of this estimate
    divided by that of the estimate without terms of accuracy, for residuals of equal variance; 1:
    the arms are as accurate as each other, large: their accuracies hardly overlap.
    """

    shift: Interval
    test: Test
    slope: float
    inflation: float


class _Fit(NamedTuple):
    """Least squares over pairs; rows are pairs.

    weights: (pairs,), E is their product with the distances; slope: the same for γ. basis: columns
    of the model, orthonormal (pairs, rank). null: the same without arms. freedom: residual degrees
    of freedom.
    """

    weights: Doubles
    slope: Doubles
    basis: Doubles
    null: Doubles
    freedom: int


def adjusted(
    distances: ArrayLike,
    pairs: ArrayLike,
    augmented: ArrayLike,
    accuracy: ArrayLike,
    seed: int,
    paired: Sequence[tuple[int, int]] = (),
) -> EqualAccuracy:
    """The map shift at equal accuracy, with its interval and test.

    Null hypothesis: maps depend on the augmentation through accuracy alone (E = κ = 0). The test
    permutes networks in the residuals of the model without arms, so that all distances of a network
    stay together, and compares Student's t of E (Freedman and Lane 1983, "A nonstochastic
    interpretation of reported significance levels", Journal of Business & Economic Statistics 1;
    for distances between networks: Dekker, Krackhardt and Snijders 2007, "Sensitivity of MRQAP
    tests to collinearity and autocorrelation conditions", Psychometrika 72): all permutations if
    there are at most 20,000, otherwise 9,999 random ones and the observed order.

    As the test of the shift, it assumes that the networks of both arms vary alike: if those of the
    smaller arm vary more, it rejects too often (docs/validity.md). Networks without any defined
    distance are left out.

    The 90 % interval inverts the test as that of the shift does (`shift.inverted`); the variance
    due to effects of single networks is that of a jackknife over networks as far as it exceeds the
    variance under the null hypothesis.

    Parameters
    ----------
    distances
        float (pairs, images): a metric that grows as two maps become less alike; NaN if undefined.
    pairs
        int (pairs, 2), places of the two networks.
    augmented
        bool (networks,).
    accuracy
        float (networks,), shares in [0, 1].
    seed
        Of the random permutations.
    paired
        Pairs of places of networks, one of each arm, that share a seed; if they are all networks
        with defined distances, networks are permuted within them only.
    """
    values = np.asarray(distances, np.float64)
    d = statistics.average(values, 1)
    used = ~np.isnan(d)
    d, values = d[used], values[used]
    networks, places = np.unique(np.asarray(pairs, np.int64)[used], return_inverse=True)
    pair = places.reshape(-1, 2)
    arm, a = np.asarray(augmented, bool)[networks], np.asarray(accuracy, np.float64)[networks]
    place = {network: k for k, network in enumerate(networks.tolist())}
    paired = [(place[i], place[j]) for i, j in paired if i in place and j in place]
    words = _unfit(d, pair, arm, values.shape[1])
    fit = None if words else _fit(pair, arm, a)
    if fit is None:
        words = (
            words or "undetermined: the accuracies of the arms determine which arm a model is of"
        )
        unknown = Interval(np.nan, np.nan, np.nan)
        return EqualAccuracy(unknown, Test(np.nan, np.nan, words), np.nan, np.nan)
    estimate = float(fit.weights @ d)
    draws, least = _permuted(d, pair, len(arm), fit, seed, paired)
    plain = _fit(pair, arm, np.zeros(len(a)))
    assert plain is not None
    inflation = float((fit.weights @ fit.weights) / (plain.weights @ plain.weights))
    slope = float(fit.slope @ d) if np.ptp(a) > 0 else np.nan
    if least > ALPHA:
        test = Test(np.nan, least, statistics.too_few(least))
        return EqualAccuracy(Interval(estimate, np.nan, np.nan), test, slope, inflation)
    scale = float(np.abs(d).max())
    test = Test(statistics.permutation_p(draws, estimate, scale), least, "")
    variance, freedom = _of_networks(d, pair, arm, a)
    variance = max(variance - float(draws.var()), 0.0) + _of_images(fit.weights, values)
    return EqualAccuracy(
        shift.inverted(estimate, draws, variance, freedom, scale), test, slope, inflation
    )


def _unfit(d: Doubles, pair: NDArray[np.int64], arm: NDArray[np.bool_], images: int) -> str:
    """Why defined distances (pairs,) allow no estimate, in the words of `shift`; "" if they do."""
    if images < 2:
        return "too few images: a test needs two"
    if min(arm.sum(), (~arm).sum()) < SMALLEST:
        return f"too few models: each arm needs {SMALLEST} with defined distances"
    if not np.bincount(arm[pair].sum(axis=1), minlength=3).all():
        return "undefined: a kind of pair has no defined distance"
    if np.ptp(d) <= 1e-12 * np.abs(d).max():  # no residuals, or rounding errors alone
        return "undefined: all distances are equal"
    return ""


def _fit(pair: NDArray[np.int64], arm: NDArray[np.bool_], accuracy: Doubles) -> _Fit | None:
    """Least squares for these pairs; None if E is not determined."""
    rows = np.arange(len(pair))
    networks = np.zeros((len(pair), len(arm)))
    networks[rows[:, None], pair] = 1
    # Without networks that have no pair here.
    networks = networks[:, networks.any(axis=0)]
    a = accuracy - accuracy.mean()
    scale = np.ptp(a) or 1.0  # for the condition of the matrix
    first, second = a[pair].T / scale
    across = (arm[pair[:, 0]] != arm[pair[:, 1]]).astype(np.float64)
    signed = across * np.where(arm[pair[:, 0]], first - second, second - first)
    squared = (first - second) ** 2
    null = _basis(np.column_stack([networks, squared]))
    without = np.column_stack([networks, signed, squared])
    part = _residual(across, _basis(without))
    if not part @ part > 1e-8 * (across @ across):
        return None
    full = _basis(np.column_stack([without, across]))
    of_square = _residual(squared, _basis(np.column_stack([networks, signed, across])))
    size = of_square @ of_square
    return _Fit(
        part / (part @ part),
        of_square / size / scale**2 if size > 1e-12 else np.zeros(len(pair)),
        full,
        null,
        len(pair) - full.shape[1],
    )


def _basis(columns: Doubles) -> Doubles:
    """Orthonormal basis of the space of some columns."""
    left, sizes, _ = np.linalg.svd(columns, full_matrices=False)
    return np.asarray(left[:, sizes > 1e-10 * sizes[0]])


def _residual(values: Doubles, basis: Doubles) -> Doubles:
    """What a basis (rows, rank) does not explain of values (rows,)."""
    return np.asarray(values - basis @ (basis.T @ values))


def _permuted(
    d: Doubles,
    pair: NDArray[np.int64],
    networks: int,
    fit: _Fit,
    seed: int,
    paired: Sequence[tuple[int, int]],
) -> tuple[Doubles, float]:
    """E under the null hypothesis (permutations,), the observed first, and the smallest p.

    Each is Student's t of a permutation, times the standard error of the observed E. Pairs that are
    not compared, as they share a seed, have the residual 0.
    """
    orders, least = _orders(networks, seed, paired)
    table = np.nan_to_num(shift.matrix(_residual(d, fit.null), pair, networks))
    first, second = pair.T
    statistic = np.empty(len(orders))
    step = max(1, statistics.CHUNK // len(pair))
    for start in range(0, len(orders), step):
        order = orders[start : start + step]
        rest = table[order[:, first], order[:, second]]
        squares = (rest**2).sum(axis=1) - ((rest @ fit.basis) ** 2).sum(axis=1)
        error = np.sqrt(np.maximum(squares, 0) / max(fit.freedom, 1))
        with np.errstate(divide="ignore", invalid="ignore"):
            statistic[start : start + step] = rest @ fit.weights / error
        if start == 0:
            observed = error[0]
    return statistic * observed, least


def _orders(
    networks: int, seed: int, paired: Sequence[tuple[int, int]]
) -> tuple[NDArray[np.int64], float]:
    """Orders (permutations, networks) of the networks, the observed first; the smallest p."""
    rng = np.random.default_rng(seed)
    if paired and 2 * len(paired) == networks:
        labels = np.zeros(networks, bool)
        labels[[b for _, b in paired]] = True
        swapped, least = statistics.relabellings(labels, seed, paired)
        orders = np.tile(np.arange(networks), (len(swapped), 1))
        for a, b in paired:
            changed = swapped[:, b] == 0
            orders[changed, a], orders[changed, b] = b, a
        return orders, least
    if factorial(networks) <= EXACT:
        every = np.array(list(permutations(range(networks))))
        return every, 1 / len(every)
    orders = np.tile(np.arange(networks), (SAMPLED + 1, 1))
    rng.permuted(orders[1:], axis=1, out=orders[1:])
    return orders, 1 / len(orders)


def _of_networks(
    d: Doubles, pair: NDArray[np.int64], arm: NDArray[np.bool_], accuracy: Doubles
) -> tuple[float, float]:
    """Jackknife variance of E over the networks of both arms, and its degrees of freedom."""
    parts = []
    for members in (np.flatnonzero(arm), np.flatnonzero(~arm)):
        without = []
        for network in members:
            kept = (pair != network).all(axis=1)
            fit = _fit(pair[kept], arm, accuracy)
            if fit is not None:
                without.append(float(fit.weights @ d[kept]))
        n = len(without)
        if n > 1:
            parts.append((float((n - 1) * np.var(without)), n))
    return sum(part for part, _ in parts), statistics.satterthwaite(parts)


def _of_images(weights: Doubles, values: Doubles) -> float:
    """Variance of E due to the choice of the test images; values: (pairs, images)."""
    if np.isnan(values).any():
        values = np.where(np.isnan(values), statistics.average(values, 1)[:, None], values)
    of_images = weights @ values
    n = len(of_images)
    return float(of_images.var(ddof=1) / n) if n > 1 else 0.0


def table(
    summary: pd.DataFrame,
    performance: pd.DataFrame,
    pairs: Mapping[str, pd.DataFrame],
    seed: int,
) -> pd.DataFrame:
    """The map shift of every augmentation between networks of equal accuracy (`adjusted`).

    The accuracy of a network is that on the test images whose maps are compared: not an estimate of
    an accuracy elsewhere, whose error would make the adjustment too small.

    Parameters
    ----------
    summary, performance
        Tables of the study: reference and map shift of every augmentation, in one metric; accuracy
        of every network.
    pairs
        Augmentation, control or "baseline" → its pairs as measure_pairs writes them.

    Returns
    -------
    DataFrame
        augmentation, reference, metric; accuracy, reference_accuracy; close_pairs (number of pairs
        of an augmented and a reference network whose accuracies differ by at most CLOSE), of
        across_pairs; floor; shift with _low and _high, and shift_p_holm, as in the summary;
        adjusted_shift with _low and _high (90 %); relative_adjusted_shift (share of the noise
        floor); adjusted_p, adjusted_p_holm (over the augmentations; controls are a family of their
        own), note (why there is no p); accuracy_effect (distance that a difference of one
        percentage point adds, as a share of the noise floor), inflation; models, reference_models,
        images.
    """
    accuracies: dict[Model, float] = {
        (row["augmentation"], int(row["seed"])): float(row["accuracy"])
        for row in performance.to_dict("records")
    }
    rows: list[dict[str, Any]] = []
    tests: list[Test] = []
    families = summary.groupby(summary["augmentation"].isin(MATCHED))["augmentation"].count()
    for row in summary.to_dict("records"):
        name, reference, metric = row["augmentation"], row["reference"], row["metric"]
        first, second = ([m for m in accuracies if m[0] == arm] for arm in (reference, name))
        models = [*first, *second]
        arm = np.arange(len(models)) >= len(first)
        accuracy = np.array([accuracies[model] for model in models])
        tables = [pairs[each] for each in (reference, name) if each in pairs]
        far, places = controls.distances(tables, models, metric)
        paired = controls.sharing_seeds(first, second, int(families[name in MATCHED]))
        found = adjusted(far, places, arm, accuracy, seed, paired)
        compared = places[~np.isnan(far).all(axis=1)]
        across = compared[arm[compared].sum(axis=1) == 1]
        gaps = np.abs(accuracy[across[:, 0]] - accuracy[across[:, 1]])
        floor = float(row["floor"])
        tests.append(found.test)
        rows.append(
            {"augmentation": name, "reference": reference, "metric": metric}
            | {column: row[column] for column in ("accuracy", "reference_accuracy")}
            | {"close_pairs": int((gaps <= CLOSE + 1e-12).sum()), "across_pairs": len(across)}
            | {"floor": floor}
            | {c: row[c] for c in ("shift", "shift_low", "shift_high", "shift_p_holm")}
            | found.shift.columns("adjusted_shift")
            | {"relative_adjusted_shift": found.shift.mean / floor if floor > 0 else np.nan}
            | {"adjusted_p": found.test.p, "adjusted_p_holm": np.nan, "note": ""}
            | {"accuracy_effect": found.slope * POINT**2 / floor if floor > 0 else np.nan}
            | {"inflation": found.inflation}
            | {"models": len(second), "reference_models": len(first)}
            | {"images": far.shape[1]}
        )
    controls.correct_rows(rows, tests, "adjusted_p")
    return pd.DataFrame(rows)
