"""Tables of the stages: scores with intervals, agreement beside chance, covered patches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import classification_report

from campare import agreement, classifiers, occlusion, performance, selection, statistics
from campare.store import Store

CLASSES = ("a", "b", "c")


def predictions(seed: int, right: float = 0.7, n: int = 200) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    label = np.arange(n) % 3
    wrong = random.random(n) > right
    prediction = np.where(wrong, (label + random.integers(1, 3, n)) % 3, label)
    return pd.DataFrame({"index": np.arange(n), "label": label, "prediction": prediction})


def similar(seed: int, n: int = 60) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "index": np.arange(n) + 500,
            "label": np.arange(n) % 3,
            "baseline_prediction": random.integers(0, 3, n),
            "prediction": random.integers(0, 3, n),
            "pearson": random.random(n),
        }
    )


def test_by_class_is_scikit_learns_report_also_for_a_class_never_predicted() -> None:
    table = predictions(0)
    for changed in (table, table.assign(prediction=table["prediction"].replace(2, 0))):
        confusion = performance.confusion(changed["label"], changed["prediction"], 3)
        ours = performance.by_class(confusion, CLASSES).set_index("class")
        reference = classification_report(
            changed["label"],
            changed["prediction"],
            target_names=CLASSES,
            output_dict=True,
            zero_division=0,
        )
        for name in CLASSES:
            expected = reference[name]
            assert ours.loc[name, "precision"] == pytest.approx(expected["precision"], abs=1e-12)
            assert ours.loc[name, "recall"] == pytest.approx(expected["recall"], abs=1e-12)
            assert ours.loc[name, "f1"] == pytest.approx(expected["f1-score"], abs=1e-12)
            assert ours.loc[name, "support"] == expected["support"]


def test_by_class_of_a_class_without_images_or_predictions_is_zero() -> None:
    table = performance.by_class(np.array([[3, 0], [0, 0]]), ("there", "absent"))
    assert table.iloc[1].tolist() == ["absent", 0, 0, 0, 0]


def test_mean_interval_is_students() -> None:
    values = np.random.default_rng(0).normal(3, 2, 40)
    reference = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    mean, low, high = statistics.mean_interval([*values, np.nan])
    assert mean == pytest.approx(values.mean())
    assert (low, high) == pytest.approx((reference.low, reference.high))


def test_mean_interval_of_one_value_and_of_none() -> None:
    assert statistics.mean_interval([2.0]) == pytest.approx((2, np.nan, np.nan), nan_ok=True)
    assert np.isnan(statistics.mean_interval([np.nan])).all()


@pytest.mark.parametrize(("hits", "n"), [(0, 10), (3, 10), (10, 10), (9086, 10000)])
def test_share_interval_is_wilsons(hits: int, n: int) -> None:
    reference = stats.binomtest(hits, n).proportion_ci(method="wilson")
    share, low, high = statistics.share_interval(hits, n)
    assert share == hits / n
    assert (low, high) == pytest.approx((reference.low, reference.high), abs=1e-12)


def test_scores_compare_with_the_reference_image_by_image() -> None:
    said = {"first": predictions(1, 0.6), "second": predictions(2, 0.9)}
    table = classifiers.scores(said, 3, "first").set_index("model")
    right = [(t["prediction"] == t["label"]).to_numpy() for t in said.values()]
    assert table["accuracy"].tolist() == pytest.approx([part.mean() for part in right])
    assert table.loc["first", "difference"] == 0
    gain = right[1].astype(float) - right[0]
    mean, low, high = statistics.mean_interval(gain)
    found = table.loc["second", ["difference", "difference_low", "difference_high"]]
    assert found.tolist() == pytest.approx([mean, low, high])
    assert "difference" not in classifiers.scores(said, 3, None)


def test_agreement_is_over_all_over_who_agrees_and_by_class() -> None:
    pairs = similar(0)
    pairs.loc[4, "pearson"] = np.nan
    chance = similar(1).iloc[1:]  # the first image is alone in its class
    table = agreement.agreement(pairs, chance, ["pearson"], CLASSES).set_index("class")
    assert list(table.index) == [performance.ALL, agreement.SAME, agreement.DIFFERENT, *CLASSES]
    assert table.loc[performance.ALL, "pairs"] == 60
    assert table.loc[performance.ALL, "undefined"] == 1
    assert table.loc[[agreement.SAME, agreement.DIFFERENT], "pairs"].sum() == 60
    assert table.loc[performance.ALL, "mean"] == pytest.approx(pairs["pearson"].mean())
    assert table.loc[performance.ALL, "chance"] == pytest.approx(chance["pearson"].mean())
    of_b = pairs["label"] == 1
    assert table.loc["b", "mean"] == pytest.approx(pairs.loc[of_b, "pearson"].mean())
    both = pairs.merge(chance, on="index")
    expected = (both["pearson_x"] - both["pearson_y"]).mean()
    assert table.loc[performance.ALL, "difference"] == pytest.approx(expected)


def test_occlusion_begins_with_nothing_covered() -> None:
    tables = {3: similar(0), 5: similar(0).assign(pearson=0.5)}
    table = occlusion.table(tables, ["pearson"], CLASSES)
    accuracy = table[table["measure"] == "accuracy"].set_index(["size", "class"])
    whole = similar(0)
    assert accuracy.loc[(0, "all"), "mean"] == pytest.approx(
        (whole["baseline_prediction"] == whole["label"]).mean()
    )
    assert accuracy.loc[(3, "all"), "mean"] == pytest.approx(
        (whole["prediction"] == whole["label"]).mean()
    )
    pearson = table[table["measure"] == "pearson"].set_index(["size", "class"])
    assert set(pearson.index.get_level_values("size")) == {3, 5}
    assert pearson.loc[(5, "c"), "mean"] == 0.5


def store(**changes: Any) -> Store:
    logit = np.array([[9, 0, 0], [0, 5, 0], [0, 2, 0], [7, 0, 0], [90, 0, 0]], np.float32)
    label = np.array([0, 2, 0, 1, 2])
    maps = np.arange(5 * 4, dtype=np.float32).reshape(5, 2, 2)
    given = {"maps": maps, "prediction": logit, "logit": logit, "label": label}
    given |= {"index": np.arange(5), "target": logit.argmax(1), "attributes": {}}
    return Store(**(given | changes))


def test_most_confident_mistakes_come_first() -> None:
    assert selection.confident_mistakes(store(), 9).tolist() == [4, 3, 1, 2]
    assert selection.confident_mistakes(store(), 2).tolist() == [4, 3]
    right = store(label=np.array([0, 1, 1, 0, 0]))
    assert selection.confident_mistakes(right, 2).tolist() == []


def test_first_of_each_class_there_is() -> None:
    labels = np.array([2, 0, 2, 0, 5])
    assert selection.first_of_each(labels, list("fedcba")).tolist() == [1, 0, 4]
    # Label 2 is class 2, and is shown before class 10.
    assert selection.first_of_each(labels, ["1", "10", "2", "3", "4", "5"]).tolist() == [1, 0, 4]
    assert selection.first_of_each(np.array([2, 1, 0]), ["1", "10", "2"]).tolist() == [2, 0, 1]


def test_swapped_takes_maps_and_scores_but_not_labels() -> None:
    whole = store()
    found = whole.with_maps_of(np.array([1, 0, 2, 3, 4]))
    assert np.array_equal(found.maps[0], whole.maps[1])
    assert found.predicted[0] == whole.predicted[1]
    assert np.array_equal(found.label, whole.label)
    assert np.array_equal(found.index, whole.index)
