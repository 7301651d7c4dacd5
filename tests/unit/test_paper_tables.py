"""Tables of a paper: the numbers of the study's tables, rounded, with any names, in LaTeX."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
import pytest
from test_paper_methods import FACTS

from campare import config, registry
from campare.design import Design
from campare.paper import contents, document, tables
from campare.paper.tables import PaperTable

STUDY: dict[str, Any] = {
    "study": "tiny",
    "data": {"name": "digits"},
    "model": {"architecture": "small_cnn"},
    "augmentations": {"color_jitter": {}, "cutmix": {}},
    "similarity": {"metrics": ["overlap_20", "mad"]},
}


def design(**changes: Any) -> Design:
    return Design(config.complete({**STUDY, **changes}, "study.yaml"))


def summary() -> pd.DataFrame:
    table = pd.DataFrame({"augmentation": ["color_jitter", "duplicated_originals"]})
    table = table.assign(
        reference=["duplicated_originals", "baseline"], metric="overlap_20", floor=0.4811
    )
    for k, name in enumerate(("net", "tightening", "shift", "noise_corrected_similarity")):
        table[name] = [0.0406, -0.0004 * (k + 1)]
        table[f"{name}_low"], table[f"{name}_high"] = table[name] - 0.01, table[name] + 0.0204
    for end in ("", "_low", "_high"):
        table[f"equal_shift{end}"] = table[f"shift{end}"]
    return table.assign(
        relative_shift=[0.0844, 0.003],
        shift_p_holm=[0.0004, float("nan")],
        equal_shift_p_holm=0.2,
        significant=[7.0, float("nan")],
        tested=[8, 0],
        models=3,
        reference_models=8,
        images=10_000,
    )


def cells(latex: str) -> list[list[str]]:
    """Cells of the rows of a LaTeX table, without headings."""
    body = re.sub(r"\\begin{tabular}\[b\].*?\\end{tabular}", "head", latex)
    rows = re.findall(r"^(?!\\)(.*) \\\\$", body, re.MULTILINE)
    return [re.split(r"(?<!\\) & ", row) for row in rows]


def balanced(text: str) -> bool:
    plain = re.sub(r"\\[\\{}]", "", text)
    return plain.count("{") == plain.count("}")


def test_the_map_shift_has_labels_intervals_and_a_caption_that_says_what_they_are() -> None:
    table = tables.make("map_shift", {"summary": summary()}, design())
    (row, control) = table.rows
    assert row[0] == "Color jitter" and control[0] == "Duplicated originals (step-matched)"
    assert row[1] == "+0.041 (+0.031 to +0.061)"
    assert row[4] == "+8.4" and row[6] == "< 0.001" and row[8] == "7 of 8"
    assert control[6] == "–" and control[8] == "–"
    assert table.groups == [1]
    for words in ("3 networks", "8 reference networks (duplicated originals)", "10,000 test images",
                  "permutation", "Holm", "noise floor BB = 0.481", "90 %"):  # fmt: skip
        assert words in table.caption
    assert "\\midrule" in table.latex and "\\caption{" in table.latex
    assert balanced(table.latex)
    assert {len(row) for row in cells(table.latex)} <= {5, 6, 9}


def test_values_of_a_column_have_the_same_decimals_and_small_ones_more() -> None:
    frame = pd.DataFrame({"metric": ["mad", "mad", "msd"], "mean": [0.5, 0.0012, 0.00042]})
    frame["std"] = 0.00013
    shown = tables.mean_std("distribution", frame, "metric")
    assert [shown(row) for row in frame.to_dict("records")] == [
        *("0.500 ± 0.000", "0.001 ± 0.000"),
        "0.00042 ± 0.00013",
    ]


@pytest.mark.parametrize(
    "name",
    ["a & b", "50 % off", "under_score", "<tag>", "x | y", "$\\frac$", "naïve 中文", "#1 {z}"],
)
def test_any_name_is_escaped_in_latex_and_markdown(name: str) -> None:
    table = PaperTable("t", f"Caption of {name}", ["Class", name], [[name, "1"], ["b", name]])
    assert balanced(table.latex)
    assert all(len(row) == 2 for row in cells(table.latex))
    assert not re.search(r"(?<![\\~])[%#]", table.latex.replace("~\\%", ""))
    lines = table.markdown.splitlines()[2:]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {3}
    assert "<tag>" not in table.markdown.replace("\\<", "")


def test_columns_that_are_too_wide_for_a_page_are_divided() -> None:
    wide = PaperTable(
        "t", "c", ["Name", *["A value"] * 12], [["a", *["0.123 (0.012 to 0.345)"] * 12]]
    )
    parts = re.findall(r"\\begin{tabular}\{@\{\}(l)(r+)@\{\}\}", wide.latex)
    assert len(parts) == 2 and {len(numbers) for _, numbers in parts} == {6}
    narrow = PaperTable("t", "c", ["Name", "A value"], [["a", "1"]])
    assert "\\begin{table}" in narrow.latex and "table*" not in narrow.latex


def test_performance_has_a_row_per_training_set_and_a_column_per_score() -> None:
    rows = [(a, s, 0.9, 0.01, 3) for a in ("baseline", "cutmix") for s in ("accuracy", "f1")]
    frame = pd.DataFrame(rows, columns=["augmentation", "score", "mean", "std", "seeds"])
    frame.loc[frame["augmentation"] == "cutmix", "std"] = float("nan")
    frames = {"performance_summary": frame, "performance": pd.DataFrame({"images": [400]})}
    table = tables.make("performance", frames, design())
    assert table.rows == [
        ["Baseline", "3", "90.0 ± 1.0", "90.0 ± 1.0"],
        ["CutMix", "3", "90.0", "90.0"],
    ]
    assert "400 test images" in table.caption and "standard deviation" in table.caption


CONTROLS = {"baselines": {"seeds": [7, 8, 9], "vary": ["init"]}, "uninformative": True}


@pytest.mark.parametrize(
    ("changes", "some", "others"),
    [
        ({}, {"performance", "distribution", "segments", "pairs"}, {"map_shift", "uninformative"}),
        ({"augmentations": {}}, {"performance"}, {"distribution", "accuracy_change"}),
        (
            {"controls": CONTROLS, "vary": ["init"]},
            {"map_shift", "accuracy_change", "shift_by_metric", "uninformative"},
            {"variants", "between"},
        ),
        (
            {"reference": "none", "controls": {}, "vary": ["init", "augmentation"]},
            {"between"},
            {"distribution", "map_shift"},
        ),
    ],
)
def test_a_study_has_the_tables_for_which_it_has_results(
    changes: dict[str, Any], some: set[str], others: set[str]
) -> None:
    made = contents.tables(design(**changes))
    assert some <= made.keys() and not others & made.keys()
    assert made.keys() <= tables.MAKERS.keys()


def test_every_table_of_a_paper_can_be_planned_and_made() -> None:
    stages: dict[str, Any] = {
        "faithfulness": {},
        "localisation": {"spurious": "cue"},
        "data": {"name": "shapes", "parameters": {"cue_share": 0.5}},
        "cam": {"variants": {"a": {"class": "true"}}},
        "hybrid": {"network": "small_cnn"},
        "masking": {},
        "mosaics": {},
        "sanity": {},
        "single_deletion": {},
        "map_exchange": {},
        "representations": {},
        "robustness": {},
        "known_changes": {"label_noise": [0.2]},
        "published": {"cutmix": {"test": 0.5}},
        "controls": CONTROLS,
        "vary": ["init"],
    }
    made = {*contents.tables(design(**stages))}
    none = {"reference": "none", "controls": {}, "vary": ["init", "augmentation"]}
    made |= {*contents.tables(design(**none))}
    assert made == tables.MAKERS.keys()
    figures = contents.figures(design(**stages))
    assert {f"localisation/{score}" for score in registry.LOCALISATION} <= {*figures}
    assert len(figures) == len({*figures})
    assert {"calibration/calibration", "representations/shift", "variants/variants"} <= {*figures}
    assert {"corruptions/accuracy", "corruptions/change"} <= {*figures}
    assert "equal_accuracy/equal_accuracy" in figures
    captions = document.captions(design(**stages), FACTS, figures[1:], None)
    assert all(caption.endswith(".") for caption in captions.values())


def test_a_reference_has_no_difference_from_itself() -> None:
    frame = pd.DataFrame({"model": ["cnn", "network", "cnn-svm"], "images": 80})
    for column in ("accuracy", "low", "high", "precision", "recall", "f1"):
        frame[column] = 0.5
    frame["difference"], frame["difference_low"], frame["difference_high"] = 0.0, -0.1, 0.1
    made = tables.MAKERS["hybrid_scores"]({"hybrid_scores": frame}, design())
    assert [row[-1] for row in made.rows] == ["0.0 (−10.0 to +10.0)", "–", "0.0 (−10.0 to +10.0)"]
    assert made.caption.endswith("Reference: Deeper CNN.") and frame["difference"].notna().all()


def test_a_long_table_is_continued_on_the_next_page() -> None:
    rows = [[f"row {k}", f"{k}"] for k in range(150)]
    long = PaperTable("long", "A caption.", ["Name", "Number"], rows, text=1)
    floats = long.latex.split("\\end{table}\n")[:-1]
    assert [text.count("row ") for text in floats] == [64, 64, 22]
    assert all(text.count("\\toprule") == 1 for text in floats)
    assert long.latex.count("A caption.") == long.latex.count("\\label") == 1
    assert [text.count("\\caption{Continued.}") for text in floats] == [0, 1, 1]
    assert long.markdown.count("row ") == 150


def test_mosaics_have_a_row_per_training_set_and_kind() -> None:
    keys = [(a, r, s) for a in ("baseline", "affine") for r in ("grid_pointing", "focus")
            for s in ("pointing", "energy", "iou")]  # fmt: skip
    frame = pd.DataFrame(keys, columns=["augmentation", "region", "score"])
    for column in ("mean", "std", "chance", "difference", "difference_low", "difference_high"):
        frame[column] = 0.25
    made = tables.MAKERS["mosaics"]({"mosaics_summary": frame.assign(images=500)}, design())
    assert made.header[:3] == ["Training set", "Kind of mosaic", "Pointing game"]
    assert len(made.header) == 6 and len(made.rows) == 4
    assert made.rows[3][:2] == ["Affine", "Focus"]
    assert made.caption.endswith("Chance: 0.250 (Grid pointing game), 0.250 (Focus).")
