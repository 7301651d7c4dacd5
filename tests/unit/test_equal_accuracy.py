"""The map shift at equal accuracy: against least squares of statsmodels, and by simulation."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray

from campare import columns, equal_accuracy, shift, statistics

Doubles = NDArray[np.float64]


def networks(
    rng: np.random.Generator, augmented: int, references: int, *, gap: float, **given: float
) -> tuple[Doubles, NDArray[np.int64], NDArray[np.bool_], Doubles]:
    """Distances of maps with effects of the arm and of accuracy in the space of their features.

    gap: difference of the mean accuracies, standard deviations; arm, accuracy: lengths of the two
    effects.
    """
    n, size = augmented + references, 20
    arm = np.arange(n) >= references
    accuracy = rng.normal(size=n) + gap * arm
    features = rng.normal(size=(n, size)) / np.sqrt(size)
    features[:, 0] += given.get("arm", 0) * arm
    features[:, :2] += given.get("accuracy", 0) * accuracy[:, None] * [0.6, 0.8]
    pairs = np.array(list(combinations(range(n), 2)))
    d = 0.5 * ((features[pairs[:, 0]] - features[pairs[:, 1]]) ** 2).sum(axis=1)
    # The same on each of two images, which a test needs.
    return np.column_stack([d, d]), pairs, arm, 0.9 + 0.01 * accuracy


def test_estimate_and_slope_are_those_of_least_squares() -> None:
    d, pairs, arm, a = networks(np.random.default_rng(0), 4, 6, gap=1, arm=0.5, accuracy=0.3)
    d[3] = np.nan  # a pair that is not compared
    found = equal_accuracy.adjusted(d, pairs, arm, a, 0)
    first, second = pairs.T
    across = arm[first] != arm[second]
    design = np.column_stack(
        [
            *(((first == k) | (second == k)).astype(float) for k in range(10)),
            across,
            across * (a[second] - a[first]),  # the augmented ones come last
            (a[first] - a[second]) ** 2,
        ]
    )
    used = np.arange(len(d)) != 3
    fit = sm.OLS(d[used, 0], design[used]).fit()
    assert found.shift.mean == pytest.approx(fit.params[10])
    assert found.slope == pytest.approx(fit.params[12])
    assert found.inflation > 1


def test_without_differences_of_accuracy_it_is_the_map_shift() -> None:
    rng = np.random.default_rng(1)
    d, pairs, arm, a = networks(rng, 4, 8, gap=0, arm=0.8)
    d = d[:, :1] + rng.normal(size=(len(d), 30))
    found = equal_accuracy.adjusted(d, pairs, arm, np.full_like(a, 0.9), 0)
    expected = shift.shift(d, pairs, arm, 0)
    assert found.shift.mean == pytest.approx(expected.shift.mean)
    assert found.inflation == pytest.approx(1) and np.isnan(found.slope)
    assert found.test.p == pytest.approx(expected.shift_test.p, abs=0.03)
    assert found.shift.low == pytest.approx(expected.shift.low, abs=0.1)


def simulated(repeats: int, monkeypatch: pytest.MonkeyPatch, **given: Any) -> tuple[Doubles, ...]:
    """p, estimates, whether intervals contain the true shift, and shifts without adjustment."""
    monkeypatch.setattr(equal_accuracy, "SAMPLED", 199)
    rng = np.random.default_rng(0)
    rows = []
    for repeat in range(repeats):
        d, pairs, arm, a = networks(rng, 4, 8, **given)
        found = equal_accuracy.adjusted(d, pairs, arm, a, repeat)
        kind = arm[pairs].sum(axis=1)
        plain = shift.SHIFT @ [d[kind == k].mean() for k in range(3)]
        true = given.get("arm", 0) ** 2 / 2
        within = found.shift.low <= true <= found.shift.high
        rows.append((found.test.p, found.shift.mean, within, plain))
    return tuple(np.array(rows, np.float64).T)


def test_distances_that_accuracy_alone_explains_give_no_shift(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    p, estimates, covered, plain = simulated(120, monkeypatch, gap=1.5, accuracy=0.5)
    assert plain.mean() > 0.25  # what would be taken for a shift
    assert abs(estimates.mean()) < 3 * estimates.std() / np.sqrt(len(estimates))
    # 5 % of 120 are 6; 13 or more have a probability of 0.7 %.
    assert (p <= 0.05).sum() <= 12
    assert covered.mean() > 0.83


def test_a_planted_shift_is_recovered(monkeypatch: pytest.MonkeyPatch) -> None:
    p, estimates, covered, plain = simulated(60, monkeypatch, gap=1, arm=1.0, accuracy=0.3)
    assert estimates.mean() == pytest.approx(0.5, abs=3 * estimates.std() / np.sqrt(60))
    assert plain.mean() > 0.65  # and the effect of accuracy on top of it, unadjusted
    assert (p <= 0.05).mean() > 0.7
    assert covered.mean() > 0.8


def test_accuracies_that_determine_the_arm_are_refused() -> None:
    d, pairs, arm, _ = networks(np.random.default_rng(2), 4, 6, gap=0)
    found = equal_accuracy.adjusted(d, pairs, arm, np.where(arm, 0.9, 0.8), 0)
    assert found.test.words.startswith("undetermined: the accuracies")
    assert np.isnan([found.shift.mean, found.test.p, found.inflation]).all()


def test_three_networks_of_each_arm_are_needed() -> None:
    d, pairs, arm, a = networks(np.random.default_rng(2), 2, 6, gap=0)
    found = equal_accuracy.adjusted(d, pairs, arm, a, 0)
    assert found.test.words == "too few models: each arm needs 3 with defined distances"


UNDEFINED: dict[str, Callable[[Doubles, NDArray[np.int64]], Doubles]] = {
    "too few models: each arm needs 3 with defined distances": lambda d, kind: d * np.nan,
    "undefined: a kind of pair has no defined distance": lambda d, kind: np.where(
        kind[:, None] == 2, np.nan, d
    ),
    "too few images: a test needs two": lambda d, kind: d[:, :1],
    "undefined: all distances are equal": lambda d, kind: np.zeros_like(d),
}


@pytest.mark.parametrize("words", UNDEFINED)
def test_distances_that_allow_no_estimate_are_refused_with_the_reason(words: str) -> None:
    d, pairs, arm, a = networks(np.random.default_rng(2), 4, 6, gap=0)
    d = UNDEFINED[words](d, arm[pairs].sum(axis=1))
    found = equal_accuracy.adjusted(d, pairs, arm, a, 0)
    assert found.test.words == words
    assert np.isnan([*found.shift, found.test.p, found.slope, found.inflation]).all()


def test_equal_distances_are_refused_whatever_their_size() -> None:
    d, pairs, arm, a = networks(np.random.default_rng(2), 4, 6, gap=0)
    found = equal_accuracy.adjusted(np.full_like(d, 0.3), pairs, arm, a, 0)
    assert found.test.words == "undefined: all distances are equal"


def test_networks_without_a_defined_distance_do_not_count() -> None:
    d, pairs, arm, a = networks(np.random.default_rng(5), 6, 7, gap=0.5, arm=0.5)
    kept = (pairs != 3).all(axis=1)
    d[~kept] = np.nan
    others = np.delete(np.arange(13), 3)
    seeds = [(k, k + 7) for k in range(6) if k != 3] + [(6, 10)]
    found = equal_accuracy.adjusted(d, pairs, arm, a, 0, seeds)
    assert found.test.least == 2 / 2**6
    assert found == equal_accuracy.adjusted(
        d[kept],
        np.searchsorted(others, pairs[kept]),
        arm[others],
        a[others],
        0,
        [(i - (i > 3), j - 1) for i, j in seeds],
    )
    # Two networks of an arm are too few, however many lack distances.
    d[(pairs > 8).any(axis=1)] = np.nan
    words = equal_accuracy.adjusted(d, pairs, arm, a, 0).test.words
    assert words == "too few models: each arm needs 3 with defined distances"


def test_networks_that_share_seeds_are_permuted_within_them() -> None:
    d, pairs, arm, a = networks(np.random.default_rng(3), 6, 6, gap=1, arm=1.5)
    d[pairs[:, 1] - pairs[:, 0] == 6] = np.nan  # networks of one seed are not compared
    places = [(k, k + 6) for k in range(6)]
    found = equal_accuracy.adjusted(d, pairs, arm, a, 0, places)
    assert found.test.least == 2 / 2**6
    assert found.test.p == found.test.least
    orders, _ = equal_accuracy._orders(12, 0, places)
    assert len(np.unique(orders, axis=0)) == 64
    assert (orders[0] == np.arange(12)).all()
    assert (np.sort(orders.reshape(64, 2, 6), axis=1) == np.arange(12).reshape(2, 6)).all()


def test_the_table_has_a_row_per_augmentation_and_corrects_over_them() -> None:
    rng = np.random.default_rng(4)
    arms = {"baseline": range(8), "affine": range(20, 24), "cutmix": range(30, 33)}
    models = [(arm, seed) for arm, seeds in arms.items() for seed in seeds]
    centre = {"baseline": 0.0, "affine": 1.5, "cutmix": 0.0}
    features = {m: rng.normal(size=8) + centre[m[0]] for m in models}
    pairs: dict[str, list[dict[str, Any]]] = {arm: [] for arm in arms}
    for first, second in combinations(models, 2):
        if "baseline" in (first[0], second[0]) or first[0] == second[0]:
            ends = dict(zip(("a", "seed_a", "b", "seed_b"), (*first, *second), strict=True))
            far = 0.05 * ((features[first] - features[second]) ** 2).sum()
            pairs[second[0]] += [
                {**ends, "index": image, "mad": far + 0.001 * image} for image in range(3)
            ]
    tables = {
        arm: pd.DataFrame(rows).assign(prediction_a=0, prediction_b=0)
        for arm, rows in pairs.items()
    }
    performance = pd.DataFrame(
        [(arm, seed, 0.9 + 0.004 * (k % 4)) for k, (arm, seed) in enumerate(models)],
        columns=["augmentation", "seed", "accuracy"],
    )
    summary = pd.DataFrame({"augmentation": ["affine", "cutmix"], "reference": "baseline"}).assign(
        metric="mad", accuracy=0.9, reference_accuracy=0.9, floor=0.8
    )
    summary = summary.assign(shift=0.1, shift_low=0.0, shift_high=0.2, shift_p_holm=0.04)
    found = equal_accuracy.table(summary, performance, tables, 0)
    assert list(found) == list(columns.TABLES["equal_accuracy"].columns)
    assert list(found["augmentation"]) == ["affine", "cutmix"]
    assert list(found["across_pairs"]) == [32, 24]
    gaps = [abs(k % 4 - j % 4) <= 1 for k in range(8) for j in range(8, 12)]
    assert found["close_pairs"][0] == sum(gaps)
    assert found["adjusted_p_holm"].tolist() == pytest.approx(
        statistics.holm(found["adjusted_p"]).tolist()
    )
    assert found["adjusted_p_holm"][0] <= 0.05 < found["adjusted_p_holm"][1]
    assert (found["relative_adjusted_shift"] == found["adjusted_shift"] / 0.8).all()
