"""Contrasts of two arms of models against simulated maps of known truth, scipy, brute force."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from campare import shift

NAN = np.nan


def pairs_of(models: int) -> np.ndarray:
    return np.array(list(combinations(range(models), 2)))


def study(
    rng: np.random.Generator,
    base: int,
    augmented: int,
    *,
    images: int = 30,
    moved: float = 0,
    tightened: float = 0,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean squared differences of simulated maps of nine pixels: their shift is moved².

    A map has what all models see in an image, what its model adds to every image, and noise.
    `tightened` is the share of their own variance that augmented models do without.
    """
    arm = np.arange(base + augmented) >= base
    shape = (base + augmented, images, 9)
    own = 0.3 * rng.normal(size=(len(arm), 1, 9))
    own = own + rng.normal(size=shape) * rng.lognormal(0, 0.2, (len(arm), 1, 1))
    own[arm] = moved + np.sqrt(1 - tightened) * own[arm]
    maps = rng.normal(size=shape[1:]) + own
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


def means(d: np.ndarray, pairs: np.ndarray, arm: np.ndarray) -> tuple[float, float, float]:
    """BB, AB and AA over lists of models; pairs of a model with itself are left out."""
    table = shift.matrix(np.nanmean(d, axis=1), pairs, len(arm))
    ours, theirs = np.flatnonzero(arm), np.flatnonzero(~arm)
    within = [np.nanmean([table[pair] for pair in combinations(one, 2)]) for one in (theirs, ours)]
    return within[0], np.nanmean([table[a, b] for a in ours for b in theirs]), within[1]


def shift_by_hand(d: np.ndarray, pairs: np.ndarray, arm: np.ndarray) -> float:
    floor, between, own = means(d, pairs, arm)
    return between - (own + floor) / 2


def test_contrasts_are_their_definitions() -> None:
    d, pairs, arm = study(np.random.default_rng(0), 4, 5, moved=0.5, tightened=0.5)
    d /= 10
    found = shift.shift(d, pairs, arm, 0, identical=1.0)
    floor, between, own = means(d, pairs, arm)
    np.testing.assert_allclose(found.kinds, [floor, between, own])
    assert found.net.mean == pytest.approx(between - floor)
    assert found.tightening.mean == pytest.approx((floor - own) / 2)
    assert found.shift.mean == pytest.approx(between - (own + floor) / 2)
    assert found.shift.mean == pytest.approx(found.net.mean + found.tightening.mean)
    c = (1 - between) / np.sqrt((1 - own) * (1 - floor))
    assert found.noise_corrected_similarity.mean == pytest.approx(c)
    for interval in (found.net, found.tightening, found.shift, found.noise_corrected_similarity):
        assert interval.low < interval.mean < interval.high
    # A distance is no similarity that could be corrected.
    without = shift.shift(d, pairs, arm, 0)
    assert np.isnan(without.noise_corrected_similarity).all() and without.shift == found.shift


def test_the_shift_is_half_the_squared_distance_of_the_mean_maps() -> None:
    """As energy distance: models of one kind that are many and drawn without noise."""
    rng = np.random.default_rng(1)
    features = rng.normal(size=(120, 6))
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    arm = np.arange(120) >= 60
    features[arm] += 0.3
    pairs = pairs_of(120)
    d = ((features[pairs[:, 0]] - features[pairs[:, 1]]) ** 2).sum(1, keepdims=True) / 2
    gap = features[arm].mean(0) - features[~arm].mean(0)
    spread = sum(features[one].var(0, ddof=1).sum() / 60 for one in (arm, ~arm))
    assert shift_by_hand(d, pairs, arm) == pytest.approx((gap @ gap - spread) / 2)


def test_order_of_models_and_pairs_does_not_matter() -> None:
    d, pairs, arm = study(np.random.default_rng(1), 4, 4)
    rng = np.random.default_rng(2)
    places, order = rng.permutation(8), rng.permutation(len(pairs))
    moved = np.empty(8, bool)
    moved[places] = arm
    a = shift.shift(d, pairs, arm, 0)
    b = shift.shift(d[order], places[pairs][order][:, ::-1], moved, 0)
    for one, other in zip(a[:3], b[:3], strict=True):
        np.testing.assert_allclose(other, one)
    assert b.shift_test.p == pytest.approx(a.shift_test.p)


def rates(studies: list[shift.Shift], truth: dict[str, float]) -> dict[str, float]:
    """How often each interval covers the truth, and each test has p ≤ 0.05."""
    found = {
        name: float(np.mean([getattr(s, name).low <= t <= getattr(s, name).high for s in studies]))
        for name, t in truth.items()
    }
    for name in ("shift", "tightening"):
        p = [getattr(s, f"{name}_test").p for s in studies]
        found[f"{name}_p"] = float(np.mean(np.array(p) <= 0.05))
    return found


def bounds(share: float, studies: int) -> tuple[float, float]:
    """Of the observed share: left once in 4,000 on a side."""
    low, high = stats.binom.ppf([0.00025, 0.99975], studies, share) / studies
    return float(low), float(high)


@pytest.mark.parametrize(("base", "augmented"), [(8, 3), (5, 5)])
def test_where_nothing_differs_tests_reject_and_intervals_cover_at_their_rates(
    base: int, augmented: int
) -> None:
    """No interval is right by being endless: that of the shift leaves out zero as the test does."""
    count = 300
    rng = np.random.default_rng(10)
    studies = [shift.shift(*study(rng, base, augmented), k) for k in range(count)]
    found = rates(studies, {"net": 0, "tightening": 0, "shift": 0})
    for name in ("shift_p", "tightening_p"):
        low, high = bounds(0.05, count)
        assert low - 0.01 <= found[name] <= high
    assert found["net"] >= bounds(0.93, count)[0]
    assert found["tightening"] >= bounds(0.95, count)[0]
    assert bounds(0.90, count)[0] <= found["shift"] <= bounds(0.95, count)[1]
    estimates = np.array([s.shift.mean for s in studies])
    assert abs(estimates.mean()) < 3.5 * estimates.std() / np.sqrt(count)
    for s in studies:
        assert (s.shift.low > 0) == (s.shift_test.p <= 0.05)
        outside = s.tightening.low > 0 or s.tightening.high < 0
        assert outside == (s.tightening_test.p <= 0.05)


@pytest.mark.parametrize(("moved", "tightened"), [(0.4, 0), (1.0, 0), (0, 0.4), (0.6, 0.4)])
def test_known_shifts_and_tightenings_are_found_and_told_apart(
    moved: float, tightened: float
) -> None:
    count = 150
    rng = np.random.default_rng(11)
    studies = [
        shift.shift(*study(rng, 8, 6, moved=moved, tightened=tightened), k) for k in range(count)
    ]
    # Twice the variance of what a model adds is the mean distance of two.
    spread = 0.3**2 + np.exp(2 * 0.2**2)
    tightening = spread * tightened
    truth = {"net": moved**2 - tightening, "tightening": tightening, "shift": moved**2}
    found = rates(studies, truth)
    assert found["net"] >= bounds(0.93, count)[0]
    assert found["tightening"] >= bounds(0.94, count)[0]
    assert found["shift"] >= bounds(0.90, count)[0]
    if moved >= 0.6:
        assert found["shift_p"] > 0.9
        assert np.mean([s.shift.low > 0 for s in studies]) == found["shift_p"]
    if tightened:
        assert found["tightening_p"] > 0.5
    else:
        assert found["tightening_p"] < bounds(0.06, count)[1]
    assert np.mean([s.shift.mean for s in studies]) == pytest.approx(moved**2, abs=0.03)


def test_a_tightening_alone_is_told_from_a_shift_by_size_not_by_p() -> None:
    """Maps as unit vectors around one mean map, augmented ones nearer to it: of elastic's size."""
    rng = np.random.default_rng(17)
    pairs, arm = pairs_of(14), np.arange(14) >= 8
    similarity = np.where(arm, 0.588, 0.523)[:, None, None]
    studies = []
    for _ in range(80):
        mean = rng.normal(size=(60, 30))
        mean /= np.linalg.norm(mean, axis=1, keepdims=True)
        own = 0.25 * rng.normal(size=(14, 1, 30)) + rng.normal(size=(14, 60, 30))
        own -= (own * mean).sum(2, keepdims=True) * mean
        own /= np.linalg.norm(own, axis=2, keepdims=True)
        maps = np.sqrt(similarity) * mean + np.sqrt(1 - similarity) * own
        d = ((maps[pairs[:, 0]] - maps[pairs[:, 1]]) ** 2).sum(2) / 2
        studies.append(shift.shift(d, pairs, arm, 0, identical=1.0))
    assert np.mean([s.tightening_test.p <= 0.05 for s in studies]) > 0.9
    assert np.mean([s.shift.mean / s.kinds[0] for s in studies]) < 0.005
    assert np.mean([s.noise_corrected_similarity.mean for s in studies]) == pytest.approx(
        1, abs=0.002
    )


def test_the_p_of_the_shift_is_scipy_s_exact_permutation_test() -> None:
    d, pairs, arm = study(np.random.default_rng(12), 4, 5, moved=0.3)

    def relabelled(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
        floor, between, own = means(d, pairs, np.isin(np.arange(9), a))
        return between - (own + floor) / 2, abs(floor - own) / 2

    found = shift.shift(d, pairs, arm, 0)
    for place, test in enumerate((found.shift_test, found.tightening_test)):
        theirs = stats.permutation_test(
            (np.flatnonzero(arm), np.flatnonzero(~arm)),
            lambda a, b, place=place: relabelled(a, b)[place],
            alternative="greater",
            n_resamples=np.inf,
        )
        assert test.p == pytest.approx(theirs.pvalue)
        assert test.least == 1 / 126 and test.words == ""


def test_labels_of_models_that_share_seeds_are_swapped_within_them() -> None:
    """Twins, of which each seed makes two that are alike: exact, where free labels reject never."""
    rng = np.random.default_rng(13)
    twins = [(k, 6 + k) for k in range(6)]
    pairs = pairs_of(12)
    shared = np.array([tuple(pair) in twins for pair in pairs.tolist()])
    swapped, free = [], []
    for _ in range(300):
        features = np.tile(rng.normal(size=(6, 20)), (2, 1)) + 0.5 * rng.normal(size=(12, 20))
        d = ((features[pairs[:, 0]] - features[pairs[:, 1]]) ** 2).mean(1, keepdims=True)
        d[shared] = NAN  # pairs of one seed are not compared
        d = np.repeat(d, 3, axis=1)
        arm = np.arange(12) >= 6
        swapped.append(shift.shift(d, pairs, arm, 0, paired=twins).shift_test)
        free.append(shift.shift(d, pairs, arm, 0).shift_test)
    assert swapped[0].least == 2 / 64 and free[0].least == 2 / 924
    low, high = bounds(3 / 64, 300)
    assert low <= np.mean([test.p <= 0.05 for test in swapped]) <= high
    assert np.mean([test.p <= 0.05 for test in free]) < 0.02


@pytest.mark.parametrize(
    ("base", "augmented", "least"), [(3, 3, 2 / 20), (2, 2, 2 / 6), (2, 4, 1 / 15)]
)
def test_too_few_models_give_words_instead_of_p_and_interval(
    base: int, augmented: int, least: float
) -> None:
    d, pairs, arm = study(np.random.default_rng(14), base, augmented, moved=5)
    found = shift.shift(d, pairs, arm, 0)
    assert np.isnan(found.shift_test.p) and found.shift_test.least == least
    assert found.shift_test.words == f"too few models: least possible p is {least:.3g}"
    assert np.isnan([*found.shift[1:], *found.tightening[1:]]).all()
    assert found.shift.mean == pytest.approx(shift_by_hand(d, pairs, arm))
    assert np.isfinite(found.net).all() == (base > 2)


@pytest.mark.parametrize(("base", "augmented", "p"), [(3, 4, 1 / 35), (4, 4, 2 / 70)])
def test_arms_far_apart_reach_the_least_p(base: int, augmented: int, p: float) -> None:
    d, pairs, arm = study(np.random.default_rng(15), base, augmented, moved=5)
    test = shift.shift(d, pairs, arm, 0).shift_test
    assert test.p == test.least == p


def test_an_arm_of_one_model_has_no_shift_but_a_distance_between_the_arms() -> None:
    d, pairs, arm = study(np.random.default_rng(16), 1, 4)
    found = shift.shift(d, pairs, arm, 0)
    assert np.isnan(
        [*found.net, *found.tightening, *found.shift, *found.noise_corrected_similarity]
    ).all()
    assert found.shift_test.words == "too few models: each arm needs two with defined distances"
    assert found.kinds[1] == pytest.approx(d[:4].mean())
    np.testing.assert_array_equal(np.isnan(found.kinds), [True, False, False])


def test_undefined_distances_are_left_out() -> None:
    rng = np.random.default_rng(18)
    d, pairs, arm = study(rng, 4, 4, moved=1)
    whole = shift.shift(d, pairs, arm, 0)
    d[rng.random(d.shape) < 0.2] = NAN
    d[:, 3] = NAN
    found = shift.shift(d, pairs, arm, 0)
    assert found.shift.mean == pytest.approx(shift_by_hand(d, pairs, arm))
    for one, other in zip(found[:3], whole[:3], strict=True):
        np.testing.assert_allclose(one, other, atol=0.7)
    # A model whose distances are all undefined is as one that is not there.
    d[(pairs == 0).any(axis=1)] = NAN
    without = shift.shift(d, pairs, arm, 0)
    kept = (pairs != 0).all(axis=1)
    alone = shift.shift(d[kept], pairs[kept] - 1, arm[1:], 0)
    assert without.shift.mean == pytest.approx(alone.shift.mean)
    assert without.shift_test == alone.shift_test


def test_nothing_defined_gives_nothing() -> None:
    _, pairs, arm = study(np.random.default_rng(19), 4, 4)
    found = shift.shift(np.full((28, 30), NAN), pairs, arm, 0, identical=1.0)
    assert np.isnan(
        [*found.net, *found.tightening, *found.shift, *found.noise_corrected_similarity]
    ).all()
    assert np.isnan(found.shift_test.p) and found.shift_test.words
    assert np.isnan(shift.superiority(np.full((28, 30), NAN), pairs, arm, 0, draws=50)).all()


def test_equal_distances_have_no_shift_and_p_one() -> None:
    _, pairs, arm = study(np.random.default_rng(20), 4, 4)
    found = shift.shift(np.full((28, 30), 0.1), pairs, arm, 0, identical=1.0)
    np.testing.assert_allclose([*found.net, *found.tightening, *found.shift], 0, atol=1e-12)
    np.testing.assert_allclose(found.noise_corrected_similarity, 1)
    assert found.shift_test.p == found.tightening_test.p == 1
    assert shift.superiority(np.full((28, 30), 0.1), pairs, arm, 0, draws=50).mean == 0.5


def test_a_similarity_below_zero_has_no_correction() -> None:
    d, pairs, arm = study(np.random.default_rng(20), 4, 4)
    assert np.isnan(shift.shift(d, pairs, arm, 0, identical=1.0).noise_corrected_similarity).all()


def test_missing_or_doubled_pairs_are_refused() -> None:
    d, pairs, arm = study(np.random.default_rng(21), 3, 3)
    for rows in (slice(1, None), [0, 0, *range(2, 15)]):
        with pytest.raises(ValueError, match="each once"):
            shift.shift(d[rows], pairs[rows], arm, 0)


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
    found = shift.superiority(d, pairs, arm, 0, draws=50)
    assert found.mean == pytest.approx(np.mean(shares))


def test_superiority_covers_one_half_where_nothing_moves_and_finds_what_does() -> None:
    studies = 150
    rng = np.random.default_rng(23)
    covered = found = 0
    means = []
    for k in range(studies):
        mean, low, high = shift.superiority(*study(rng, 5, 5, images=20), k, draws=200)
        covered += low <= 0.5 <= high
        means.append(mean)
        found += shift.superiority(*study(rng, 5, 5, images=20, moved=1.5), k, draws=200).low > 0.5
    assert covered >= stats.binom.ppf(0.00025, studies, 0.95)
    assert abs(np.mean(means) - 0.5) < 3.5 * np.std(means) / np.sqrt(studies)
    assert found >= 0.9 * studies


def test_superiority_needs_baselines_of_its_own() -> None:
    d, pairs, arm = study(np.random.default_rng(24), 1, 3)
    assert np.isnan(shift.superiority(d, pairs, arm, 0)).all()
    d, pairs, arm = study(np.random.default_rng(25), 2, 3)
    mean, low, high = shift.superiority(d, pairs, arm, 0)
    assert 0 < mean < 1
    assert np.isnan([low, high]).all()
