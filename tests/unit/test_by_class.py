"""Unequal classes: balanced accuracy, map shift and localisation by class, and their figures."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
import test_controls
import test_localisation
import test_pages
import test_plots
import test_plots_names
from matplotlib.figure import Figure

from campare import answer, config, controls, duplicates, localisation, performance
from campare.errors import CampareError
from campare.plots import classes
from campare.plots.summary import summary

MATCHED = "duplicated_originals"
COUNTS = np.array([40, 15, 5])
LABELS = np.repeat(np.arange(3), COUNTS)


# Balanced accuracy.


def test_balanced_accuracy_is_scikit_learns_as_a_mean_over_images() -> None:
    from sklearn.metrics import balanced_accuracy_score

    predictions = np.random.default_rng(0).integers(0, 3, 60)
    value = performance.balanced(predictions == LABELS, LABELS).mean()
    assert value == pytest.approx(balanced_accuracy_score(LABELS, predictions), rel=1e-12)
    two = LABELS != 1  # a class without images does not count
    predictions = np.where(predictions == 1, 2, predictions)
    value = performance.balanced((predictions == LABELS)[two], LABELS[two]).mean()
    expected = balanced_accuracy_score(LABELS[two], predictions[two])
    assert value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("numbers", "unequal"),
    [([30, 36, 40], False), ([30, 46], True), ([9, 0, 9], False), ([0], False)],
)
def test_classes_are_unequal_from_a_ratio_of_one_and_a_half(
    numbers: list[int], unequal: bool
) -> None:
    assert performance.unequal(numbers) == unequal


def test_changes_of_balanced_accuracy_weigh_classes_equally() -> None:
    """The arms are equally accurate; the augmented models recognise the small classes better."""
    rng = np.random.default_rng(1)
    correct = {}
    for name, rates in (("baseline", [0.95, 0.6, 0.2]), ("affine", [0.75, 0.9, 0.9])):
        for seed in range(8):
            correct[name, 10 * (name == "affine") + seed] = rng.random(60) < np.array(rates)[LABELS]
    found = controls.accuracy_changes(correct, [], 0, LABELS).iloc[0]
    rates = {
        name: np.mean([[own[k == LABELS].mean() for k in range(3)] for (arm, _), own in
                       correct.items() if arm == name])
        for name in ("affine", "baseline")
    }  # fmt: skip
    assert found["balanced_accuracy"] == pytest.approx(rates["affine"])
    assert found["reference_balanced_accuracy"] == pytest.approx(rates["baseline"])
    change = found["balanced_accuracy_change"]
    assert change == pytest.approx(rates["affine"] - rates["baseline"])
    assert found["balanced_accuracy_change_low"] > 0.05 > abs(found["accuracy_change"])
    assert found["balanced_accuracy_change_p_holm"] < 0.01 < found["accuracy_change_p_holm"]
    plain = controls.accuracy_changes(correct, [], 0)
    assert found[[*plain]].equals(plain.iloc[0])
    # With equal classes both are the same.
    same = controls.accuracy_changes(correct, [], 0, np.repeat(np.arange(3), 20)).iloc[0]
    for end in ("", "_low", "_high", "_p", "_p_holm"):
        assert same[f"balanced_accuracy_change{end}"] == pytest.approx(
            same[f"accuracy_change{end}"]
        )


def test_the_answer_reports_balanced_accuracy_of_unequal_classes_alone() -> None:
    change = {"": [0.05, 0.0, 0.0], "_low": 0.01, "_high": 0.09, "_p_holm": [0.0312, 1.0, 1.0]}
    own = {f"balanced_accuracy_change{end}": value for end, value in change.items()}
    tables = {"summary": test_pages.summary(**own)}
    numbers = pd.DataFrame({"class": ["a", "b", "all"], "test": [90, 6, 96]})
    page = test_pages.text(answer.page(test_pages.FACTS, tables | {"subsets": numbers}))
    assert "they have 6 to 90 test images" in page
    assert "p = 0.500); balanced accuracy: +5.0 points (p = 0.031)" in page
    assert "Balanced accuracy change" in page
    for equal in ({}, {"subsets": numbers.assign(test=[50, 46, 96])}):
        page = test_pages.text(answer.page(test_pages.FACTS, tables | equal))
        assert "alanced accuracy" not in page
    table = test_plots.summarised()
    table = table.assign(**{name: table[name.removeprefix("balanced_")] for name in own})
    figure, plain = (summary(table, "s", balanced=shown) for shown in (True, False))
    texts = [label.get_text() for legend in figure.legends for label in legend.get_texts()]
    assert "Balanced accuracy" in texts
    assert len(figure.axes[0].lines) == len(plain.axes[0].lines) + len(table)
    check(figure)


# By class.


def with_labels(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Pairs with images of three classes, one of them with a single image."""
    labels = np.array([0] * 20 + [2] * 9 + [5])
    return {name: own.assign(label=labels[own["index"] // 3]) for name, own in tables.items()}


@pytest.mark.parametrize("reference", ["baseline", MATCHED])
def test_the_shift_of_a_class_is_that_of_its_images(reference: str) -> None:
    tables, models = test_controls.pairs({"affine": 1.0, "cutmix": 0.0, MATCHED: 0})
    tables, names = with_labels(tables), [f"class {k}" for k in range(6)]
    found = controls.by_class(tables, models, ["mad", "pearson"], names, reference, 0)
    assert list(found["augmentation"].unique()) == ["affine", "cutmix"]
    assert list(found["class"].unique()) == ["all", "class 0", "class 2", "class 5"]
    key = ["metric", "augmentation", "reference"]
    measures = ["between", "within", "floor", "net", "tightening", "relative_shift", "images"]
    intervals = ["net_low", "tightening_high", "shift", "shift_low", "shift_high"]
    for label, name in ((None, "all"), (0, "class 0"), (2, "class 2"), (5, "class 5")):
        own = tables
        if label is not None:
            own = {arm: table[table["label"] == label] for arm, table in tables.items()}
        expected = controls.shifts(own, models, ["mad", "pearson"], "", 0)
        expected = expected[
            (expected["reference"] == reference)
            & (expected["predictions"] == "any")
            & expected["augmentation"].isin(["affine", "cutmix"])
        ]
        rows = found[found["class"] == name]
        columns = measures if label == 5 else [*measures, *intervals]
        pd.testing.assert_frame_equal(
            rows[[*key, *columns]].reset_index(drop=True),
            expected[[*key, *columns]].reset_index(drop=True),
        )
    assert found.loc[found["class"] == "class 5", intervals[-2:]].isna().all(axis=None)


def test_localisation_of_a_class_is_that_of_its_images() -> None:
    measured = [
        table.assign(label=np.arange(len(table)) % 2 + 1) for table in test_localisation.measured()
    ]
    models = test_localisation.MODELS
    found = localisation.by_class(models, measured, ["x", "y", "z"], 0, paired=False)
    assert list(found["class"].unique()) == ["all", "y", "z"]
    for label, name in ((None, "all"), (1, "y"), (2, "z")):
        own = [table if label is None else table[table["label"] == label] for table in measured]
        expected = localisation.summary(models, own, 0, paired=False)
        expected = expected[expected["score"] == "energy"]
        columns = ["augmentation", "region", "seeds", "images", "mean", "std", "chance"]
        columns += localisation.DIFFERENCE
        rows = found[found["class"] == name]
        pd.testing.assert_frame_equal(
            rows[columns].sort_values(columns[:2]).reset_index(drop=True),
            expected[columns].sort_values(columns[:2]).reset_index(drop=True),
        )


# Figures.


def numbers(count: int, ratio: float = 20) -> pd.DataFrame:
    """The table of a split whose largest class has `ratio` times the images of the smallest."""
    size = np.round(500 * ratio ** (-np.arange(count) / max(1, count - 1))).astype(int)
    labels = np.repeat(np.arange(count), size)
    frame = pd.DataFrame({"label": labels, "subset": "train"})
    frame.loc[::5, "subset"] = "test"
    names = [f"a class with a long name, number {k}" for k in range(count)]
    return duplicates.counts(frame, names)


def of_classes(count: int) -> pd.DataFrame:
    """shift_by_class.csv of two augmentations; class k has a shift of k/1000."""
    rows = [
        ("mad", name, group, 9, shift / 1000, shift / 1000 - 0.02, shift / 1000 + 5, 0.4)
        for name in ("affine", "cutmix")
        for group, shift in [("all", 3), *((f"a rather long name {k}", k) for k in range(count))]
    ]
    columns = ["metric", "augmentation", "class", "images", "shift", "shift_low", "shift_high"]
    return pd.DataFrame(rows, columns=[*columns, "floor"]).assign(reference="baseline")


def check(figure: Figure) -> None:
    """Texts are inside the figure, are not too small and do not overlap."""
    figure.draw_without_rendering()
    boxes = [(t, t.get_window_extent().padded(-1)) for t in test_plots_names.shown(figure)]
    for text, box in boxes:
        inside = figure.bbox.padded(1).count_contains([(box.x0, box.y0), (box.x1, box.y1)])
        assert inside == 2, text.get_text()
        assert text.get_fontsize() >= 7
    for (text, box), (other, its_box) in combinations(boxes, 2):
        assert not box.overlaps(its_box), (text.get_text(), other.get_text())
    assert figure.get_figheight() <= 0.8 * figure.get_figwidth() + 1e-9


def texts(figure: Figure) -> list[str]:
    figure.draw_without_rendering()
    return [text.get_text() for text in test_plots_names.shown(figure) if text.get_text()]


@pytest.mark.parametrize("count", [2, 10, 40, 41, 200])
def test_numbers_of_images_are_legible_for_few_and_many_classes(count: int) -> None:
    table = numbers(count)
    figure = classes.subsets(table)
    check(figure)
    written = texts(figure)
    total = f"{table['train'].iloc[-1]:,}"
    assert any(f"Training: {total} images\nlargest/smallest class: " in text for text in written)
    if count > 40:
        assert not figure.axes[0].patches
        assert any(f"({count} classes)" in text for text in written)
        assert sum(text.count(", number") for text in written) == 2 * classes.NAMED
    else:
        assert len(figure.axes[0].patches) == count
        bars = [bar.get_width() for bar in figure.axes[2].patches]
        assert bars == table["test"].iloc[:-1].tolist()


@pytest.mark.parametrize("count", [2, 30, 31, 200])
def test_of_many_classes_those_with_the_highest_and_lowest_shift_are_drawn(count: int) -> None:
    figure = classes.shift_by_class(of_classes(count), "mad")
    check(figure)
    assert len(figure.axes[0].get_yticks()) == min(count, 30)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels[0].endswith(f"{count - 1} (9)") and labels[-1].endswith("0 (9)")
    cut = f"Of {count} classes: the 15 with the highest" in figure.get_supxlabel()
    assert cut == (count > 30)
    # Intervals much wider than the range of the estimates do not hide their differences.
    low, high = figure.axes[0].get_xlim()
    assert high - low < 3 * max(count - 1, 3) / 1000 + 0.05


def test_localisation_is_drawn_by_class() -> None:
    table = of_classes(4).rename(columns=lambda name: name.replace("shift", "difference"))
    own = table[table["augmentation"] == "cutmix"].assign(augmentation="baseline")
    table = pd.concat([own, table]).assign(region="object", mean=0.5, chance=0.2)
    figure = classes.localisation_by_class(table)
    assert [axes.get_title(loc="left") for axes in figure.axes[:3]] == [
        *("Affine", "CutMix", "Baselines (energy)"),
    ]


# Config.


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"analysis": {"by_class": ["mad"]}}, ["analysis.by_class", "controls.baselines"]),
        ({"analysis": {"by_class": ["ssim"]}, "controls": {}}, ["analysis.by_class: 'ssim'"]),
        ({"analysis": {"by_class": ["entropy"]}, "controls": {}}, ["'entropy' is not one of"]),
    ],
)
def test_metrics_by_class_are_checked(changes: dict[str, Any], words: list[str]) -> None:
    study = {
        "study": "s",
        "data": {"name": "digits"},
        "model": {"architecture": "small_cnn"},
        "augmentations": {"affine": {}},
        "similarity": {"metrics": ["mad", "entropy"]},
    }
    with pytest.raises(CampareError) as raised:
        config.complete(study | changes, "s.yaml")
    assert all(word in str(raised.value) for word in words)
