"""Excess divergence against simulated maps whose truth is known, scipy and brute force."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from campare import excess, statistics

NAN = np.nan


def pairs_of(models: int) -> np.ndarray:
    return np.array(list(combinations(range(models), 2)))


def study(
    rng: np.random.Generator, base: int, augmented: int, *, images: int = 30, moved: float = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean squared differences of simulated maps of nine pixels: their excess is moved².

    A map has what all models see in an image, what its model adds to every image, and noise.
    """
    arm = np.arange(base + augmented) >= base
    shape = (base + augmented, images, 9)
    maps = rng.normal(size=shape[1:]) + 0.3 * rng.normal(size=(len(arm), 1, 9))
    maps = maps + rng.normal(size=shape) * rng.lognormal(0, 0.2, (len(arm), 1, 1))
    maps[arm] += moved
    pairs = pairs_of(len(arm))
    return ((maps[pairs[:, 0]] - maps[pairs[:, 1]]) ** 2).mean(axis=2), pairs, arm


def by_hand(table: np.ndarray, augmented: list[int], base: list[int]) -> float:
    """The definition, over lists of models; pairs of a model with itself are left out."""
    between = np.mean([table[a, b] for a in augmented for b in base])
    within = [
        np.mean([table[a, b] for a, b in combinations(side, 2) if a != b])
        for side in (base, augmented)
    ]
    return between - sum(within) / 2


def test_excess_is_its_definition() -> None:
    d, pairs, arm = study(np.random.default_rng(0), 3, 4, moved=0.5)
    found = excess.excess(d, pairs, arm, 0, draws=50)
    table = excess.matrix(d.mean(axis=1), pairs, 7)
    assert found.excess.mean == pytest.approx(by_hand(table, [3, 4, 5, 6], [0, 1, 2]))
    assert found.kinds[0].mean == pytest.approx(np.mean([table[0, 1], table[0, 2], table[1, 2]]))
    assert found.kinds[1].mean == pytest.approx(table[:3, 3:].mean())
    assert excess.WEIGHTS @ [kind.mean for kind in found.kinds] == pytest.approx(found.excess.mean)


def test_order_of_models_and_pairs_does_not_matter() -> None:
    d, pairs, arm = study(np.random.default_rng(1), 4, 4)
    rng = np.random.default_rng(2)
    places, order = rng.permutation(8), rng.permutation(len(pairs))
    shuffled = places[pairs][order][:, ::-1]
    moved = np.empty(8, bool)
    moved[places] = arm
    a = excess.excess(d, pairs, arm, 0, draws=2000)
    b = excess.excess(d[order], shuffled, moved, 0, draws=2000)
    assert b.excess.mean == pytest.approx(a.excess.mean)
    assert b.test.p == pytest.approx(a.test.p)
    width = a.excess.high - a.excess.low
    assert b.excess.high - b.excess.low == pytest.approx(width)
    np.testing.assert_allclose(b.excess, a.excess, atol=0.1 * width)


def test_draws_resample_models_and_images_and_leave_out_a_model_s_pair_with_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    d, pairs, arm = study(np.random.default_rng(3), 3, 4, images=12, moved=1)
    drawn = []
    monkeypatch.setattr(statistics, "interval", lambda mean, draws, *_: drawn.append(draws))
    excess.excess(d, pairs, arm, 5, draws=60)

    rng = np.random.default_rng(5)
    images = statistics.resampled(rng, 60, 12).astype(int)
    base, augmented = (statistics.resampled(rng, 60, n).astype(int) for n in (3, 4))
    for k in range(60):
        table = excess.matrix(np.repeat(d, images[k], axis=1).mean(axis=1), pairs, 7)
        sides = [np.repeat([3, 4, 5, 6], augmented[k]), np.repeat([0, 1, 2], base[k])]
        if min(len(set(side.tolist())) for side in sides) < 2:
            assert np.isnan(drawn[0][k])  # one model alone: nothing within the arm
            continue
        assert drawn[0][k] == pytest.approx(by_hand_with_repeats(table, *sides))


def by_hand_with_repeats(table: np.ndarray, augmented: np.ndarray, base: np.ndarray) -> float:
    within = [
        np.nanmean([table[a, b] for a, b in combinations(side, 2)]) for side in (base, augmented)
    ]
    return float(table[np.ix_(augmented, base)].mean() - sum(within) / 2)


def test_an_augmentation_that_is_the_identity_has_an_excess_that_covers_zero() -> None:
    """Over 400 studies of five models against five, none of which differ but by chance.

    The interval must cover zero at 95 % or more (it is conservative where nothing moves), yet not
    by being endless: the truth of moved maps is tested below. Of the 252 relabellings p ≤ 0.05
    takes the upper 12, so exactly 12/252 of such studies. Bounds are left once in 4,000 on a side.
    """
    studies = 400
    rng = np.random.default_rng(10)
    covered = rejected = 0
    widths, means = [], []
    for k in range(studies):
        found = excess.excess(*study(rng, 5, 5), k, draws=200)
        covered += found.excess.low <= 0 <= found.excess.high
        rejected += found.test.p <= 0.05
        widths.append(found.excess.high - found.excess.low)
        means.append(found.excess.mean)
    assert covered >= stats.binom.ppf(0.00025, studies, 0.95)
    low, high = stats.binom.ppf([0.00025, 0.99975], studies, 12 / 252)
    assert low <= rejected <= high
    # No estimate is off zero on average, and no interval twice as wide as it need be.
    assert abs(np.mean(means)) < 3.5 * np.std(means) / np.sqrt(studies)
    assert np.mean(widths) < 2 * 2 * stats.norm.ppf(0.975) * np.std(means)


@pytest.mark.parametrize(("moved", "power"), [(0.5, 0.7), (1.0, 0.9)])
def test_maps_moved_by_a_known_amount_are_found(moved: float, power: float) -> None:
    # The interval, two-sided and conservative, has less power than the test where little moves.
    studies = 200
    rng = np.random.default_rng(11)
    covered = outside = rejected = 0
    for k in range(studies):
        found = excess.excess(*study(rng, 5, 6, moved=moved), k, draws=200)
        covered += found.excess.low <= moved**2 <= found.excess.high
        outside += found.excess.low > 0
        rejected += found.test.p <= 0.05
    assert covered >= stats.binom.ppf(0.00025, studies, 0.95)
    assert rejected >= 0.9 * studies
    assert outside >= power * studies


def test_relabelling_is_scipy_s_exact_permutation_test() -> None:
    d, pairs, arm = study(np.random.default_rng(12), 4, 5, moved=0.3)
    table = excess.matrix(d.mean(axis=1), pairs, 9)
    theirs = stats.permutation_test(
        (np.flatnonzero(arm), np.flatnonzero(~arm)),
        lambda a, b: by_hand(table, a.astype(int).tolist(), b.astype(int).tolist()),
        alternative="greater",
        n_resamples=np.inf,
    )
    ours = excess.relabelled(table, arm, 0)
    assert ours.p == pytest.approx(theirs.pvalue)
    assert 1 / 126 < ours.p < 1
    assert ours.least == 1 / 126


def test_relabellings_are_drawn_where_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    d, pairs, arm = study(np.random.default_rng(13), 6, 6, moved=0.2)
    table = excess.matrix(d.mean(axis=1), pairs, 12)
    exact = excess.relabelled(table, arm, 0)
    monkeypatch.setattr(excess, "EXACT", 100)
    drawn = excess.relabelled(table, arm, 0)
    assert drawn != exact
    assert drawn.p == pytest.approx(exact.p, abs=4 * np.sqrt(exact.p / 10_000))
    assert excess.relabelled(table, arm, 0) == drawn
    # The observed labelling is one of them: p is never zero.
    table[:6, 6:] = table[6:, :6] = 100
    monkeypatch.setattr(excess, "SAMPLED", 20)
    assert excess.relabelled(table, arm, 0).p >= 1 / 21


@pytest.mark.parametrize(
    ("base", "augmented", "least"), [(3, 3, 2 / 20), (2, 2, 2 / 6), (2, 4, 1 / 15)]
)
def test_too_few_models_give_words_instead_of_a_p(base: int, augmented: int, least: float) -> None:
    d, pairs, arm = study(np.random.default_rng(14), base, augmented, moved=5)
    outcome = excess.excess(d, pairs, arm, 0, draws=50).test
    assert np.isnan(outcome.p)
    assert outcome.least == least
    assert outcome.words == f"too few models: least possible p is {least:.3g}"


@pytest.mark.parametrize(("base", "augmented", "p"), [(3, 4, 1 / 35), (4, 4, 2 / 70)])
def test_arms_far_apart_reach_the_least_p(base: int, augmented: int, p: float) -> None:
    d, pairs, arm = study(np.random.default_rng(15), base, augmented, moved=5)
    outcome = excess.excess(d, pairs, arm, 0, draws=50).test
    assert outcome.p == outcome.least == p


def test_an_arm_of_one_model_has_no_excess_but_a_distance_between_the_arms() -> None:
    d, pairs, arm = study(np.random.default_rng(16), 1, 4)
    found = excess.excess(d, pairs, arm, 0, draws=50)
    assert np.isnan(found.excess).all()
    assert found.test.words == "too few models: each arm needs two with defined distances"
    assert np.isnan(found.kinds[0]).all()
    assert found.kinds[1].mean == pytest.approx(d[:4].mean())
    assert np.isnan(found.kinds[1].low)
    assert np.isfinite(found.kinds[2]).all()


def test_two_models_have_one_distance_and_no_interval_of_it() -> None:
    d, pairs, arm = study(np.random.default_rng(17), 2, 4)
    found = excess.excess(d, pairs, arm, 0, draws=50)
    assert found.kinds[0].mean == pytest.approx(d[0].mean())
    assert np.isnan(found.kinds[0][1:]).all()
    assert np.isfinite(found.excess).all()


def test_undefined_distances_are_left_out() -> None:
    rng = np.random.default_rng(18)
    d, pairs, arm = study(rng, 4, 4, moved=1)
    whole = excess.excess(d, pairs, arm, 0).excess
    d[rng.random(d.shape) < 0.2] = NAN
    d[:, 3] = NAN
    found = excess.excess(d, pairs, arm, 0)
    assert found.excess.mean == pytest.approx(
        by_hand(excess.matrix(np.nanmean(d, axis=1), pairs, 8), [4, 5, 6, 7], [0, 1, 2, 3])
    )
    np.testing.assert_allclose(found.excess, whole, atol=0.5)
    # A model whose distances are all undefined is as one that is not there.
    d[(pairs == 0).any(axis=1)] = NAN
    without = excess.excess(d, pairs, arm, 0)
    kept = (pairs != 0).all(axis=1)
    alone = excess.excess(d[kept], pairs[kept] - 1, arm[1:], 0)
    assert without.excess.mean == pytest.approx(alone.excess.mean)
    assert without.test == alone.test
    assert without.excess.high - without.excess.low == pytest.approx(
        alone.excess.high - alone.excess.low, rel=0.25
    )


def test_nothing_defined_gives_nothing() -> None:
    _, pairs, arm = study(np.random.default_rng(19), 4, 4)
    found = excess.excess(np.full((28, 30), NAN), pairs, arm, 0, draws=50)
    assert np.isnan(found.excess).all()
    assert np.isnan(found.test.p)
    assert found.test.words
    assert np.isnan(excess.superiority(np.full((28, 30), NAN), pairs, arm, 0, draws=50)).all()


def test_equal_distances_have_no_excess_and_p_one() -> None:
    _, pairs, arm = study(np.random.default_rng(20), 4, 4)
    found = excess.excess(np.full((28, 30), 0.1), pairs, arm, 0, draws=50)
    np.testing.assert_allclose(found.excess, 0, atol=1e-12)
    assert found.test.p == 1
    assert excess.superiority(np.full((28, 30), 0.1), pairs, arm, 0, draws=50).mean == 0.5


def test_missing_or_doubled_pairs_are_refused() -> None:
    d, pairs, arm = study(np.random.default_rng(21), 3, 3)
    for rows in (slice(1, None), [0, 0, *range(2, 15)]):
        with pytest.raises(ValueError, match="each once"):
            excess.excess(d[rows], pairs[rows], arm, 0)


def test_superiority_is_its_definition() -> None:
    rng = np.random.default_rng(22)
    d, pairs, arm = study(rng, 3, 2, images=7)
    d = np.round(d, 1)  # with ties
    d[2, 3] = NAN
    value = {frozenset(pair): row for pair, row in zip(pairs.tolist(), d, strict=True)}
    shares = []
    for a in (3, 4):
        for b in range(3):
            for c in set(range(3)) - {b}:
                gap = value[frozenset((a, b))] - value[frozenset((c, b))]
                shares.append(
                    np.nanmean(np.where(np.isnan(gap), NAN, (gap > 0) + 0.5 * (gap == 0)))
                )
    found = excess.superiority(d, pairs, arm, 0, draws=50)
    assert found.mean == pytest.approx(np.mean(shares))


def test_superiority_covers_one_half_where_nothing_moves_and_finds_what_does() -> None:
    studies = 150
    rng = np.random.default_rng(23)
    covered = found = 0
    means = []
    for k in range(studies):
        mean, low, high = excess.superiority(*study(rng, 5, 5, images=20), k, draws=200)
        covered += low <= 0.5 <= high
        means.append(mean)
        found += excess.superiority(*study(rng, 5, 5, images=20, moved=1.5), k, draws=200).low > 0.5
    assert covered >= stats.binom.ppf(0.00025, studies, 0.95)
    assert abs(np.mean(means) - 0.5) < 3.5 * np.std(means) / np.sqrt(studies)
    assert found >= 0.9 * studies


def test_superiority_needs_baselines_of_its_own() -> None:
    d, pairs, arm = study(np.random.default_rng(24), 1, 3)
    assert np.isnan(excess.superiority(d, pairs, arm, 0)).all()
    d, pairs, arm = study(np.random.default_rng(25), 2, 3)
    mean, low, high = excess.superiority(d, pairs, arm, 0)
    assert 0 < mean < 1
    assert np.isnan([low, high]).all()
