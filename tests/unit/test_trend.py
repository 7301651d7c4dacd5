"""Trends over the strengths of an augmentation: Jonckheere's test against scipy, by enumeration."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from campare import columns, trend


def test_tau_is_kendalls_and_s_is_jonckheeres_statistic() -> None:
    rng = np.random.default_rng(0)
    x = np.repeat([1, 2, 4, 8], 3)
    for y in (rng.integers(5, size=12).astype(float), rng.normal(size=12)):
        assert trend.jonckheere(y, x, 0).tau == pytest.approx(stats.kendalltau(x, y).statistic)
    # J: over all pairs of groups, how often the value of the stronger group is larger.
    groups = [y[x == strength] for strength in (1, 2, 4, 8)]
    larger = [(b[None] > a[:, None]).sum() for k, a in enumerate(groups) for b in groups[k + 1 :]]
    s = np.sum(np.triu(np.sign(x[None] - x[:, None]) * np.sign(y[None] - y[:, None])))
    assert sum(larger) == (s + 6 * 9) / 2


def test_the_exact_test_enumerates_all_orders() -> None:
    y, x = np.array([0.1, 0.4, 0.2, 0.9, 0.7, 0.8]), np.array([1, 1, 2, 2, 3, 3])
    taus = [stats.kendalltau(x, np.array(order)).statistic for order in permutations(y)]
    observed = stats.kendalltau(x, y).statistic
    expected = np.mean(np.abs(taus) >= abs(observed) - 1e-9)
    assert trend.jonckheere(y, x, 0).p == pytest.approx(expected)


def test_the_random_test_agrees_with_the_normal_approximation() -> None:
    rng = np.random.default_rng(1)
    x = np.repeat(np.arange(4), 5)
    y = 0.4 * x + rng.normal(size=20)
    expected = stats.kendalltau(x, y, method="asymptotic").pvalue
    assert trend.jonckheere(y, x, 0).p == pytest.approx(expected, abs=0.02)


def test_no_trend_is_tested_without_differences() -> None:
    for values, strengths in (([1, 1], [1, 2]), ([1, 2], [1, 1]), ([], []), ([1, np.nan], [1, 2])):
        assert np.isnan(trend.jonckheere(values, strengths, 0)[:2]).all()


def test_trends_of_a_sweep_are_those_of_its_networks() -> None:
    arms = {"blur_1": 1, "blur_4": 4, "blur_2": 2}
    order = {"blur_1": 0, "blur_2": 1, "blur_4": 2}
    performance = pd.DataFrame(
        [
            {"augmentation": arm, "seed": seed, "accuracy": 0.9 - 0.1 * place - 0.01 * seed}
            for arm, place in {**order, "affine": 9}.items()
            for seed in (1, 2, 3)
        ]
    )
    summary = pd.DataFrame({"augmentation": [*arms], "reference": "baseline"})
    pairs = {
        arm: pd.DataFrame(
            [
                {"a": a, "seed_a": 9, "b": arm, "seed_b": seed, "index": image}
                | {"overlap_20": 0.5 - 0.1 * order[arm] - 0.01 * seed if a == "baseline" else 0.9}
                for a in ("baseline", arm)
                for seed in (1, 2, 3)
                for image in range(2)
            ]
        )
        for arm in arms
    }
    sweeps = {"blur_sigma": ("gaussian_blur", "sigma", arms, "pixels")}
    found = trend.table(sweeps, performance, summary, pairs, "overlap_20", 0)
    assert list(found) == list(columns.TABLES["dose_response"].columns)
    accuracy, distance = found.itertuples()
    untied = np.sqrt(27 * 36)  # pairs of different strengths, and of all networks
    assert accuracy.tau == pytest.approx(-27 / untied)
    assert distance.tau == pytest.approx(27 / untied)
    assert accuracy.p <= 0.01 and distance.p == distance.p_holm <= 0.01
    assert (distance.strengths, distance.models) == (3, 9)
    scores = performance.rename(columns={"accuracy": "mean"})
    more = trend.table(sweeps, performance, summary, pairs, "overlap_20", 0, scores)
    pd.testing.assert_frame_equal(more[:2], found)
    localised = more.iloc[2]
    assert (localised["measure"], localised["models"]) == ("localisation", 9)
    assert localised["tau"] == pytest.approx(accuracy.tau)
