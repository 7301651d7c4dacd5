"""Intervals, tests and effect sizes against scipy, statsmodels, brute force and known truths."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from campare import statistics
from campare.statistics import Interval
from campare.statistics import Test as Outcome

NAN = np.nan


def crossed(rng: np.random.Generator, seeds: int, images: int, parts: tuple) -> np.ndarray:
    """Values with mean zero and given deviations of seeds, images and what is both's."""
    of_seeds, of_images, both = parts
    return (
        of_seeds * rng.normal(size=(seeds, 1))
        + of_images * rng.normal(size=(1, images))
        + both * rng.normal(size=(seeds, images))
    )


def test_resampled_image_means_are_means_of_drawn_images_alike_in_every_row() -> None:
    values = np.random.default_rng(0).normal(size=(3, 50))
    values[1, :20] = NAN
    rng = np.random.default_rng(7)
    found, after = statistics.image_means(values, 7, 40)
    counts = statistics.resampled(rng, 40, 50).astype(int)
    assert after.random() == rng.random()
    assert (counts.sum(axis=1) == 50).all()
    for means, count in zip(found, counts, strict=True):
        np.testing.assert_allclose(means, np.nanmean(np.repeat(values, count, axis=1), axis=1))


def test_resampling_does_not_depend_on_the_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).normal(size=(3, 50))
    whole = statistics.mean(values, 1)
    monkeypatch.setattr(statistics, "CHUNK", 200)
    statistics._image_counts.cache_clear()
    np.testing.assert_allclose(statistics.mean(values, 1), whole)


def test_images_are_resampled_once_for_equal_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).normal(size=(3, 50))
    first = statistics.mean(values, 5), statistics.mean(values[:, ::-1], 5)
    drawn = []
    resampled = statistics.resampled

    def counted(rng: np.random.Generator, draws: int, n: int) -> np.ndarray:
        drawn.append(n)
        return resampled(rng, draws, n)

    monkeypatch.setattr(statistics, "resampled", counted)
    assert (statistics.mean(values, 5), statistics.mean(values[:, ::-1], 5)) == first
    assert drawn == [3, 3]
    statistics.mean(values, 6)
    assert drawn == [3, 3, 50, 3]


def test_bootstrap_of_images_agrees_with_scipy() -> None:
    values = np.random.default_rng(1).exponential(size=(1, 80))
    ours = statistics.image_means(values, 2, 20_000)[0][:, 0]
    theirs = stats.bootstrap((values[0],), np.mean, n_resamples=20_000, method="percentile", rng=3)
    assert ours.std(ddof=1) == pytest.approx(theirs.standard_error, rel=0.03)
    np.testing.assert_allclose(
        np.quantile(ours, [0.025, 0.975]), theirs.confidence_interval, rtol=0.01
    )


def test_interval_of_many_seeds_is_scipy_s_percentile_interval() -> None:
    # What seeds do alone: images hardly differ, and n is large enough for every correction to go.
    rng = np.random.default_rng(4)
    values = rng.exponential(size=(400, 1)) + 1e-9 * rng.normal(size=(400, 2))
    found = statistics.mean(values, 5, draws=20_000)
    theirs = stats.bootstrap(
        (values.mean(axis=1),), np.mean, n_resamples=20_000, method="percentile", rng=6
    )
    low, high = theirs.confidence_interval
    assert found.mean == pytest.approx(values.mean())
    assert found.low == pytest.approx(low, abs=0.04 * (high - low))
    assert found.high == pytest.approx(high, abs=0.04 * (high - low))
    assert found.high - found.mean > found.mean - found.low  # as skewed as the values


@pytest.mark.parametrize(
    ("seeds", "images", "parts"),
    [
        (3, 100, (1, 1, 1)),
        (6, 40, (0.1, 1, 0.5)),
        (5, 200, (1, 0.2, 0.2)),
        (6, 60, (0, 0, 1)),  # interaction alone, which a plain two-way bootstrap counts thrice
    ],
)
def test_interval_covers_the_truth_as_often_as_it_says(
    seeds: int, images: int, parts: tuple
) -> None:
    studies = 400
    rng = np.random.default_rng(8)
    found = [
        statistics.mean(crossed(rng, seeds, images, parts), k, draws=200) for k in range(studies)
    ]
    covered = sum(low <= 0 <= high for _, low, high in found)
    # Of 400 studies at 95 %, between 361 and 394 but once in 2,000.
    low, high = stats.binom.ppf([0.00025, 0.99975], studies, 0.95)
    assert low <= covered <= high


def test_difference_of_arms_covers_the_truth_and_finds_a_shift() -> None:
    rng = np.random.default_rng(9)
    covered = found = 0
    for k in range(300):
        images = rng.normal(size=(1, 60))
        a = images + crossed(rng, 5, 60, (0.3, 0, 0.5)) + 1
        b = images + crossed(rng, 4, 60, (0.3, 0, 0.5))
        _, low, high = statistics.difference(a, b, k, draws=200)
        covered += low <= 1 <= high
        found += low > 0
    bounds = stats.binom.ppf([0.00025, 0.99975], 300, 0.95)
    assert bounds[0] <= covered <= bounds[1]
    assert found > 270


def test_difference_shares_images_and_so_drops_what_they_do() -> None:
    rng = np.random.default_rng(10)
    images = 100 * rng.normal(size=(1, 50))
    a, b = images + rng.normal(size=(4, 50)) + 3, images + rng.normal(size=(6, 50))
    mean, low, high = statistics.difference(a, b, 0)
    assert mean == pytest.approx(a.mean() - b.mean())
    assert 2 < low < mean < high < 4
    np.testing.assert_allclose(statistics.difference(b, a, 0)[0], -mean)


def test_undefined_values_are_left_out_of_the_mean() -> None:
    values = np.random.default_rng(11).normal(size=(4, 30))
    values[0, :7] = NAN
    values[:, 29] = NAN
    expected = statistics.average(statistics.average(values, 1))
    assert statistics.mean(values, 0).mean == pytest.approx(expected)
    with_empty = np.concatenate([values, np.full((1, 30), NAN)])
    assert statistics.mean(with_empty, 0) == statistics.mean(values, 0)


def test_means_without_a_sample_of_seeds_and_images_have_no_interval() -> None:
    one = np.random.default_rng(12).normal(size=(1, 30))
    np.testing.assert_array_equal(statistics.mean(one, 0), [one.mean(), NAN, NAN])
    np.testing.assert_array_equal(statistics.mean(one.T, 0), [one.mean(), NAN, NAN])
    np.testing.assert_array_equal(statistics.mean(np.full((3, 5), NAN), 0), [NAN] * 3)
    two = statistics.difference(np.ones((2, 5)), one[:, :5], 0)
    np.testing.assert_array_equal(two, [1 - one[0, :5].mean(), NAN, NAN])


def test_constant_values_have_an_interval_of_no_width() -> None:
    np.testing.assert_allclose(statistics.mean(np.full((3, 7), 0.1), 0), [0.1] * 3, atol=1e-15)


def test_a_seed_gives_the_same_bits_and_another_others() -> None:
    values = np.random.default_rng(13).normal(size=(4, 30))
    assert statistics.mean(values, 1) == statistics.mean(values, 1)
    assert statistics.mean(values, 1) != statistics.mean(values, 2)


def swapped(differences: np.ndarray, seed: int = 0) -> Outcome:
    """The paired test of differences from zero."""
    return statistics.difference_test(differences, 0 * differences, seed, paired=True)


@pytest.mark.parametrize("n", [6, 9])
def test_a_paired_test_is_scipy_s_exact_permutation_test_of_signs(n: int) -> None:
    a, b = np.random.default_rng(n).normal([[0.4], [0]], 1, (2, n))
    theirs = stats.permutation_test(
        (a - b,), np.sum, permutation_type="samples", n_resamples=np.inf
    )
    ours = statistics.difference_test(a, b, 0, paired=True)
    assert ours.p == pytest.approx(theirs.pvalue)
    assert ours.least == 2 / 2**n


@pytest.mark.parametrize(("n", "m"), [(3, 8), (4, 4), (6, 8)])
def test_an_unpaired_test_is_scipy_s_exact_permutation_test(n: int, m: int) -> None:
    rng = np.random.default_rng(n)
    a, b = rng.normal(0.8, 1, n), rng.normal(0, 1, m)
    theirs = stats.permutation_test(
        (a, b), lambda a, b: abs(a.mean() - b.mean()), alternative="greater", n_resamples=np.inf
    )
    ours = statistics.difference_test(a, b, 0, paired=False)
    assert ours.p == pytest.approx(theirs.pvalue)
    assert ours.least == pytest.approx((2 if n == m else 1) / math.comb(n + m, n))


def test_in_a_null_study_few_of_seven_accuracies_are_significant() -> None:
    """Family-wise: 3 models of each of seven augmentations against 8 baselines, all alike."""
    rng = np.random.default_rng(5)
    studies = 200
    found = 0
    for _ in range(studies):
        base = rng.normal(0.9, 0.01, 8)
        tests = [
            statistics.difference_test(rng.normal(0.9, 0.01, 3), base, 0, paired=False)
            for _ in range(7)
        ]
        found += any(test.p <= 0.05 for test in statistics.corrected(tests))
    assert found <= stats.binom.ppf(0.99975, studies, 0.05)


def test_a_paired_test_enumerates_by_hand() -> None:
    differences = np.array([3.0, 1, 1, 2, -1, 4, 0, NAN])
    sums = [abs(np.dot(signs, differences[:7])) for signs in product([1, -1], repeat=7)]
    assert swapped(differences) == Outcome(np.mean(np.array(sums) >= 10), 2 / 128, "")


def test_ties_that_rounding_would_part_are_ties() -> None:
    # 0.1 + 0.2 − 0.3 is not 0 in floating point: all sums that are equal must count as equal.
    assert swapped(np.array([0.1, 0.2, -0.3, 0.1, 0.2, -0.3])).p == 1
    assert swapped(np.zeros(6)).p == 1
    assert swapped(np.full(6, 0.1)).p == 2 / 64


def test_labels_are_drawn_where_there_are_too_many_to_enumerate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(14)
    for paired in (True, False):
        a, b = rng.normal([[0.8], [0]], 1, (2, 7))
        exact = statistics.difference_test(a, b, 1, paired=paired)
        monkeypatch.setattr(statistics, "EXACT", 20)
        drawn = statistics.difference_test(a, b, 1, paired=paired)
        assert drawn != exact
        assert drawn.p == pytest.approx(exact.p, abs=4 * np.sqrt(exact.p / 10_000))
        assert statistics.difference_test(a, b, 1, paired=paired) == drawn
        monkeypatch.undo()
    assert swapped(np.ones(20), 1).p <= 3 / 10_000
    assert swapped(np.ones(20), 1).p >= 1 / 10_000  # never zero


@pytest.mark.parametrize("n", range(1, 6))
def test_fewer_than_six_pairs_give_words_instead_of_a_p(n: int) -> None:
    outcome = swapped(np.arange(1.0, n + 1))
    assert np.isnan(outcome.p)
    assert outcome.least == 2 / 2**n
    assert outcome.words == f"too few models: least possible p is {2 / 2**n:.3g}"


def test_six_pairs_of_one_sign_reach_the_least_p() -> None:
    assert swapped(np.arange(1.0, 7)) == Outcome(2 / 64, 2 / 64, "")


@given(st.lists(st.sampled_from([0.0, 0.001, 0.01, 0.02, 0.04, 0.2, 0.5, 1.0]), min_size=1))
@settings(max_examples=50, deadline=None)
def test_holm_is_statsmodels_s(p: list[float]) -> None:
    np.testing.assert_allclose(statistics.holm(p), multipletests(p, method="holm")[1])


def test_holm_leaves_out_what_was_not_tested() -> None:
    found = statistics.holm([0.01, NAN, 0.04])
    np.testing.assert_allclose(found, [0.02, NAN, 0.04])
    assert np.isnan(statistics.holm([NAN])).all()
    assert len(statistics.holm([])) == 0


def test_a_family_that_cannot_reach_significance_says_so() -> None:
    tests = [Outcome(2 / 64, 2 / 64, "")] * 2 + [Outcome(NAN, 0.25, "too few pairs")]
    found = statistics.corrected(tests)
    assert found[2] == tests[2]
    for outcome in found[:2]:
        assert np.isnan(outcome.p)
        assert outcome.least == 4 / 64
        assert outcome.words == "too few for 2 tests: least possible p is 0.0625"


def test_a_family_that_can_is_corrected() -> None:
    tests = [Outcome(0.03, 0.002, ""), Outcome(0.002, 0.002, "")]
    found = statistics.corrected(tests)
    assert found == [Outcome(0.03, 0.004, ""), Outcome(0.004, 0.004, "")]


def test_hedges_g_is_its_formula() -> None:
    a, b = np.array([1.0, 2, 3, 4]), np.array([0.0, 1, 5])
    pooled = np.sqrt((3 * a.var(ddof=1) + 2 * b.var(ddof=1)) / 5)
    # J(5) = Γ(2.5)/(√2.5·Γ(2)), Hedges (1981), table 1: 0.8408
    assert statistics.standardised(a, b).mean == pytest.approx(0.5 / pooled * 0.8408, rel=1e-4)
    assert statistics.standardised(a, b)[1:] == pytest.approx(
        [-x for x in statistics.standardised(b, a)[:0:-1]]
    )


@pytest.mark.parametrize(("n", "delta"), [(4, 0.5), (6, 3.0), (12, 10.0)])
def test_interval_of_g_is_the_noncentral_t_s(n: int, delta: float) -> None:
    differences = np.random.default_rng(n).normal(delta, 1, n)
    t = stats.ttest_1samp(differences, 0).statistic
    g, low, high = statistics.standardised_paired(differences)
    unbiased = g / (differences.mean() / differences.std(ddof=1))
    noncentral = np.array([low, high]) / unbiased * np.sqrt(n)
    np.testing.assert_allclose(stats.nct.cdf(t, n - 1, noncentral), [0.975, 0.025], atol=1e-4)


def test_interval_of_g_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(15)
    found = [
        statistics.standardised(rng.normal(1.5, 1, 4), rng.normal(0, 1, 5)) for _ in range(300)
    ]
    # The interval of d: the bias is taken out of its ends as well, by 0.88 here.
    covered = sum(low / 0.8882 <= 1.5 <= high / 0.8882 for _, low, high in found)
    bounds = stats.binom.ppf([0.00025, 0.99975], 300, 0.95)
    assert bounds[0] <= covered <= bounds[1]
    assert np.mean([g for g, _, _ in found]) == pytest.approx(1.5, abs=0.2)


@pytest.mark.parametrize(
    "found",
    [
        statistics.standardised([1.0], [1.0, 2.0, 3.0]),
        statistics.standardised([0.1, 0.1, 0.1], [0.3, 0.3]),
        statistics.standardised([NAN, NAN], [NAN, 1.0]),
        statistics.standardised_paired([1.0, 2.0]),
        statistics.standardised_paired([0.1] * 6),
        statistics.standardised_paired([]),
    ],
)
def test_effect_sizes_of_what_does_not_vary_are_undefined(found: Interval) -> None:
    assert np.isnan(found).all()


def test_corrected_overlap_is_zero_for_independent_masks_and_one_for_equal() -> None:
    rng = np.random.default_rng(16)
    a, b = rng.random((2, 1000, 1000)) < np.array([0.2, 0.3])[:, None, None]
    overlap = (a & b).sum() / (a | b).sum()
    found = statistics.corrected_overlap(overlap, a.mean(), b.mean(), a.mean() * b.mean())
    assert found == pytest.approx(0, abs=0.005)
    assert statistics.corrected_overlap(1, 0.2, 0.2, 0.04) == 1
    disjoint = statistics.corrected_overlap(0, 0.2, 0.2, 0.04)
    assert disjoint == pytest.approx(-(0.2 / 1.8) / (1.6 / 1.8))


def test_corrected_overlap_of_a_whole_or_empty_mask_is_undefined() -> None:
    areas = np.array([[1, 1, 0, 0.2], [1, 0.2, 0.2, 0.2]])
    found = statistics.corrected_overlap([1, 0.2, 0, NAN], *areas, areas.prod(axis=0))
    assert np.isnan(found).all()
