"""The data dictionary: every column of every table, and values as tables show them."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest

from campare import columns, registry
from campare.errors import CampareError

SCRIPTS = Path(columns.__file__).parents[1]
EVERY = {**columns.TABLES, **columns.FILES}


def shown(table: str, name: str, value: object) -> str:
    return columns.text(columns.column(table, name), value)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("shift", 0.04059, "+0.041"),
        ("shift", -0.0055, "−0.0055"),
        ("shift", 4.2e-6, "+4.2 × 10⁻⁶"),
        ("shift", 0.0, "0.000"),
        ("accuracy_change", -0.0001, "0.0"),
        ("shift", math.nan, "–"),
        ("noise_corrected_similarity", 0.93643, "0.936"),
        ("accuracy", 0.98143, "98.1"),
        ("accuracy_change", -0.0022, "−0.2"),
        ("relative_shift", 0.08438, "+8.4"),
        ("shift_p_holm", 0.04242, "0.042"),
        ("shift_p_holm", 0.0002, "< 0.001"),
        ("images", 10000, "10,000"),
        ("augmentation", "color_jitter", "Color jitter"),
        ("augmentation", "longer_training", "Longer training (step-matched)"),
        ("metric", "overlap_20", "Overlap rate (top 20 %)"),
        ("note", None, "–"),
    ],
)
def test_values_are_rounded_and_named(name: str, value: object, text: str) -> None:
    assert shown("summary", name, value) == text


@pytest.mark.parametrize(
    ("table", "name", "value", "text"),
    [
        ("extremes", "index", "2402", "2402"),
        ("clusters", "members", "elastic + random_crop", "Elastic + Random crop"),
        ("weakest_pairs", "metrics", "mad, all", "Mean absolute difference, All metrics"),
        ("distribution", "metric", "overlap_20_area", "Overlap rate (top 20 %): area"),
        ("clusters", "metric", "all", "All metrics"),
        ("segments", "segment", "only_baseline_correct", "Only baseline correct"),
        ("occlusion", "measure", "accuracy", "Accuracy"),
        ("occlusion", "class", "all", "All images"),
        ("confusion", "label", "7", "7"),
        ("localisation", "score", "iou", registry.LOCALISATION["iou"]),
    ],
)  # fmt: skip
def test_codes_have_the_labels_of_figures(table: str, name: str, value: str, text: str) -> None:
    assert shown(table, name, value) == text


def test_columns_of_metrics_are_described_by_the_registry() -> None:
    for name in ("mad", "pearson_native", "overlap_12.5_corrected"):
        assert columns.column("model_means", name).label == registry.metric(name).label
    assert columns.column("model_means", "overlap_20_area").form == "percent"
    entropy = columns.column("model_means", "entropy_baseline")
    assert "baseline's map" in entropy.about and "augmented" not in entropy.about
    assert "augmented model's map" in columns.column("model_means", "entropy").about


@pytest.mark.parametrize(
    ("table", "name", "named"),
    [("summary", "mad", "summary.mad"), ("model_means", "x", "model_means.x"), ("x", "mad", "x")],
)
def test_unknown_tables_and_columns_are_named(table: str, name: str, named: str) -> None:
    with pytest.raises(CampareError, match=f"^{named}: .*columns"):
        columns.column(table, name)


def test_every_entry_has_a_label_a_sentence_and_a_form() -> None:
    for table in EVERY.values():
        assert table.about.endswith(".") and table.title
        for name, column in table.columns.items():
            assert column.label and column.about.endswith("."), (table.title, name)
            assert column.form in columns.FORMS
            assert bool(column.codes) == (column.form == "code")
            for end in column.ends:
                assert table.columns[end].end and column.level
        assert {name.removeprefix("-") for name in table.sort} <= set(table.columns)


def test_every_code_has_a_label() -> None:
    for table in EVERY.values():
        for column in table.columns.values():
            if column.codes:
                assert all(columns.CODES[column.codes].values())


def test_labels_of_a_table_differ() -> None:
    for table in EVERY.values():
        labels = [column.label for column in table.columns.values()]
        assert len(labels) == len(set(labels)), table.title


def test_rules_may_import_the_dictionary() -> None:
    heavy = "{'torch', 'pandas', 'matplotlib'}"
    check = f"import sys; import campare.columns; print({heavy} & set(sys.modules))"
    found = subprocess.run(
        [sys.executable, "-c", check], cwd=SCRIPTS, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "set()"
