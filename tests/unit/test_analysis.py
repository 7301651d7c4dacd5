"""Tables of the study against numpy, scipy and scikit-learn, and small cases done by hand."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

from campare import analysis, performance

METRICS = ["pearson", "mad"]
MODELS = [(augmentation, seed) for augmentation in ("c", "a", "b") for seed in (1, 2, 3)]
IMAGES = 40


def similarity(seed: int, n: int = IMAGES) -> pd.DataFrame:
    """A similarity table with an undefined value here and there."""
    rng = np.random.default_rng(seed)
    pearson = rng.uniform(-1, 1, n)
    pearson[rng.random(n) < 0.3] = np.nan
    return pd.DataFrame(
        {
            "index": 3 * np.arange(n) + 5,
            "label": np.arange(n) % 4,
            "baseline_prediction": np.random.default_rng(99).integers(0, 4, n),
            "prediction": rng.integers(0, 4, n),
            "pearson": pearson,
            "mad": rng.random(n),
            "overlap_20_area": rng.random(n),
        }
    )


@pytest.fixture
def tables() -> list[pd.DataFrame]:
    found = [similarity(seed) for seed, _ in enumerate(MODELS)]
    for table in found[:3]:
        table.loc[7, "pearson"] = np.nan  # undefined for every seed of "c"
    return found


@pytest.fixture
def aggregate(tables: list[pd.DataFrame]) -> pd.DataFrame:
    return analysis.aggregate(MODELS, tables)


def wide(aggregate: pd.DataFrame, metric: str) -> dict[str, np.ndarray]:
    return {
        name: aggregate.loc[aggregate["augmentation"] == name, metric].to_numpy()
        for name in ("c", "a", "b")
    }


def test_performance_is_per_model_and_its_summary_over_seeds() -> None:
    rng = np.random.default_rng(0)
    labels, predictions = rng.integers(0, 5, 200), rng.integers(0, 5, (9, 200))
    models = [("baseline", 1), *MODELS[:8]]
    confusions = [performance.confusion(labels, p, 5) for p in predictions]
    table = analysis.performances(models, confusions)
    assert list(table) == [
        *("augmentation", "seed", "accuracy", "precision", "recall", "f1", "images")
    ]
    assert list(zip(table["augmentation"], table["seed"], strict=True)) == models
    assert (table["images"] == 200).all()
    np.testing.assert_allclose(table["accuracy"], [accuracy_score(labels, p) for p in predictions])
    np.testing.assert_allclose(
        table["f1"], [f1_score(labels, p, average="macro") for p in predictions]
    )

    summary = analysis.performance_summary(table)
    assert list(summary) == ["augmentation", "score", "mean", "std", "seeds"]
    assert list(dict.fromkeys(summary["augmentation"])) == ["baseline", "c", "a", "b"]
    assert summary["seeds"].tolist() == [1] * 4 + [3] * 4 + [3] * 4 + [2] * 4
    row = summary.set_index(["augmentation", "score"]).loc[("a", "recall")]
    np.testing.assert_allclose(row["mean"], np.mean(table["recall"][4:7]))
    np.testing.assert_allclose(row["std"], np.std(table["recall"][4:7], ddof=1))
    assert summary["std"][:4].isna().all(), "one seed has no spread"


def test_confusions_are_summed_over_seeds_with_a_row_for_every_cell() -> None:
    rng = np.random.default_rng(1)
    labels, predictions = rng.integers(0, 3, 50), rng.integers(0, 2, (9, 50))
    confusions = [performance.confusion(labels, p, 3) for p in predictions]
    table = analysis.confusions(MODELS, confusions, ["x", "y", "never"])
    assert len(table) == 3 * 9
    assert list(dict.fromkeys(table["label"])) == ["x", "y", "never"]
    expected = confusion_matrix(np.tile(labels, 3), predictions[3:6].ravel(), labels=[0, 1, 2])
    cells = table.loc[table["augmentation"] == "a", "images"].to_numpy().reshape(3, 3)
    np.testing.assert_array_equal(cells, expected)


def many_confusions() -> tuple[list[np.ndarray], list[str]]:
    """Sparse confusion matrices of 150 classes: 30 images of three classes, for each model."""
    rng = np.random.default_rng(2)
    labels = np.repeat([3, 4, 149], 10)
    predictions = rng.choice([3, 4, 149, 7], (9, 30))
    matrices = [performance.confusion(labels, p, 150) for p in predictions]
    return matrices, [f"class {k}" for k in range(150)]


def test_confusions_of_many_classes_leave_out_empty_cells_but_no_class() -> None:
    matrices, classes = many_confusions()
    table = analysis.confusions(MODELS, matrices, classes)
    of_a = table[table["augmentation"] == "a"]
    assert list(dict.fromkeys(of_a["label"])) == classes
    assert len(of_a) < 150 + 12
    place = {name: k for k, name in enumerate(classes)}
    dense = np.zeros((150, 150), int)
    dense[of_a["label"].map(place), of_a["prediction"].map(place)] = of_a["images"]
    np.testing.assert_array_equal(dense, sum(matrices[3:6]))


def test_confused_pairs_are_the_most_frequent_errors_of_each_augmentation() -> None:
    matrices, classes = many_confusions()
    table = analysis.confused_pairs(MODELS, matrices, classes)
    of_a = table[table["augmentation"] == "a"].reset_index(drop=True)
    total = sum(matrices[3:6])
    errors = {(i, j): n for (i, j), n in np.ndenumerate(total) if i != j and n}
    assert len(of_a) == len(errors) > 5
    assert of_a["images"].tolist() == sorted(errors.values(), reverse=True)
    for row in of_a.itertuples():
        cell = classes.index(row.label), classes.index(row.prediction)
        assert errors[cell] == row.images
        assert row.share == row.images / total[cell[0]].sum()
    assert analysis.confused_pairs([("a", 1)], [np.eye(3, dtype=int)], list("xyz")).empty


def test_confused_pairs_are_few() -> None:
    table = analysis.confused_pairs([("a", 1)], [np.ones((60, 60), int)], list(map(str, range(60))))
    assert len(table) == 40
    assert table.iloc[1].tolist() == ["a", "0", "2", 1, 1 / 60]


def test_aggregate_is_the_mean_over_the_seeds_that_define_it(
    tables: list[pd.DataFrame], aggregate: pd.DataFrame
) -> None:
    assert list(aggregate) == ["index", "label", "augmentation", *METRICS, "overlap_20_area"]
    assert list(dict.fromkeys(aggregate["augmentation"])) == ["c", "a", "b"]
    for place, name in enumerate(("c", "a", "b")):
        rows = aggregate[aggregate["augmentation"] == name]
        np.testing.assert_array_equal(rows["index"], tables[0]["index"])
        np.testing.assert_array_equal(rows["label"], tables[0]["label"])
        for metric in METRICS:
            seeds = np.stack([t[metric] for t in tables[3 * place : 3 * place + 3]])
            defined = ~np.isnan(seeds).all(axis=0)
            np.testing.assert_allclose(
                rows[metric].to_numpy()[defined], np.nanmean(seeds[:, defined], axis=0)
            )
            assert rows[metric].to_numpy()[~defined].tolist() == [] or metric == "pearson"
            assert np.isnan(rows[metric].to_numpy()[~defined]).all()
    assert np.isnan(aggregate["pearson"][7])


def test_aggregate_goes_by_image_not_by_row(tables: list[pd.DataFrame]) -> None:
    shuffled = [tables[0], *(t.sample(frac=1, random_state=0) for t in tables[1:])]
    first = analysis.aggregate(MODELS, tables).set_index(["augmentation", "index"]).sort_index()
    second = analysis.aggregate(MODELS, shuffled).set_index(["augmentation", "index"]).sort_index()
    pd.testing.assert_frame_equal(first, second)


def test_distribution_describes_what_is_defined_and_counts_the_rest(
    aggregate: pd.DataFrame,
) -> None:
    table = analysis.distribution(aggregate).set_index(["metric", "augmentation"])
    assert len(table) == 3 * 3
    for metric in [*METRICS, "overlap_20_area"]:
        for name, values in wide(aggregate, metric).items():
            row, defined = table.loc[(metric, name)], values[~np.isnan(values)]
            assert row["images"] == IMAGES
            assert row["undefined"] == np.isnan(values).sum()
            np.testing.assert_allclose(
                row[["mean", "std", "minimum", "q1", "median", "q3", "maximum"]].astype(float),
                [
                    defined.mean(),
                    defined.std(ddof=1),
                    *np.percentile(defined, [0, 25, 50, 75, 100]),
                ],
            )


def test_correlation_is_scipys_over_the_images_that_both_define(aggregate: pd.DataFrame) -> None:
    table = analysis.correlation(aggregate, METRICS)
    assert list(table) == ["metric", "augmentation_a", "augmentation_b", "pearson", "images"]
    assert len(table) == 2 * 9
    for metric, a, b, pearson, images in table.itertuples(index=False):
        values = wide(aggregate, metric)
        both = ~np.isnan(values[a]) & ~np.isnan(values[b])
        assert images == both.sum()
        expected = stats.pearsonr(values[a][both], values[b][both]).statistic
        np.testing.assert_allclose(pearson, expected, atol=1e-12)


def test_correlation_with_a_constant_or_a_single_image_is_undefined(
    aggregate: pd.DataFrame,
) -> None:
    aggregate.loc[aggregate["augmentation"] == "a", "mad"] = 0.1
    only = aggregate.index[aggregate["augmentation"] == "b"][1:]
    aggregate.loc[only, "pearson"] = np.nan
    table = analysis.correlation(aggregate, METRICS).set_index(
        ["metric", "augmentation_a", "augmentation_b"]
    )["pearson"]
    for name in ("c", "a", "b"):
        assert np.isnan(table["mad", "a", name]) and np.isnan(table["mad", name, "a"])
        assert np.isnan(table["pearson", "b", name])
    assert not np.isnan(table["mad", "c", "b"])


def correlations(values: dict[str, list[float]], names: str) -> pd.DataFrame:
    """A correlation table from the upper triangle of each metric's matrix, row by row."""
    rows = []
    for metric, upper in values.items():
        triangle = dict(zip(combinations(names, 2), upper, strict=True))
        for a in names:
            for b in names:
                r = 1.0 if a == b else triangle[(a, b) if (a, b) in triangle else (b, a)]
                rows.append((metric, a, b, r, 10))
    columns = ["metric", "augmentation_a", "augmentation_b", "pearson", "images"]
    return pd.DataFrame(rows, columns=columns)


def listed(table: pd.DataFrame) -> list[tuple[str, int, str]]:
    assert list(table) == ["augmentation_a", "augmentation_b", "count", "metrics"]
    return [(a + b, count, metrics) for a, b, count, metrics in table.itertuples(index=False)]


def test_top_pairs_are_counted_over_metrics_by_signed_correlation() -> None:
    # Pairs: da db dc ab ac bc
    table = correlations(
        {"m": [0.9, 0.1, -0.8, 0.5, 0.4, 0.3], "n": [0.2, 0.1, 0.9, 0.8, 0.0, -0.1]}, "dabc"
    )
    assert listed(analysis.top_pairs(table, 2, strongest=True)) == [
        ("ab", 2, "m, n"),
        ("da", 1, "m"),
        ("dc", 1, "n"),
    ]
    assert listed(analysis.top_pairs(table, 2, strongest=False)) == [
        ("db", 1, "m"),
        ("dc", 1, "m"),
        ("ac", 1, "n"),
        ("bc", 1, "n"),
    ]


def test_between_equal_correlations_the_first_pair_of_the_study_is_taken() -> None:
    table = correlations({"m": [0.5] * 6}, "dabc")
    for strongest in (True, False):
        found = analysis.top_pairs(table, 4, strongest=strongest)
        assert [pair for pair, _, _ in listed(found)] == ["da", "db", "dc", "ab"]


def test_undefined_correlations_are_never_counted() -> None:
    table = correlations({"m": [np.nan, 0.1, np.nan], "n": [np.nan] * 3}, "abc")
    for strongest in (True, False):
        assert listed(analysis.top_pairs(table, 2, strongest=strongest)) == [("ac", 1, "m")]


def test_all_pairs_are_taken_where_there_are_fewer_and_none_of_one_augmentation() -> None:
    table = correlations({"m": [0.1, 0.2, 0.3], "n": [0.3, 0.2, 0.1]}, "abc")
    assert [count for _, count, _ in listed(analysis.top_pairs(table, 9, strongest=True))] == [
        2
    ] * 3
    alone = correlations({"m": []}, "a")
    assert listed(analysis.top_pairs(alone, 4, strongest=True)) == []


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from([-0.5, 0.0, 0.1, 0.7]), min_size=6, max_size=6), max_size=4),
    st.integers(1, 8),
)
def test_every_metric_counts_top_pairs(matrices: list[list[float]], top: int) -> None:
    table = correlations({f"m{k}": upper for k, upper in enumerate(matrices)}, "abcd")
    for strongest in (True, False):
        found = analysis.top_pairs(table, top, strongest=strongest)
        assert found["count"].sum() == len(matrices) * min(top, 6)
        assert found["count"].is_monotonic_decreasing
        mirrored = table.assign(pearson=-table["pearson"])
        assert found.equals(analysis.top_pairs(mirrored, top, strongest=not strongest))


def test_extremes_are_the_images_of_highest_mean_and_deviation(aggregate: pd.DataFrame) -> None:
    table = analysis.extremes(aggregate, METRICS).set_index(["metric", "statistic"])
    indices = aggregate["index"].unique()
    for metric in METRICS:
        values = np.stack(list(wide(aggregate, metric).values()))
        for statistic, function in (("mean", np.nanmean), ("std", np.nanstd)):
            score = function(values, axis=0)
            row = table.loc[(metric, statistic)]
            assert row["index"] == indices[score.argmax()]
            np.testing.assert_allclose(row["value"], score.max())


def test_extremes_take_the_first_of_equals_and_pass_over_undefined_images() -> None:
    rows = [(i, 0, a, v) for a in "ab" for i, v in ((4, np.nan), (2, 1.0), (9, 1.0))]
    table = pd.DataFrame(rows, columns=["index", "label", "augmentation", "mad"])
    found = analysis.extremes(table.assign(pearson=np.nan), ["mad", "pearson"])
    assert found["index"].tolist() == [2, 2, 4, 4]
    assert found["value"].tolist()[:2] == [1.0, 0.0]
    assert found["value"][2:].isna().all()


def test_one_augmentation_still_has_extremes(aggregate: pd.DataFrame) -> None:
    alone = aggregate[aggregate["augmentation"] == "b"]
    found = analysis.extremes(alone, ["mad"])
    assert found["index"][0] == alone["index"].iloc[alone["mad"].argmax()]
    assert (found["index"][1], found["value"][1]) == (alone["index"].iloc[0], 0.0)


def test_a_segment_says_who_is_right() -> None:
    table = pd.DataFrame(
        {"label": [1, 1, 1, 1], "baseline_prediction": [1, 1, 0, 0], "prediction": [1, 2, 1, 3]}
    )
    found = analysis.members(table)
    assert list(found) == list(analysis.SEGMENTS["correctness"])
    np.testing.assert_array_equal([*found.values()], np.eye(4, dtype=bool))


def test_a_segment_may_say_whether_predictions_agree_right_or_wrong() -> None:
    table = pd.DataFrame(
        {"label": [1, 1, 1, 1], "baseline_prediction": [1, 1, 0, 0], "prediction": [1, 2, 0, 1]}
    )
    found = analysis.members(table, "agreement")
    assert found["agree"].tolist() == [True, False, True, False]
    assert found["disagree"].tolist() == [False, True, False, True]


def test_both_divisions_hold_every_pair(tables: list[pd.DataFrame]) -> None:
    found = analysis.segments(MODELS, tables, ["mad"], ["correctness", "agreement"])
    counts = found.pivot_table("pairs", "augmentation", "segment")
    for names in analysis.SEGMENTS.values():
        assert (counts[list(names)].sum(axis=1) == 3 * IMAGES).all()
    alone = analysis.segments(MODELS, tables, ["mad"])
    rows = found[found["segment"].isin(analysis.SEGMENTS["correctness"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(rows, alone)


def test_beside_the_floor_are_pairs_that_differ_alike_alone(tables: list[pd.DataFrame]) -> None:
    """With `paired` a model and the baseline of its seed are more alike than any two baselines."""

    def pair(k: int, a: tuple[str, int], b: tuple[str, int]) -> pd.DataFrame:
        values = tables[k].drop(columns=["baseline_prediction", "prediction", "overlap_20_area"])
        ends = {"a": a[0], "seed_a": a[1], "b": b[0], "seed_b": b[1]}
        return values.assign(**ends, prediction_a=0, prediction_b=0, constant_a=False)

    base = [("baseline", seed) for seed in (1, 2, 3)]
    affine = [("affine", seed) for seed in (1, 2)]
    pairs = {
        "baseline": pd.concat([pair(0, base[0], base[1]), pair(1, base[0], base[2])]),
        "affine": pd.concat(
            [pair(2, base[0], affine[0]), pair(3, base[0], affine[1]), pair(4, base[1], affine[0])]
        ),
    }
    like = [(base[0], base[1]), (base[0], base[2]), (base[0], affine[1]), (base[1], affine[0])]
    single = analysis.aggregate(affine, tables[:2])
    found = analysis.across_seeds(pairs, like, single)
    assert list(found.columns[:3]) == ["index", "label", "augmentation"]
    rows = found[found["augmentation"] == "baseline"]
    np.testing.assert_allclose(rows["mad"], (tables[0]["mad"] + tables[1]["mad"]) / 2)
    assert rows["overlap_20_area"].isna().all()  # of one map, which pairs do not have
    rows = found[found["augmentation"] == "affine"]
    np.testing.assert_allclose(rows["mad"], (tables[3]["mad"] + tables[4]["mad"]) / 2)
    np.testing.assert_allclose(rows["overlap_20_area"], single["overlap_20_area"][:IMAGES])


def test_chance_has_a_row_per_level_and_none_of_scores_that_a_level_has_not() -> None:
    rng = np.random.default_rng(0)
    parts = []
    for level, augmentation in [("shuffled", "a"), ("edges", "a"), ("shuffled", "b")]:
        table = pd.DataFrame({"mad": rng.random(9), "pearson": np.nan, "class_kld": rng.random(9)})
        table = table.drop(columns="class_kld") if level == "edges" else table
        parts.append(table.assign(level=level, augmentation=augmentation))
    found = analysis.uninformative(pd.concat(parts), ["mad", "pearson", "class_kld"])
    found = found.set_index(["metric", "level", "augmentation"])
    assert found.loc[("mad", "edges", "a"), "mean"] == pytest.approx(parts[1]["mad"].mean())
    assert found.loc[("pearson", "edges", "a"), "undefined"] == 9
    assert ("class_kld", "edges", "a") not in found.index
    assert ("class_kld", "shuffled", "b") in found.index


def test_segments_pool_the_seeds_and_cover_every_pair(tables: list[pd.DataFrame]) -> None:
    table = analysis.segments(MODELS, tables, METRICS)
    assert list(table) == [
        *("metric", "augmentation", "segment", "pairs", "undefined"),
        *("mean", "std", "minimum", "q1", "median", "q3", "maximum"),
    ]
    assert len(table) == 2 * 3 * 4
    assert (table.groupby(["metric", "augmentation"])["pairs"].sum() == 3 * IMAGES).all()
    pooled = pd.concat(tables[3:6])  # augmentation a
    rows = pooled[
        (pooled["baseline_prediction"] != pooled["label"])
        & (pooled["prediction"] == pooled["label"])
    ]
    row = table.set_index(["metric", "augmentation", "segment"]).loc[
        ("pearson", "a", "only_augmented_correct")
    ]
    defined = rows["pearson"].dropna()
    assert row["pairs"] == len(rows) and row["undefined"] == len(rows) - len(defined)
    np.testing.assert_allclose(row["median"], np.median(defined))
    np.testing.assert_allclose(row["std"], np.std(defined, ddof=1))


def test_segments_hold_the_tables_of_one_augmentation_at_a_time(
    tables: list[pd.DataFrame],
) -> None:
    read: list[weakref.ref[pd.DataFrame]] = []

    def alive() -> Iterator[pd.DataFrame]:
        for table in tables:
            needed = table[[*analysis.DECISIVE, "mad"]]
            read.append(weakref.ref(needed))
            yield needed
            del needed
            gc.collect()
            assert sum(other() is not None for other in read) <= 4

    found = analysis.segments(MODELS, alive(), ["mad"])
    pd.testing.assert_frame_equal(found, analysis.segments(MODELS, tables, ["mad"]))
    assert len(read) == len(MODELS)


def test_an_empty_segment_stays_with_no_pairs() -> None:
    table = similarity(0).assign(prediction=lambda t: t["label"], baseline_prediction=-1)
    found = analysis.segments([("a", 1)], [table], ["mad"]).set_index("segment")
    assert found["pairs"].to_dict() == {
        "both_correct": 0,
        "only_baseline_correct": 0,
        "only_augmented_correct": IMAGES,
        "both_incorrect": 0,
    }
    assert found.loc["both_incorrect", ["mean", "median"]].isna().all()


# What a model keeps, what a paper gives, and whether a metric goes with accuracy.


def test_architectures_have_a_row_per_epoch() -> None:
    scores = {f"test_{name}": [0.1, 0.2] for name in ("accuracy", "precision", "recall", "f1")}
    first = pd.DataFrame({"epoch": [1, 2], "validation_accuracy": [0.5, 0.8], **scores})
    second = first.assign(test_accuracy=[0.3, 0.4], seconds=1.0)
    found = analysis.architectures(["b", "a"], [first, second])
    assert list(found["architecture"]) == ["b", "b", "a", "a"]
    assert list(found["accuracy"]) == [0.1, 0.2, 0.3, 0.4]
    assert "seconds" not in found


def test_validation_is_of_the_epoch_kept() -> None:
    first = pd.DataFrame({"epoch": [1, 2, 3], "validation_accuracy": [0.5, 0.8, 0.8]})
    second = pd.DataFrame({"epoch": [1, 2, 3], "validation_accuracy": [0.9, 0.1, 0.2]})
    found = analysis.validation([("a", 1), ("b", 2)], [first, second])
    assert found.to_dict("list") == {
        "augmentation": ["a", "b"], "seed": [1, 2], "epoch": [2, 1], "accuracy": [0.8, 0.9],
    }  # fmt: skip
    last = analysis.validation([("a", 1), ("b", 2)], [first, second], keep="last")
    assert last[["epoch", "accuracy"]].to_numpy().tolist() == [[3, 0.8], [3, 0.2]]


def scores(**columns: list[float]) -> pd.DataFrame:
    return pd.DataFrame(
        [(name, seed, x) for name, xs in columns.items() for seed, x in enumerate(xs, 1)],
        columns=["augmentation", "seed", "accuracy"],
    )


PAIRED = {1: 1, 2: 2, 3: 3}


def test_published_values_are_judged_by_the_prediction_interval_of_one_more_seed() -> None:
    ours = scores(a=[0.70, 0.74, 0.78], b=[0.9, 0.91, 0.92], baseline=[0.75, 0.7, 0.71])
    claims = {
        "a": {"test": 0.60},
        "b": {"test": 0.97, "validation": 0.9},
        "baseline": {"test": 0.8},
    }
    found = analysis.published(claims, {"validation": ours, "test": ours}, PAIRED)
    assert list(found["score"]) == ["validation", "test", "test", "test"]
    test = found[found["score"] == "test"].set_index("augmentation")
    assert list(test.index) == ["a", "b", "baseline"]
    reach = stats.t(2).ppf(0.975) * 0.04 * np.sqrt(4 / 3)
    assert test.loc["a", ["low", "high"]].to_list() == pytest.approx([0.74 - reach, 0.74 + reach])
    assert test["inside"].to_list() == ["yes", "no", "yes"]
    assert test["published_rank"].to_list() == [3, 1, 2]
    assert test["rank"].to_list() == [2, 1, 3]
    assert test["best"].to_list() == [0, 3, 0]
    assert test["above_baseline"].to_list() == [2, 3, 0]
    assert test["seeds"].to_list() == [3, 3, 3]


def test_published_values_beside_one_baseline_and_one_seed() -> None:
    ours = scores(a=[0.7, 0.8], baseline=[0.75])
    claims = {"a": {"test": 0.7}, "baseline": {"test": 0.7}}
    found = analysis.published(claims, {"test": ours}, {1: 1, 2: 1}).set_index("augmentation")
    assert found["above_baseline"].to_list() == [1, 0]
    assert found["published_rank"].to_list() == [1, 1]
    assert found["inside"].isna().to_list() == [False, True]
    assert found["best"].to_list() == [1, 1]


def test_the_prediction_interval_holds_one_more_draw_95_times_in_100() -> None:
    rng = np.random.default_rng(0)
    held = []
    for _ in range(150):
        *sample, one_more = rng.normal(0.8, 0.02, 11)
        claims = {"baseline": {"test": one_more}}
        found = analysis.published(
            claims, {"test": scores(baseline=sample)}, {k: k for k in range(1, 11)}
        )
        held.append(found["inside"][0] == "yes")
    assert 0.90 < np.mean(held) < 0.99


def test_model_means_leave_out_what_is_undefined(tables: list[pd.DataFrame]) -> None:
    accuracy = pd.DataFrame(MODELS, columns=["augmentation", "seed"]).assign(
        accuracy=np.linspace(0.1, 0.9, len(MODELS))
    )
    found = analysis.model_means(MODELS, tables, accuracy.sample(frac=1, random_state=0))
    columns = ["augmentation", "seed", "accuracy", *METRICS, "overlap_20_area"]
    assert list(found.columns) == columns
    np.testing.assert_array_equal(found["accuracy"], accuracy["accuracy"])
    for row, table in zip(found.itertuples(), tables, strict=True):
        assert row.pearson == pytest.approx(np.nanmean(table["pearson"]))


def test_correlation_with_accuracy_is_scipys_with_its_interval() -> None:
    rng = np.random.default_rng(1)
    means = pd.DataFrame({"augmentation": np.repeat(list("abcde"), 10), "seed": np.arange(50) % 10})
    means["accuracy"] = rng.random(50) + np.repeat(np.arange(5), 10)
    means["mad"] = rng.random(50) - np.repeat(np.arange(5), 10)
    found = analysis.accuracy_correlation(means, ["mad"]).set_index("over")
    columns = means[["accuracy", "mad"]]
    groups = means.groupby("augmentation")[["accuracy", "mad"]]
    points = {"models": columns, "augmentations": groups.mean()}
    for over, expected in points.items():
        r = stats.pearsonr(expected["accuracy"], expected["mad"])
        row = found.loc[over]
        assert row["pearson"] == pytest.approx(r.statistic)
        assert (row["low"], row["high"]) == pytest.approx(tuple(r.confidence_interval()))
        assert row["n"] == len(expected)
    # The partial correlation given the augmentation: residuals, less a degree of freedom for each.
    left = columns - groups.transform("mean")
    r = stats.pearsonr(left["accuracy"], left["mad"]).statistic
    reach = 1.959964 / np.sqrt(50 - 4 - 3)
    row = found.loc["within"]
    assert row["pearson"] == pytest.approx(r)
    assert (row["low"], row["high"]) == pytest.approx(
        (np.tanh(np.arctanh(r) - reach), np.tanh(np.arctanh(r) + reach))
    )
    assert found.loc["models", "pearson"] < -0.8 < found.loc["within", "pearson"]


def test_correlation_with_accuracy_of_too_few_is_undefined() -> None:
    means = pd.DataFrame(
        {"augmentation": ["a", "a", "b"], "accuracy": [0.1, 0.3, 0.2], "mad": [1.0, 2.0, np.nan]}
    )
    found = analysis.accuracy_correlation(means, ["mad"]).set_index("over")
    assert found.loc["models", "pearson"] == pytest.approx(1)
    assert found[["low", "high"]].isna().all(axis=None)
    assert np.isnan(found.loc["augmentations", "pearson"])
    constant = analysis.accuracy_correlation(means.assign(mad=1.0), ["mad"])
    assert constant["pearson"].isna().all()
