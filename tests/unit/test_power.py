"""Power of the test of the shift, against points simulated in many dimensions."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from campare import power, shift, statistics
from campare.power import Comparison


def points(
    rng: np.random.Generator, networks: int, variances: np.ndarray, moved: float = 0, arm: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Distances (pairs, 2) of points with these variances by dimension, and pairs (pairs, 2).

    The two images are the same. The first `arm` points are moved so that E is `moved`, in a
    direction drawn as the points are.
    """
    f = rng.standard_normal((networks, len(variances))) * np.sqrt(variances)
    direction = rng.standard_normal(len(variances)) * np.sqrt(variances)
    f[:arm] += np.sqrt(2 * moved) * direction / np.linalg.norm(direction)
    pairs = np.array(list(combinations(range(networks), 2)))
    d = ((f[pairs[:, 0]] - f[pairs[:, 1]]) ** 2).sum(axis=1) / 2
    return np.stack([d, d], axis=1), pairs


def equal(dimensions: int) -> np.ndarray:
    """Variances whose sum, the mean distance, is 1."""
    return np.full(dimensions, 1 / dimensions)


def test_variability_of_points_is_that_of_their_dimensions() -> None:
    rng = np.random.default_rng(0)
    found = [
        power.variability(d[:, 0], pairs, 8)
        for d, pairs in (points(rng, 8, equal(400)) for _ in range(200))
    ]
    assert np.mean([one.floor for one in found]) == pytest.approx(1, abs=0.01)
    mean = np.sqrt(np.mean([one.relative**2 for one in found]))
    assert mean == pytest.approx(1 / np.sqrt(400), rel=0.05)
    covered = np.mean([one.low <= 0.05 <= one.high for one in found])
    assert 0.90 <= covered <= 0.99


def test_variability_is_the_mean_square_of_griffings_fourth_method() -> None:
    """Griffing (1956), method 4: sums of squares of general and specific combining ability."""
    rng = np.random.default_rng(1)
    d, pairs = points(rng, 6, equal(20))
    table = np.nan_to_num(shift.matrix(d[:, 0], pairs, 6))
    p, rows, total = 6, table.sum(axis=1), table.sum() / 2
    general = (rows**2).sum() / (p - 2) - 4 * total**2 / (p * (p - 2))
    specific = (d[:, 0] ** 2).sum() - 2 * total**2 / (p * (p - 1)) - general
    found = power.variability(d[:, 0], pairs, 6)
    assert found.relative == pytest.approx(np.sqrt(specific / (p * (p - 3) / 2)) / d.mean())


def test_variability_needs_four_networks_and_leaves_undefined_pairs_out() -> None:
    d, pairs = points(np.random.default_rng(2), 5, equal(9))
    d = d[:, 0]
    few = power.variability(d[:3], np.array([(0, 1), (0, 2), (1, 2)]), 3)
    assert few.floor == pytest.approx(d[:3].mean()) and np.isnan(few.relative)
    missing = d.copy()
    missing[0] = np.nan
    assert power.variability(missing, pairs, 5).floor == pytest.approx(np.nanmean(missing))
    assert np.isnan(power.variability([], np.empty((0, 2), int), 0).floor)


@pytest.mark.parametrize(
    "comparison", [Comparison(3, 4), Comparison(3, 4, 1), Comparison(4, 4, 4, True)]
)
def test_simulated_statistics_are_the_shift_of_each_labelling(comparison: Comparison) -> None:
    """The effect of θ on all labellings, as `shift.shift` computes them."""
    arm = np.arange(comparison.models + comparison.references) < comparison.models
    paired = [(k, 4 + k) for k in range(4)] if comparison.swapped else []
    labels, _ = statistics.relabellings(arm, 0, paired)
    table = (arm[:, None] != arm).astype(float)
    np.fill_diagonal(table, np.nan)
    for k in range(comparison.shared):
        table[k, comparison.models + k] = table[comparison.models + k, k] = np.nan
    expected = shift.SHIFT @ shift._kinds(table, labels)
    effect = power.simulate(comparison, 0.1, 1, 0, studies=1).effect
    np.testing.assert_allclose(effect, expected[~np.isnan(expected)], atol=1e-12)
    assert effect[0] == pytest.approx(1)


@pytest.mark.parametrize(("models", "references"), [(3, 8), (5, 6)])
def test_a_detectable_shift_of_simulated_maps_is_detected_in_80_of_100_studies(
    models: int, references: int
) -> None:
    """Oracle: points in 32 + 2,000 dimensions, tested by `shift.shift`; 7 tests."""
    rng = np.random.default_rng(3)
    variances = np.repeat([0.05 / np.sqrt(32), 0.00035], [32, 2000])
    variances /= variances.sum()
    relative = np.sqrt((variances**2).sum())
    assert relative == pytest.approx(0.05, rel=0.1)
    moved = power.detectable(Comparison(models, references), relative, 7, 0, 1000)
    networks = models + references
    arm = np.arange(networks) < models
    studies = [
        shift.shift(*points(rng, networks, variances, moved, models), arm, 0) for _ in range(200)
    ]
    detected = np.mean([7 * study.shift_test.p <= 0.05 for study in studies])
    assert 0.71 <= detected <= 0.88


@pytest.mark.parametrize(
    ("models", "references", "share"), [(3, 8, 5.5), (4, 8, 4.0), (6, 8, 3.0), (10, 10, 2.0)]
)
def test_detectable_shifts_are_those_that_were_simulated_with_networks_of_the_digits(
    models: int, references: int, share: float
) -> None:
    """Overlap rate, seven augmentations; relative variability of the default study."""
    found = power.detectable(Comparison(models, references), 0.035, 7, 0)
    assert 100 * found == pytest.approx(share, rel=0.06)


def test_too_few_networks_detect_no_shift() -> None:
    assert power.least_p(Comparison(3, 3), 7) == pytest.approx(0.7)
    assert power.least_p(Comparison(3, 8), 7) == pytest.approx(7 / 165)
    assert power.least_p(Comparison(5, 5, 5, True), 7) == pytest.approx(7 * 2 / 32)
    assert np.isnan(power.least_p(Comparison(1, 8)))
    for comparison in (Comparison(3, 3), Comparison(1, 8), Comparison(5, 5, 5, True)):
        assert np.isnan(power.detectable(comparison, 0.03, 7, 0))
    assert np.isnan(power.detectable(Comparison(3, 8), np.nan, 7, 0))


def test_power_grows_with_the_shift_and_is_at_most_the_level_without_one() -> None:
    simulated = power.simulate(Comparison(4, 8), 0.03, 7, 0, studies=2000)
    found = [power.power(simulated, share, 7) for share in (0, 0.01, 0.03, 0.1)]
    assert found[0] <= 0.05 / 7 + 0.006
    assert found == sorted(found) and found[-1] > 0.99


def test_the_approximation_is_below_the_simulation_and_near_it() -> None:
    for comparison in (Comparison(3, 8), Comparison(6, 8), Comparison(12, 20)):
        found = power.detectable(comparison, 0.03, 7, 0)
        assert 0.7 <= power.approximate(comparison, 0.03, 7) / found <= 1.03
