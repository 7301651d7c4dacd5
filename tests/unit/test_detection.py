"""Which metrics detect a known change: against scikit-learn, scipy, and simulated networks."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import stats
from sklearn.metrics import average_precision_score, roc_auc_score

from campare import columns, detection
from campare.detection import Arm
from campare.known_changes import UNCHANGED

Doubles = NDArray[np.float64]


def matrix(points: Doubles) -> Doubles:
    """Distances between all points (n, dimensions); NaN on the diagonal."""
    table = np.sqrt(((points[:, None] - points[None]) ** 2).sum(-1))
    np.fill_diagonal(table, np.nan)
    return table


def networks(rng: np.random.Generator, n: int, effect: float) -> Doubles:
    """Distances of n networks without and n with a change, by which their mean moves."""
    points = rng.normal(size=(2 * n, 8))
    points[n:, 0] += effect
    return matrix(points)


def by_sklearn(table: Doubles, group: NDArray[np.bool_], counts: Doubles) -> list[float]:
    """AUPRC and AUROC of both groups, averaged, from scikit-learn, with weights of pairs."""
    found = []
    for of in (False, True):
        pairs = [
            (i, j)
            for i, j in combinations(range(len(table)), 2)
            if of in (group[i], group[j]) and not np.isnan(table[i, j])
        ]
        within = [group[i] == group[j] for i, j in pairs]
        similarity = [-table[i, j] for i, j in pairs]
        weights = [counts[i] * counts[j] for i, j in pairs]
        found.append(
            [
                average_precision_score(within, similarity, sample_weight=weights),
                roc_auc_score(within, similarity, sample_weight=weights),
            ]
        )
    return list(np.mean(found, axis=0))


@pytest.mark.parametrize("digits", [1, 12])  # with ties, and without
def test_areas_are_those_of_scikit_learn(digits: int) -> None:
    rng = np.random.default_rng(0)
    group = np.repeat([False, True], [5, 6])
    for effect in (0, 2, 6):
        points = rng.normal(size=(11, 8))
        points[5:, 0] += effect
        table = matrix(points).round(digits)
        table[0, 7] = table[7, 0] = np.nan  # a pair that shares a seed
        counts = rng.integers(0, 3, size=(4, 11)).astype(float)
        counts[0] = 1
        counts[:, [0, 1, 5, 6]] = np.maximum(counts[:, [0, 1, 5, 6]], 1)
        found = detection._Ranked(table).separated(np.repeat(group[None], 4, axis=0), counts)
        expected = [by_sklearn(table, group, own) for own in counts]
        np.testing.assert_allclose(found.T, expected, rtol=0, atol=1e-12)
        separated = detection.separation(table, group, 0, draws=50)
        assert separated.auprc.mean == pytest.approx(expected[0][0])
        assert separated.auroc.mean == pytest.approx(expected[0][1])


def test_without_a_change_auprc_is_at_chance_and_auroc_at_a_half() -> None:
    """For few pairs chance is above the prior, the share of the pairs within groups."""
    rng = np.random.default_rng(1)
    for n, prior in ((4, 6 / 22), (5, 10 / 35)):
        group = np.arange(2 * n) >= n
        found = [detection.separation(networks(rng, n, 0), group, 0, draws=2) for _ in range(150)]
        auprc, auroc = (np.array([one[k].mean for one in found]) for k in (0, 1))
        assert found[0].prior == pytest.approx(prior)
        chance = np.mean([one.chance for one in found])
        assert prior < chance < prior + 0.12
        assert auprc.mean() == pytest.approx(chance, abs=4 * auprc.std() / np.sqrt(150))
        assert auroc.mean() == pytest.approx(0.5, abs=4 * auroc.std() / np.sqrt(150))


def test_chance_is_the_mean_over_all_relabellings() -> None:
    table, group = networks(np.random.default_rng(2), 4, 1.0), np.arange(8) >= 4
    labels = [np.isin(np.arange(8), members) for members in combinations(range(8), 4)]
    expected = np.mean([by_sklearn(table, one, np.ones(8))[0] for one in labels])
    assert detection.separation(table, group, 0, draws=2).chance == pytest.approx(expected)


def test_areas_grow_with_the_change_up_to_one() -> None:
    rng = np.random.default_rng(3)
    group = np.arange(10) >= 5
    means = [
        np.mean(
            [detection.separation(networks(rng, 5, e), group, 0, 2).auprc.mean for _ in range(40)]
        )
        for e in (0, 3, 6, 40)
    ]
    assert means == sorted(means)
    assert means[0] < 0.45 < means[1] < means[2] < means[3] == pytest.approx(1)
    separated = detection.separation(networks(rng, 5, 40), group, 0)
    assert separated.auprc == separated.auroc == (1, 1, 1)


def test_most_intervals_contain_the_expected_value() -> None:
    rng, group = np.random.default_rng(4), np.arange(10) >= 5
    ones = np.ones((1, 10))
    expected = np.mean(
        [
            detection._Ranked(networks(rng, 5, 2)).separated(group[None], ones)[0, 0]
            for _ in range(400)
        ]
    )
    found = [detection.separation(networks(rng, 5, 2), group, 0, 200).auprc for _ in range(60)]
    assert np.mean([one.low <= expected <= one.high for one in found]) > 0.88


def test_undefined_for_a_group_of_one_network() -> None:
    found = detection.separation(matrix(np.eye(4)), [False, False, False, True], 0)
    assert np.isnan(found.auprc.mean)
    assert np.isnan(found.chance)


def test_the_correlation_is_spearmans() -> None:
    rng = np.random.default_rng(5)
    strengths = np.repeat([0, 1, 2, 3], 5)
    points = rng.normal(size=(20, 8))
    points[:, 0] += 0.8 * strengths
    table = matrix(points)
    base = table[:, :5]
    far = np.nanmean(base, axis=1)  # without the network itself, which is NaN
    interval, drawn = detection.rank_correlation(table, strengths, 0)
    assert interval.mean == pytest.approx(stats.spearmanr(strengths, far).statistic)
    assert interval.low < interval.mean < interval.high
    # A draw is the correlation of a list in which networks are repeated.
    counts = np.empty((1, 20))
    for strength in range(4):
        counts[:, strengths == strength] = detection._resampled(5, int(strength > 0), 0, 1000)[:1]
    times = counts[0].astype(int)
    with np.errstate(invalid="ignore"):
        own = np.nansum(base * times[:5], 1) / (~np.isnan(base) * times[:5]).sum(1)
    expected = stats.spearmanr(np.repeat(strengths, times), np.repeat(own, times)).statistic
    assert drawn[0] == pytest.approx(expected)


def test_the_correlation_is_zero_on_average_without_a_change() -> None:
    rng, strengths = np.random.default_rng(6), np.repeat([0, 1, 2], 5)
    found = [
        detection.rank_correlation(matrix(rng.normal(size=(15, 8))), strengths, 0, 2)[0].mean
        for _ in range(300)
    ]
    assert np.mean(found) == pytest.approx(0, abs=4 * np.std(found) / np.sqrt(300))


ARMS = [
    Arm(UNCHANGED, UNCHANGED, "", 0),
    Arm("noise_0p1", "noise", "0.1", 1),
    Arm("noise_0p5", "noise", "0.5", 2),
    Arm("other", "other", "1", 1),
]


def simulated(images: int = 6) -> tuple[dict[str, pd.DataFrame], list[tuple[str, int]]]:
    """Pairs of five networks of each arm; `mad` sees the noise, `msd` sees nothing."""
    rng = np.random.default_rng(7)
    models = [("baseline", seed) for seed in range(1, 6)]
    models += [(arm.name, seed) for arm in ARMS for seed in range(21, 26)]
    effect = {"noise_0p1": 1.0, "noise_0p5": 8.0}
    place = {model: rng.normal(size=8) for model in models}
    for (name, _), point in place.items():
        point[0] += effect.get(name, 0)
    other = {model: rng.normal(size=8) for model in models}

    def rows(a: tuple[str, int], b: tuple[str, int]) -> pd.DataFrame:
        values = {
            metric: np.linalg.norm(points[a] - points[b]) + 0.01 * rng.normal(size=images)
            for metric, points in (("mad", place), ("msd", other))
        }
        ends = dict(zip(("a", "seed_a", "b", "seed_b"), a + b, strict=True))
        return pd.DataFrame({**ends, "index": range(images), **values})

    pairs = {}
    for name in ("baseline", *(arm.name for arm in ARMS)):
        ours = [model for model in models if model[0] == name]
        listed = [*combinations(ours, 2)]
        if name != "baseline":
            listed += [(base, own) for base in models[:5] for own in ours]
        pairs[name] = pd.concat([rows(*pair) for pair in listed], ignore_index=True)
    return pairs, models


def test_tables_say_which_metric_is_blind_to_what() -> None:
    pairs, models = simulated()
    accuracy = {"baseline": 0.9, **{arm.name: 0.5 for arm in ARMS}}
    changes, summary = detection.tables(pairs, ARMS, models, accuracy, ["mad", "msd"], 0)
    assert list(changes) == list(columns.TABLES["known_changes"].columns)
    assert list(summary) == list(columns.TABLES["known_changes_summary"].columns)
    row = changes.set_index(["metric", "change", "level"])
    assert row.loc[("mad", "noise", "0.5"), "shift_p"] == pytest.approx(2 / 252)
    assert row.loc[("mad", "noise", "0.5"), "auprc"] > 0.95
    assert (changes[changes["change"] == UNCHANGED]["auroc"] < 0.7).all()
    assert (row["reference_accuracy"] == 0.9).all()
    of = summary.set_index(["metric", "change"])
    assert (
        of.loc[("mad", "noise"), "correlation_low"]
        > 0
        > of.loc[("msd", "noise"), "correlation_low"]
    )
    assert np.isnan(of.loc[("mad", "other"), "correlation"])  # one level
    assert "Noise 0.5" not in of.loc[("mad", "all"), "undetected"]
    assert "Noise 0.5" in of.loc[("msd", "all"), "undetected"]
    # The networks that differ by their seeds alone are no change.
    assert list(summary["change"].unique()) == ["noise", "other", "all"]
    assert of.loc[("mad", "all"), "arms"] == 3
    mean = changes[(changes["metric"] == "mad") & (changes["change"] == "noise")]["auprc"].mean()
    assert of.loc[("mad", "noise"), "auprc"] == pytest.approx(mean)
    both = [mean, row.loc[("mad", "other", "1"), "auprc"]]
    assert of.loc[("mad", "all"), "auprc"] == pytest.approx(np.mean(both))


def test_a_change_that_cannot_be_tested_is_not_among_the_undetected() -> None:
    pairs, models = simulated()
    # As a correlation with constant maps.
    pairs["noise_0p1"] = pairs["noise_0p1"].assign(msd=np.nan)
    accuracy = {"baseline": 0.9, **{arm.name: 0.5 for arm in ARMS}}
    changes, summary = detection.tables(pairs, ARMS, models, accuracy, ["mad", "msd"], 0)
    of = summary.set_index(["metric", "change"])
    assert list(of["arms"]) == [2, 1, 3, 1, 1, 2]
    assert of.loc[("msd", "noise"), "undetected"] == "Noise 0.5"
    assert (of["detected"] + of["undetected"].str.count(r"\d+(?:;|$)") == of["arms"]).all()
    # A mean over the levels needs all of them, in the estimate as in the interval.
    defined = changes[(changes["metric"] == "msd") & (changes["change"] == "noise")]["auprc"]
    assert list(defined.isna()) == [True, False]
    for kind in ("noise", "all"):
        assert of.loc[("msd", kind), ["auprc", "auprc_low", "auprc_high"]].isna().all()
    assert of.loc[("msd", "other"), ["auprc", "auprc_low", "auprc_high"]].notna().all()
    assert of.loc["mad"]["auprc"].notna().all()
