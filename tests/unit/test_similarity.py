"""The similarity engine against scipy and numpy in float64, on the maps that it measures."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy import special, stats

from campare import maps, registry, similarity
from campare.errors import CampareError
from campare.similarity import Axis, Grid, MapBatch, Pairs
from campare.store import Store

OVERLAPS = ["overlap_20", "overlap_10", "overlap_5", "overlap_2.5", "overlap_99"]
WITH_TIES = [f"{name}_ties" for name in OVERLAPS]
MAP_METRICS = [*OVERLAPS, *WITH_TIES, "pearson", "spearman", "mad", "msd"]
METRICS = [*MAP_METRICS, "kl", "class_kld"]
EPSILON = 2.220446049250313e-16
CLOSE = 2e-6


def kinds(rng: np.random.Generator, h: int, w: int) -> NDArray[np.float32]:
    """Signed native maps: ordinary ones first, then every kind of degenerate one."""
    noise = rng.standard_normal((12, h, w))
    peak = np.zeros((h, w))
    peak[h // 2, w // 3] = 5
    plateau = np.ones((h, w))
    plateau[0, 0] = 0
    return np.stack(
        [
            *noise[:4],
            noise[4] + 3,  # positive everywhere
            noise[5] - 1,  # mostly zero after the ReLU
            np.rint(2 * noise[6]),  # tied
            np.sign(noise[7]),  # two values
            np.exp(6 * noise[8]),  # values of many magnitudes
            1e-9 * noise[9],
            1e-30 * noise[10],
            1e30 * noise[11],
            peak,
            plateau,
            np.zeros((h, w)),
            -np.ones((h, w)),  # all zero after the ReLU
            np.full((h, w), 0.3),  # constant
            np.copysign(0, noise[10]),  # zeros of both signs
            np.where(peak > 0, 1, np.copysign(0, noise[11])),
        ]
    ).astype(np.float32)


def make(
    native: NDArray[np.float32], logits: NDArray[np.float32] | None = None, **changes: Any
) -> Store:
    """A store of given maps."""
    n = len(native)
    logit = np.zeros((n, 3), np.float32) if logits is None else logits
    attributes = {
        "study": "s", "augmentation": "affine", "seed": 1, "split_sha256": "x", "input_size": 32,
    }  # fmt: skip
    store = Store(
        maps=native,
        prediction=special.softmax(logit, axis=1).astype(np.float32),
        logit=logit,
        label=np.arange(n) % 3,
        index=np.arange(n) * 2,
        target=logit.argmax(axis=1),
        attributes=attributes,
    )
    return replace(store, **changes)


def shown(native: NDArray[np.float32], size: tuple[int, int] | None) -> NDArray[np.float64]:
    """The very pixels that the engine measures, (n, N)."""
    side = MapBatch(native, np.zeros((len(native), 1), np.float32), Grid.of(native.shape[1:], size))
    return side.shown.reshape(len(native), -1).astype(np.float64)


def members(x: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """Membership of every pixel in the mask of the top share, from what lies above its value."""
    values, places, counts = np.unique(x, return_inverse=True, return_counts=True)
    above = len(x) - np.cumsum(counts)
    part = np.clip((len(x) * share / 100 - above) / counts, 0, 1)
    return np.where(values > 0, part, 0)[places]


def oracle(name: str, p: NDArray[np.float64], q: NDArray[np.float64]) -> float:
    if share := registry.overlap_share(name):
        if name.endswith("_ties"):
            a, b = (x >= np.percentile(x, 100 - share) for x in (p, q))
            return (a & b).sum() / (a | b).sum()
        a, b = members(p, share), members(q, share)
        return np.minimum(a, b).sum() / np.maximum(a, b).sum() if a.any() and b.any() else np.nan
    if name in ("pearson", "spearman") and (np.ptp(p) == 0 or np.ptp(q) == 0):
        return np.nan
    functions: dict[str, Callable[..., float]] = {
        "pearson": lambda p, q: stats.pearsonr(p, q).statistic,
        "spearman": lambda p, q: stats.spearmanr(p, q).statistic,
        "mad": lambda p, q: np.abs(p - q).mean(),
        "msd": lambda p, q: ((p - q) ** 2).mean(),
    }
    return functions[name](p, q)


@pytest.mark.parametrize(
    ("native", "size"),
    [
        ((7, 7), (224, 224)),
        ((8, 8), (32, 32)),
        ((4, 6), (30, 21)),
        ((7, 7), None),
        ((9, 9), (5, 5)),
        ((1, 3), (8, 8)),
    ],
)
def test_metrics_are_those_of_scipy_and_numpy_on_the_same_maps(
    native: tuple[int, int], size: tuple[int, int] | None
) -> None:
    rng = np.random.default_rng(0)
    every = kinds(rng, *native)
    # The big maps go in a ring, the small ones each with each.
    step = len(every) if size != (224, 224) else 2
    first = np.repeat(np.arange(len(every)), step)
    second = (first + np.tile(np.arange(step), len(every))) % len(every)
    p, q = every[first], every[second]
    table = similarity.table(make(p), make(q), MAP_METRICS, size, EPSILON)
    pixels = shown(p, size), shown(q, size)
    for name in MAP_METRICS:
        expected = [oracle(name, a, b) for a, b in zip(*pixels, strict=True)]
        np.testing.assert_allclose(table[name], expected, rtol=0, atol=CLOSE, err_msg=name)


@pytest.mark.parametrize("size", [(224, 224), (32, 32), (17, 40), (7, 5), (3, 3), None])
def test_pixels_are_those_of_maps_show(size: tuple[int, int] | None) -> None:
    native = kinds(np.random.default_rng(1), 7, 5)
    expected = maps.show(native, size).reshape(len(native), -1)
    np.testing.assert_allclose(shown(native, size), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("n", "size"), [(7, 224), (8, 32), (3, 10), (9, 4), (1, 5), (6, 6)])
def test_an_axis_is_the_interpolation_with_equal_rows_taken_together(n: int, size: int) -> None:
    axis = Axis.of(n, size)
    mixing = np.zeros((len(axis.counts), n), np.float32)
    for column in range(2):
        mixing[np.arange(len(mixing)), axis.sources[:, column]] += axis.shares[:, column]
    np.testing.assert_array_equal(mixing[axis.place], maps.interpolation(n, size))
    np.testing.assert_array_equal(np.bincount(axis.place), axis.counts)


@pytest.mark.parametrize("size", [(28, 28), None])
def test_ranks_are_average_ranks(size: tuple[int, int] | None) -> None:
    native = kinds(np.random.default_rng(2), 7, 7)
    side = MapBatch(native, np.zeros((len(native), 1), np.float32), Grid.of((7, 7), size))
    expected = stats.rankdata(shown(native, size), axis=1)
    np.testing.assert_array_equal(side.ranks.reshape(expected.shape), expected)


def test_overlaps_and_correlations_of_constant_maps_are_undefined_and_nothing_else_is() -> None:
    flat = np.zeros((3, 4, 4), np.float32)
    flat[1], flat[2] = -1, 0.7
    other = np.random.default_rng(3).standard_normal((3, 4, 4)).astype(np.float32)
    for p, q in ((flat, other), (other, flat), (flat, flat)):
        table = similarity.table(make(p), make(q), METRICS, (16, 16), EPSILON)
        undefined = [*OVERLAPS, "pearson", "spearman", "kl"]
        assert table[undefined].isna().all(axis=None)
        assert table.drop(columns=undefined).notna().all(axis=None)


def test_masks_of_the_thesis_hold_all_ties_and_their_areas_are_recorded() -> None:
    empty = np.zeros((1, 4, 4), np.float32)
    few = empty.copy()
    few[0, 0, :2] = 1, 2  # positive on 2 of 16 pixels: the 80th percentile is 0
    half = empty.copy()
    half[0, :2] = 1
    models = [make(native) for native in (empty, few, half)]
    names = ["overlap_20_ties", "overlap_10_ties"]
    tables = similarity.tables(make(few), models, names, None, EPSILON)
    assert [t["overlap_20_ties_area"][0] for t in tables] == [1, 1, 0.5]
    assert [t["overlap_10_ties_area"][0] for t in tables] == [1, 2 / 16, 0.5]
    assert [t["overlap_20_ties"][0] for t in tables] == [1, 1, 0.5]
    assert [t["overlap_10_ties"][0] for t in tables] == [2 / 16, 1, 2 / 8]
    assert all(t["overlap_10_ties_area_baseline"][0] == 2 / 16 for t in tables)


def cells(*hot: tuple[int, int]) -> NDArray[np.float32]:
    """A map (1, 8, 8) that is zero but for some cells."""
    native = np.zeros((1, 8, 8), np.float32)
    native[0, *zip(*hot, strict=True)] = 1
    return native


@pytest.mark.parametrize("size", [None, (32, 32)])
def test_maps_that_look_elsewhere_overlap_by_nothing(size: tuple[int, int] | None) -> None:
    here, there, both = cells((1, 1)), cells((6, 5)), cells((1, 1), (6, 5))
    names = ["overlap_20", "overlap_20_corrected"]
    tables = similarity.tables(
        make(here), [make(x) for x in (here, there, both)], names, size, EPSILON
    )
    np.testing.assert_allclose([t["overlap_20"][0] for t in tables], [1, 0, 0.5], atol=0.1)
    assert [t["overlap_20"][0] for t in tables[:2]] == [1, 0]
    assert tables[0]["overlap_20_corrected"][0] == 1
    assert tables[1]["overlap_20_corrected"][0] < 0
    # Smaller than its share, since a pixel where a map is zero is in no mask.
    positive = (shown(here, size) > 0).mean()
    assert tables[1]["overlap_20_area"][0] == pytest.approx(min(0.2, positive))


def test_pixels_tied_for_the_last_places_are_members_by_their_part() -> None:
    native = np.arange(10, dtype=np.float32).reshape(1, 2, 5)
    tied, other = native.copy(), native[:, :, ::-1].copy()
    tied[0, 1] = 5  # five for two places
    found = similarity.tables(make(tied), [make(tied), make(other)], ["overlap_20"], None, EPSILON)
    # Of `other` two of the five are in the mask: each shares 0.4.
    assert [t["overlap_20"][0] for t in found] == [1, pytest.approx(0.8 / (4 - 0.8))]
    assert [t["overlap_20_area_baseline"][0] for t in found] == [pytest.approx(0.2)] * 2


@pytest.mark.parametrize("size", [(28, 28), (30, 21), None])
@pytest.mark.parametrize("epsilon", [EPSILON, 1e-3])
def test_kl_is_equation_2_of_the_poster_and_scipys_where_epsilon_is_nothing(
    size: tuple[int, int] | None, epsilon: float
) -> None:
    every = kinds(np.random.default_rng(8), 7, 7)
    first = np.repeat(np.arange(len(every)), len(every))
    second = np.tile(np.arange(len(every)), len(every))
    p, q = every[first], every[second]
    found = similarity.table(make(p), make(q), ["kl"], size, epsilon)["kl"]
    for pixels_p, pixels_q, value in zip(shown(p, size), shown(q, size), found, strict=True):
        if pixels_p.sum() == 0 or pixels_q.sum() == 0:
            assert np.isnan(value)
            continue
        a, b = pixels_p / pixels_p.sum(), pixels_q / pixels_q.sum()
        formula = (b * np.log(epsilon + b / (epsilon + a))).sum()
        assert value == pytest.approx(formula, rel=1e-12, abs=1e-12)
        if epsilon == EPSILON and (a > 1e-6).all():
            assert value == pytest.approx(special.rel_entr(b, a).sum(), abs=1e-8)
    assert found.isna().any()
    assert found.notna().any()


def test_kl_is_that_of_the_model_from_the_baseline_and_not_the_other_way() -> None:
    narrow, wide = np.full((1, 2, 2), 1e-3, np.float32), np.zeros((1, 2, 2), np.float32)
    narrow[0, 0], wide[0, 0, 0] = (1, 0), 1
    narrow[0, 1, 1] = 0
    narrow[0, 1, 0] = wide[0, 0, 0] = 1  # two of four pixels, and one of them
    narrow[0, 0, 0] = 1
    there = similarity.table(make(narrow), make(wide), ["kl"], None, EPSILON)["kl"][0]
    back = similarity.table(make(wide), make(narrow), ["kl"], None, EPSILON)["kl"][0]
    assert there == pytest.approx(np.log(2))
    assert back == pytest.approx(0.5 * np.log(0.5) + 0.5 * np.log(0.5 / EPSILON), rel=1e-6)


@pytest.mark.parametrize("size", [(28, 28), (30, 21), None])
def test_entropy_is_scipys_of_the_map_over_its_sum(size: tuple[int, int] | None) -> None:
    every = kinds(np.random.default_rng(9), 7, 7)
    found = similarity.table(make(every[::-1]), make(every), ["entropy"], size, EPSILON)
    pixels = shown(every, size)
    with np.errstate(invalid="ignore"):
        expected = stats.entropy(pixels, axis=1)
    expected[pixels.sum(axis=1) == 0] = np.nan
    np.testing.assert_allclose(found["entropy"], expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(found["entropy_baseline"], found["entropy"][::-1])
    assert found["entropy"].isna().sum() == (pixels.max(axis=1) == 0).sum() > 0


def test_entropy_of_one_pixel_is_0_and_of_equal_pixels_the_logarithm_of_their_number() -> None:
    native = np.zeros((2, 4, 4), np.float32)
    native[0, 1, 2], native[1, :2] = 3, 0.2
    found = similarity.table(make(native), make(native), ["entropy"], None, EPSILON)["entropy"]
    assert list(found) == pytest.approx([0, np.log(8)])


@pytest.mark.parametrize("size", [(28, 28), (30, 21), None])
def test_entropy_of_the_histogram_is_scipys_of_numpys(size: tuple[int, int] | None) -> None:
    every = kinds(np.random.default_rng(10), 7, 7)
    found = similarity.table(make(every[::-1]), make(every), ["entropy_histogram"], size, EPSILON)
    expected = [
        stats.entropy(np.histogram(pixels, bins=256, range=(0, 1))[0])
        for pixels in shown(every, size)
    ]
    np.testing.assert_allclose(found["entropy_histogram"], expected, rtol=1e-12, atol=1e-12)
    reversed_ = found["entropy_histogram_baseline"].to_numpy()[::-1]
    np.testing.assert_array_equal(reversed_, found["entropy_histogram"])
    flat = shown(every, size).max(axis=1) == 0
    assert (found.loc[flat, "entropy_histogram"] == 0).all()
    assert flat.any()


def test_class_kld_is_the_formula_in_float64() -> None:
    rng = np.random.default_rng(4)
    p, q = (4 * rng.standard_normal((2, 50, 10))).astype(np.float32)
    p[0], q[0] = 0, 0
    p[1, :2], q[1, :2] = (1000, -1000), (-1000, 1000)
    native = np.zeros((50, 2, 2), np.float32)
    for epsilon in (EPSILON, 1e-3):
        found = similarity.table(make(native, p), make(native, q), ["class_kld"], None, epsilon)
        a, b = (special.softmax(x.astype(np.float64), axis=1) for x in (p, q))
        expected = (b * np.log(epsilon + b / (epsilon + a))).sum(axis=1)
        np.testing.assert_allclose(found["class_kld"], expected, rtol=1e-12, atol=1e-12)
    plain = similarity.table(make(native, p), make(native, q), ["class_kld"], None, EPSILON)
    np.testing.assert_allclose(plain["class_kld"][2:], stats.entropy(b, a, axis=1)[2:], atol=1e-9)
    assert np.isfinite(plain["class_kld"]).all()


native_maps = arrays(
    np.float32, (2, 3, 4), elements=st.floats(-8, 8, width=16) | st.sampled_from([0, 1, 2])
)


@settings(max_examples=60, deadline=None)
@given(native_maps, native_maps)
def test_every_metric_is_within_its_bounds_and_symmetric(
    p: NDArray[np.float32], q: NDArray[np.float32]
) -> None:
    there = similarity.table(make(p), make(q), MAP_METRICS, (9, 9), EPSILON)
    back = similarity.table(make(q), make(p), MAP_METRICS, (9, 9), EPSILON)
    for name in MAP_METRICS:
        low, high = registry.metric(name).bounds
        values = there[name].dropna()
        assert low is not None and high is not None
        assert values.between(low, high).all(), name
        np.testing.assert_allclose(there[name], back[name], rtol=1e-12, atol=1e-15)
    for name in OVERLAPS:
        np.testing.assert_array_equal(there[f"{name}_area"], back[f"{name}_area_baseline"])
        share = registry.overlap_share(name) / 100
        assert (there[f"{name}_area"] <= share + 1e-12).all()
        assert there[f"{name}_ties_area"].between(share - 1 / 81, 1).all()


@settings(max_examples=60, deadline=None)
@given(native_maps, arrays(np.float32, (2, 5), elements=st.floats(-30, 30, width=32)))
def test_a_model_is_the_same_as_itself(
    native: NDArray[np.float32], logits: NDArray[np.float32]
) -> None:
    store = make(native, logits)
    table = similarity.table(store, store, METRICS, (10, 10), EPSILON)
    for name in METRICS:
        same = registry.metric(name).same
        np.testing.assert_allclose(table[name].dropna(), same, rtol=0, atol=1e-12)


EVERYTHING = [*METRICS, "entropy", "entropy_histogram", "overlap_20_corrected", "spearman_native"]
# torch's kernels, on the CPU: what a GPU computes, but for the order of its sums.
TORCH = "cpu:0"


@pytest.mark.parametrize(
    ("native", "size"),
    [
        ((7, 7), (224, 224)),
        ((8, 8), (32, 32)),
        ((4, 6), (30, 21)),
        ((9, 9), (5, 5)),
        ((7, 7), None),
    ],
)
def test_a_device_has_the_pixels_and_ranks_of_the_compiled_loops_to_the_bit(
    native: tuple[int, int], size: tuple[int, int] | None
) -> None:
    every = kinds(np.random.default_rng(11), *native)
    logit = np.zeros((len(every), 1), np.float32)
    compiled, tensors = (
        MapBatch(every, logit, Grid.of(native, size), device) for device in ("cpu", TORCH)
    )
    assert compiled.distinct.tobytes() == tensors.distinct.numpy().tobytes()
    for found, expected in zip(tensors.order, compiled.order, strict=True):
        assert found.numpy().dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)
    for share in (20, 2.5, 99):
        for name in ("cut", "fill"):
            cuts = [
                getattr(side.kernels, name)(*side.order[:2], share) for side in (compiled, tensors)
            ]
            np.testing.assert_array_equal(*cuts)
            reach = [
                side.kernels.reach(*side.order[:2], cut)
                for side, cut in zip((compiled, tensors), cuts, strict=True)
            ]
            np.testing.assert_array_equal(*reach)
    assert compiled.shown.tobytes() == tensors.shown.tobytes()
    assert compiled.ranks.tobytes() == tensors.ranks.tobytes()


@pytest.mark.parametrize("size", [(224, 224), (30, 21), None])
def test_a_device_measures_what_the_compiled_loops_measure(size: tuple[int, int] | None) -> None:
    rng = np.random.default_rng(12)
    every = kinds(rng, 7, 7)
    logits = rng.standard_normal((2, len(every), 3)).astype(np.float32)
    p, q, r = make(every, logits[0]), make(np.roll(every, 1, 0), logits[1]), make(every[::-1])
    for measure in (
        lambda device: similarity.tables(p, [q, r], EVERYTHING, size, EPSILON, 1, device),
        lambda device: similarity.between(
            [p, q, r], [(0, 1), (2, 1)], METRICS, size, EPSILON, 1, device
        ),
    ):
        for expected, found in zip(measure("cpu"), measure(TORCH), strict=True):
            assert list(found) == list(expected)
            for name in expected:
                exact = name.startswith("overlap") or expected[name].dtype != np.float64
                close = 0 if exact else 1e-12
                np.testing.assert_allclose(
                    found[name], expected[name], rtol=close, atol=close, err_msg=name
                )


@settings(max_examples=60, deadline=None)
@given(native_maps, native_maps)
def test_a_device_agrees_on_any_maps(p: NDArray[np.float32], q: NDArray[np.float32]) -> None:
    compiled, tensors = (
        similarity.table(make(p), make(q), MAP_METRICS, (9, 9), EPSILON, 1, device)
        for device in ("cpu", TORCH)
    )
    np.testing.assert_allclose(tensors, compiled, rtol=1e-12, atol=1e-12)


def test_threads_and_chunks_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    p, q = rng.standard_normal((2, 41, 5, 5)).astype(np.float32)
    tables = []
    for threads, chunk in ((1, 1 << 18), (1, 1), (3, 400 * 4), (2, 400 * 7)):
        monkeypatch.setattr(similarity, "CHUNK", chunk)
        tables.append(similarity.table(make(p), make(q), METRICS, (20, 20), EPSILON, threads))
    for table in tables[1:]:
        assert table.to_numpy().tobytes() == tables[0].to_numpy().tobytes()


def test_many_models_at_once_are_each_one_alone() -> None:
    rng = np.random.default_rng(6)
    baseline, *models = (make(x) for x in rng.standard_normal((4, 9, 5, 5)).astype(np.float32))
    together = similarity.tables(baseline, models, METRICS, (20, 20), EPSILON)
    for model, table in zip(models, together, strict=True):
        alone = similarity.table(baseline, model, METRICS, (20, 20), EPSILON)
        assert table.equals(alone)


def test_a_table_has_a_row_per_image_and_a_column_per_metric() -> None:
    rng = np.random.default_rng(7)
    p, q = (make(np.ones((6, 2, 2), np.float32), x) for x in rng.normal(size=(2, 6, 3)))
    table = similarity.table(p, q, ["msd", "overlap_5"], None, EPSILON)
    assert list(table) == [
        *("index", "label", "baseline_prediction", "prediction", "msd"),
        *("overlap_5", "overlap_5_area_baseline", "overlap_5_area"),
    ]
    assert table["index"].tolist() == [0, 2, 4, 6, 8, 10]
    assert table["label"].tolist() == p.label.tolist()
    assert table["baseline_prediction"].tolist() == p.logit.argmax(axis=1).tolist()
    assert table["prediction"].tolist() == q.logit.argmax(axis=1).tolist()


def test_a_metric_of_ones_own_is_a_plain_function_and_an_entry(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def cosine(pairs: Pairs) -> NDArray[np.float64]:
        p, q = pairs.p.shown, pairs.q.shown
        return (p * q).sum((1, 2)) / np.sqrt((p**2).sum((1, 2)) * (q**2).sum((1, 2)))

    entry = registry.Metric("cosine of the maps", "similarity:cosine", label="Cosine", same=1.0)
    monkeypatch.setattr(similarity, "cosine", cosine, raising=False)
    monkeypatch.setitem(registry.METRICS, "cosine", entry)
    p, q = np.random.default_rng(8).standard_normal((2, 30, 4, 4)).astype(np.float32)
    table = similarity.table(make(p), make(q), ["cosine"], (12, 12), EPSILON)
    a, b = shown(p, (12, 12)), shown(q, (12, 12))
    expected = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    np.testing.assert_allclose(table["cosine"], expected, rtol=1e-5)

    monkeypatch.setattr(similarity, "cosine", lambda pairs: pairs.p.shown)
    with pytest.raises(CampareError, match=r"metric cosine: .*\(30, 12, 12\).* one value per pair"):
        similarity.table(make(p), make(q), ["cosine"], (12, 12), EPSILON)


def test_an_unknown_metric_is_named() -> None:
    store = make(np.ones((2, 2, 2), np.float32))
    with pytest.raises(CampareError, match="cosinus"):
        similarity.table(store, store, ["cosinus"], None, EPSILON)


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("index", {"index": np.arange(4)}),
        ("label", {"label": np.array([0, 1, 2, 2])}),
        ("study", {"study": "other"}),
        ("input_size", {"input_size": 64}),
        ("split_sha256", {"split_sha256": "y"}),
        ("maps", {"maps": np.ones((4, 3, 2), np.float32)}),
        ("logit", {"logit": np.ones((4, 4), np.float32)}),
    ],
)
def test_stores_of_different_images_are_refused(what: str, change: dict[str, Any]) -> None:
    baseline = make(np.ones((4, 2, 2), np.float32))
    model = make(np.ones((4, 2, 2), np.float32))
    attributes = model.attributes | {"augmentation": "cutmix", "seed": 3}
    if what in attributes:
        model = replace(model, attributes=attributes | change)
    else:
        model = replace(model, attributes=attributes, **change)
    with pytest.raises(CampareError, match=f"maps of affine 1 and maps of cutmix 3: .*{what}"):
        similarity.table(baseline, model, ["msd"], None, EPSILON)


def test_seeds_may_train_on_images_of_their_own() -> None:
    baseline = make(np.ones((4, 2, 2), np.float32))
    model = replace(baseline, attributes=baseline.attributes | {"split_sha256": "y", "seed": 2})
    table = similarity.table(baseline, model, ["msd"], None, EPSILON, one_split=False)
    assert (table["msd"] == 0).all()


def test_threads_do_not_wait_for_each_other_at_a_lazy_value() -> None:
    met = threading.Barrier(2, timeout=20)

    class Slow:
        @similarity.lazy
        def value(self) -> int:
            return met.wait()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(lambda slow: slow.value, [Slow(), Slow()])) == [0, 1]


def test_a_lazy_value_is_computed_once() -> None:
    class Counted:
        calls = 0

        @similarity.lazy
        def value(self) -> int:
            self.calls += 1
            return self.calls

    counted = Counted()
    assert (counted.value, counted.value) == (1, 1)


def test_pairs_without_a_first_are_those_of_tables_and_the_same_both_ways() -> None:
    rng = np.random.default_rng(9)
    models = [
        make(x, logits)
        for x, logits in zip(
            rng.standard_normal((3, 9, 5, 5)).astype(np.float32),
            rng.standard_normal((3, 9, 3)).astype(np.float32),
            strict=True,
        )
    ]
    models[2].maps[4] = -1  # zero when shown
    names = ["overlap_20", "pearson", "mad", "kl", "class_kld"]
    ways = [(0, 1), (0, 2), (2, 1), (1, 0)]
    found = similarity.between(models, ways, names, (20, 20), EPSILON)
    for (a, b), table in zip(ways, found, strict=True):
        there = similarity.table(models[a], models[b], names, (20, 20), EPSILON)
        back = similarity.table(models[b], models[a], names, (20, 20), EPSILON)
        for name in names:
            np.testing.assert_allclose(table[name], (there[name] + back[name]) / 2, rtol=1e-12)
        assert table["prediction_a"].tolist() == models[a].predicted.tolist()
        assert table["prediction_b"].tolist() == models[b].predicted.tolist()
        for side, k in (("a", a), ("b", b)):
            constant = (np.arange(9) == 4) & (k == 2)
            assert table[f"constant_{side}"].tolist() == constant.tolist()
    assert found[0][names].equals(found[3][names])
    assert (
        found[0]["kl"] != similarity.table(models[0], models[1], ["kl"], (20, 20), EPSILON)["kl"]
    ).all()


def test_native_metrics_are_those_measured_at_the_maps_own_resolution() -> None:
    p, q = np.random.default_rng(10).standard_normal((2, 30, 4, 5)).astype(np.float32)
    names = ["overlap_20", "overlap_20_corrected", "spearman", "mad"]
    shown = similarity.table(make(p), make(q), [f"{n}_native" for n in names], (32, 32), EPSILON)
    own = similarity.table(make(p), make(q), names, None, EPSILON)
    for name in names:
        np.testing.assert_array_equal(shown[f"{name}_native"], own[name])
    np.testing.assert_array_equal(shown["overlap_20_native_area"], own["overlap_20_area"])


def test_corrected_overlap_is_zero_on_average_by_chance_and_one_of_a_map_with_itself() -> None:
    rng = np.random.default_rng(11)
    p, q = rng.standard_normal((2, 400, 12, 12)).astype(np.float32)
    p[0] = -1
    names = ["overlap_20", "overlap_20_corrected"]
    found = similarity.table(make(p), make(q), names, None, EPSILON)
    assert np.isnan(found["overlap_20_corrected"][0])
    assert abs(found["overlap_20_corrected"].mean()) < 0.02 < found["overlap_20"].mean() - 0.08
    itself = similarity.table(make(p), make(p), names, None, EPSILON)
    np.testing.assert_allclose(itself["overlap_20_corrected"][1:], 1)


def test_chance_of_fuzzy_masks_is_what_they_share_when_pixels_are_shuffled() -> None:
    """Of masks with many members by a part, that is not the product of their areas."""
    rng = np.random.default_rng(12)
    p, q = np.zeros((2, 64), np.float32)
    p[:40], q[:3], q[3:33] = 1, 2, 1
    shuffled = np.stack([[rng.permutation(x) for _ in range(4000)] for x in (p, q)])
    found = similarity.table(
        *(make(x.reshape(-1, 8, 8)) for x in shuffled), ["overlap_20"], None, EPSILON
    )
    by_chance = 2 * found["overlap_20"] / (1 + found["overlap_20"])  # in common, over the area
    sides = (MapBatch(x.reshape(1, 8, 8), np.zeros((1, 1)), Grid.of((8, 8), None)) for x in (p, q))
    masks = [similarity._filled(side, 20) for side in sides]
    expected = similarity._expected(*masks, 64)[0]
    assert 0.2 * by_chance.mean() == pytest.approx(expected, abs=0.001)
    assert expected > 1.5 * 0.2 * 0.2


def test_a_metric_of_predictions_has_no_resolution() -> None:
    with pytest.raises(CampareError, match="class_kld_native: class_kld compares predictions"):
        registry.metric("class_kld_native")
    with pytest.raises(CampareError, match="unknown metric 'overlap_corrected'"):
        registry.metric("overlap_corrected")
