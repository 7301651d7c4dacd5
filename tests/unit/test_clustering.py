"""Clusters and counts of pairs against numpy, scipy, the tables they belong to, known structure."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

from campare import analysis, clustering

NAN = np.nan
NAMES = ["e", "d", "c", "b", "a"]
METRICS = ["pearson", "mad", "overlap"]


def grouped(
    rng: np.random.Generator, strength: float, *, seeds: int = 4, images: int = 150
) -> np.ndarray:
    """Values of three metrics in which augmentations 0 and 1, and 2, 3 and 4, are alike."""
    shared = rng.normal(size=(2, images))[[0, 0, 1, 1, 1]]
    models = strength * shared[:, None] + rng.normal(size=(5, seeds, images))
    return models + 0.3 * rng.normal(size=(3, 5, seeds, images))


def undefined(values: np.ndarray, share: float) -> np.ndarray:
    found = values.copy()
    found[np.random.default_rng(99).random(values.shape) < share] = NAN
    return found


def table_of(values: np.ndarray) -> pd.DataFrame:
    """The same values as `analysis.correlation` gets to see them."""
    metrics, _, seeds, images = values.shape
    models = [(name, seed) for name in NAMES for seed in range(seeds)]
    tables = [
        pd.DataFrame(
            {"index": range(images), "label": 0, "baseline_prediction": 0, "prediction": 0}
            | {METRICS[m]: values[m, NAMES.index(name), seed] for m in range(metrics)}
        )
        for name, seed in models
    ]
    return analysis.correlation(analysis.aggregate(models, tables), METRICS)


def sets(found: clustering.Clusters) -> list[set[int]]:
    return [set(np.flatnonzero(row).tolist()) for row in found.clusters]


@pytest.mark.parametrize("share", [0, 0.3])
def test_correlations_are_those_of_the_correlation_map(share: float) -> None:
    values = undefined(grouped(np.random.default_rng(0), 1) + 1000, share)
    expected = table_of(values)["pearson"].to_numpy().reshape(3, 5, 5)
    np.testing.assert_allclose(clustering.correlations(values), expected, atol=1e-9)


def test_constant_or_too_few_values_have_no_correlation() -> None:
    values = grouped(np.random.default_rng(1), 1)
    values[0, 1] = 0.1
    values[1, 2, :, 1:] = NAN
    found = clustering.correlations(values)
    assert np.isnan(found[0, 1]).all() and np.isnan(found[0, :, 1]).all()
    assert np.isnan(found[1, 2]).all() and np.isnan(found[1, :, 2]).all()
    assert np.isnan(found).sum() == 18


def test_resampling_weighs_seeds_and_images_as_repeating_them_would() -> None:
    rng = np.random.default_rng(2)
    values = undefined(grouped(rng, 1), 0.2)[0]
    seeds, images = rng.integers(3, size=(5, 4)), rng.integers(3, size=150)
    seeds[:, 0] += 1
    total = seeds.sum(axis=1).max()
    repeated = np.full((5, total, images.sum()), NAN)
    for a in range(5):
        rows = np.repeat(values[a], seeds[a], axis=0)
        repeated[a, : len(rows)] = np.repeat(rows, images, axis=1)
    found = clustering._correlation(values, seeds.astype(float), images.astype(float))
    np.testing.assert_allclose(found, clustering.correlations(repeated[None])[0], atol=1e-9)


@pytest.mark.parametrize("share", [0, 0.001, 0.3, 0.9])
def test_many_resamples_and_relabellings_are_correlated_as_one_is(share: float) -> None:
    rng = np.random.default_rng(7)
    offsets = rng.normal(size=(5, 4, 1))  # of models, beside the common one
    values = undefined(grouped(rng, 1)[0] + offsets + 1000, share)
    values[4] = np.where(np.isnan(values[4]), NAN, 1000.1)  # constant
    resampling = clustering._Metric(values, clustering._centres(values))
    relabelling, all_images = clustering._Metric(values, np.full(5, 1000.0)), np.ones(150)
    for _ in range(20):
        seeds, images = rng.multinomial(4, [0.25] * 4, 5) * 1.0, rng.poisson(1, 150) * 1.0
        expected = clustering._correlation(values, seeds, images)
        np.testing.assert_allclose(resampling.resampled(seeds, images), expected, 0, 1e-12)
        order = rng.permuted(np.tile(np.arange(5)[:, None], 4), axis=0)
        mixed = values[order, np.arange(4)]
        expected = clustering._correlation(mixed, np.ones((5, 4)), all_images)
        np.testing.assert_allclose(relabelling.relabelled(order), expected, 0, 1e-12)
    assert np.isnan(resampling.resampled(seeds, images)[4]).all()


def test_combined_correlation_is_the_mean_of_fisher_s_z() -> None:
    a, b = np.eye(3), np.eye(3)
    a[0, 1] = a[1, 0] = 0.9
    b[0, 1] = b[1, 0] = 0.2
    a[0, 2] = a[2, 0] = NAN
    b[0, 2] = b[2, 0] = 0.4
    a[1, 2] = a[2, 1] = 1
    found = clustering.combined([a, b])
    assert found[0, 1] == pytest.approx(np.tanh((np.arctanh(0.9) + np.arctanh(0.2)) / 2))
    assert found[0, 2] == pytest.approx(0.4)
    assert found[1, 2] < 1  # one metric alone does not make two augmentations the same
    np.testing.assert_array_equal(np.diag(found), 1)


def test_tree_is_scipy_s_average_linkage_of_one_minus_r() -> None:
    values = grouped(np.random.default_rng(3), 1)
    r = np.corrcoef(values[1].mean(axis=1))
    found = clustering.clusters(values, 0, draws=1)[1]
    expected = hierarchy.linkage(squareform(1 - r, checks=False), "average")
    np.testing.assert_allclose(found.linkage, expected, atol=1e-9)
    for clusters in (2, 3):
        flat = hierarchy.fcluster(expected, clusters, "maxclust")
        ours = {frozenset(cluster) for cluster in sets(found)} | {frozenset([i]) for i in range(5)}
        assert {frozenset(np.flatnonzero(flat == k).tolist()) for k in set(flat)} <= ours


def test_clusters_that_are_there_are_found_and_stable() -> None:
    for found in clustering.clusters(grouped(np.random.default_rng(4), 2), 0, draws=60):
        assert found.kept.all()
        assert found.resamples == 60
        support = dict(zip(map(frozenset, sets(found)), found.support, strict=True))
        assert support[frozenset([0, 1])] > 0.95
        assert support[frozenset([2, 3, 4])] > 0.95
        assert support[frozenset(range(5))] == 1  # all of them always are one
        # Which two of three equal ones come first is not stable.
        (inner,) = [s for s in support if len(s) == 2 and s != {0, 1}]
        assert support[inner] < 0.95


def test_clusters_of_augmentations_that_are_all_alike_are_not_stable() -> None:
    inner = [
        found.support[:-1]
        for k in range(4)
        for found in clustering.clusters(grouped(np.random.default_rng(k), 0), k, draws=40)
    ]
    assert np.mean(inner) < 0.5


def test_paired_seeds_are_drawn_together() -> None:
    # A seed that all augmentations share: drawn apart, what it adds would part them.
    rng = np.random.default_rng(5)
    values = np.zeros((1, 5, 6, 200)) + 5 * rng.normal(size=(1, 1, 6, 200))
    values += grouped(rng, 1.5, seeds=6, images=200)[:1] * 0.3
    apart, together = (clustering.clusters(values, 0, draws=60, paired=p)[0] for p in (False, True))
    np.testing.assert_array_equal(apart.linkage, together.linkage)
    assert together.support[:-1].mean() > apart.support[:-1].mean() + 0.2


def test_an_augmentation_without_correlations_is_not_in_the_tree() -> None:
    values = grouped(np.random.default_rng(6), 2)
    values[0, 3] = 0.5
    first, *_, overall = clustering.clusters(values, 0, draws=20)
    np.testing.assert_array_equal(first.kept, [True, True, True, False, True])
    assert first.linkage.shape == (3, 4)
    assert first.clusters.shape == (3, 5)
    assert not first.clusters[:, 3].any()
    assert set(map(frozenset, sets(first))) == {
        frozenset([0, 1]),
        frozenset([2, 4]),
        frozenset([0, 1, 2, 4]),
    }
    assert overall.kept.all()  # the other metrics define it


def test_nothing_defined_gives_an_empty_tree() -> None:
    for found in clustering.clusters(np.full((2, 3, 2, 10), NAN), 0, draws=3):
        assert found.kept.sum() <= 1
        assert found.linkage.shape == (0, 4)
        assert found.clusters.shape == (0, 3)
        assert len(found.support) == 0


def test_one_seed_is_no_obstacle() -> None:
    values = grouped(np.random.default_rng(7), 2, seeds=1)
    assert clustering.clusters(values, 0, draws=20)[0].support[-1] == 1
    strongest, _ = clustering.by_chance(values, 2, 0, draws=50)
    # Labels are all that one seed can permute: some pair always has the highest count.
    assert strongest.p_any[strongest.counts.argmax()] == 1


@pytest.mark.parametrize("share", [0, 0.2])
def test_counts_are_those_of_tables_5_1_and_5_2(share: float) -> None:
    values = undefined(grouped(np.random.default_rng(8), 0.3), share)
    correlation = table_of(values)
    pairs = list(combinations(NAMES, 2))
    both = clustering.by_chance(values, 3, 0, draws=5)
    for found, strongest in zip(both, (True, False), strict=True):
        table = analysis.top_pairs(correlation, 3, strongest=strongest)
        counts = table.set_index(["augmentation_a", "augmentation_b"])["count"]
        np.testing.assert_array_equal(found.counts, counts.reindex(pairs, fill_value=0))


def test_expected_count_is_every_pair_s_share() -> None:
    for found in clustering.by_chance(grouped(np.random.default_rng(9), 1), 4, 0, draws=20):
        assert found.expected == pytest.approx(4 * 3 / 10)


def test_pairs_that_go_together_are_beyond_chance() -> None:
    strongest, weakest = clustering.by_chance(
        grouped(np.random.default_rng(10), 2), 4, 0, draws=199
    )
    alike = [places in ((0, 1), (2, 3), (2, 4), (3, 4)) for places in combinations(range(5), 2)]
    np.testing.assert_array_equal(strongest.counts, np.where(alike, 3, 0))
    assert (strongest.p[alike] <= strongest.p_any[alike]).all()
    assert (strongest.p[~np.array(alike)] == 1).all()
    assert not weakest.counts[alike].any()


def test_dependent_metrics_reach_high_counts_by_chance() -> None:
    """Three metrics that are one: a pair in the top of one is in the top of all."""
    rng = np.random.default_rng(11)
    one = rng.normal(size=(1, 5, 3, 80))
    same, _ = clustering.by_chance(np.repeat(one, 3, axis=0), 2, 0, draws=199)
    apart, _ = clustering.by_chance(rng.normal(size=(3, 5, 3, 80)), 2, 0, draws=199)
    assert set(same.counts) == {0, 3}
    assert same.expected == pytest.approx(apart.expected) == pytest.approx(0.6)
    assert same.p[same.counts == 3] == pytest.approx([0.2, 0.2])
    assert same.p_any[same.counts == 3].tolist() == [1, 1]
    assert set(apart.counts) != {0, 3}


def test_augmentations_that_do_nothing_are_beyond_chance_as_often_as_p_says() -> None:
    studies = 120
    rng = np.random.default_rng(12)
    # Counts are whole and few: p is often above what was observed, and never too often below.
    below = sum(
        clustering.by_chance(rng.normal(size=(3, 4, 3, 30)), 1, k, draws=59)[0].p_any.min() <= 0.25
        for k in range(studies)
    )
    assert below <= stats.binom.ppf(0.9995, studies, 0.25)
    assert below > 0


def test_a_seed_gives_the_same_bits() -> None:
    values = grouped(np.random.default_rng(13), 1)
    first, second = (clustering.clusters(values, 3, draws=10) for _ in range(2))
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a.support, b.support)
