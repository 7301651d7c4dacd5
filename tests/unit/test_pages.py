"""Tables and the answer of a study as pages of HTML."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from browser import CHROMIUM, Browser
from campare import answer, columns, pages
from campare.errors import CampareError

SHIFTS = {
    "metric": "mad",
    "augmentation": ["affine", "color_jitter", "duplicated_originals"],
    "reference": ["duplicated_originals", "duplicated_originals", "baseline"],
    "predictions": "any",
    **{"between": 0.5, "within": 0.4, "floor": 0.4},
    "net": [0.02, 0.001, 0.002],
    "net_low": [0.01, -0.01, -0.01],
    "net_high": [0.03, 0.012, 0.01],
    "tightening": [0.01, -0.002, 0.0],
    "tightening_low": [-0.01, -0.01, -0.01],
    "tightening_high": [0.03, 0.01, 0.01],
    "shift": [0.03, 0.0013, 0.002],
    "shift_low": [0.02, -0.003, -0.003],
    "shift_high": [0.05, 0.004, 0.004],
    "noise_corrected_similarity": [0.9, 0.99, 0.99],
    "noise_corrected_similarity_low": [0.88, 0.98, 0.98],
    "noise_corrected_similarity_high": [0.92, 1.0, 1.0],
    "relative_shift": [0.075, 0.00325, 0.005],
    "shift_p_holm": [0.0421, 0.6, 0.3],
    "note": np.nan,
    **{"models": 3, "reference_models": 8, "images": 359},
}
CHANGES = {
    **{"accuracy": 0.97, "reference_accuracy": 0.98},
    "accuracy_change": [-0.011, 0.02, 0.0],
    "accuracy_change_low": [-0.02, 0.01, -0.01],
    "accuracy_change_high": [0.01, 0.03, 0.01],
    "accuracy_change_p_holm": [0.5, 0.02, 1.0],
    **{"significant": [4, 0, 0], "tested": 4},
}
FACTS = answer.Facts("digits", "digits", "small_cnn", "Grad-CAM", "mad", 30, trained=True)


def summary(**changes: Any) -> pd.DataFrame:
    table = pd.DataFrame(SHIFTS | CHANGES | changes)
    return table.drop(columns="predictions")


class Text(HTMLParser):
    """The text of a page, without its style and script; and its tags."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text, self.tags, self._hidden = "", [], False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        self._hidden = tag in ("style", "script")

    def handle_endtag(self, tag: str) -> None:
        self._hidden = False
        self.text += " " * (tag in ("td", "th", "small", "dd", "dt"))

    def handle_data(self, data: str) -> None:
        self.text += "" if self._hidden else data


def text(page: str) -> str:
    return " ".join(Text(page).text.split())


# Tables


def test_a_table_has_labels_rounded_values_and_intervals() -> None:
    page = text(pages.table_page("summary", summary()))
    assert "Affine" in page and "Color jitter" in page and "color_jitter" not in page
    assert "Map shift E 90 % interval" in page
    # Decimals of all rows, because there is one metric.
    assert "+0.030 (+0.020 to +0.050)" in page and "+0.001 (−0.003 to +0.004)" in page
    assert "−1.1 (−2.0 to +1.0)" in page


def test_columns_with_one_value_are_above_the_table_and_all_are_explained() -> None:
    page = text(pages.table_page("summary", summary()))
    same = page[page.index("In all rows") : page.index("rows. Click")]
    assert "Metric: Mean absolute difference" in same and "Images: 359" in same
    assert "Note" not in same  # undefined
    legend = page[page.index("Columns", page.index("rows. Click")) :]
    for name in summary():
        column = columns.column("summary", name)
        assert name in legend and (column.end or column.about in legend)


def test_names_of_classes_are_text_and_never_markup() -> None:
    name = "<img src=x onerror=alert(1)>&amp;"
    row = {"augmentation": "baseline", "label": name, "prediction": "</script>", "images": 3}
    page = pages.table_page("confusion", pd.DataFrame([row, {**row, "label": "b"}]))
    assert name in Text(page).text
    assert "img" not in Text(page).tags and page.count("</script>") == 1


def test_rows_are_sorted_as_the_dictionary_says() -> None:
    rows = [("a", "b", 2), ("a", "a", 30), ("b", "b", 7)]
    table = pd.DataFrame(
        [{"augmentation": "x", "label": a, "prediction": b, "images": n} for a, b, n in rows]
    )
    sorted_rows = pages.ordered(table, columns.TABLES["confusion"].sort)
    assert list(sorted_rows["images"]) == [30, 7, 2]
    page = pages.table_page("confusion", table)
    assert page.index('data-v="30"') < page.index('data-v="7"') < page.index('data-v="2"')


def test_a_long_table_is_cut_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "MOST_ROWS", 2)
    table = pd.DataFrame({"augmentation": "x", "label": ["a", "b", "c"], "prediction": "a"})
    page = pages.table_page("confusion", table.assign(images=[1, 2, 3]))
    assert page.count("<tr>") == 3 and "The first 2 of 3 rows" in page


def test_a_column_that_is_not_in_the_dictionary_is_named() -> None:
    with pytest.raises(CampareError, match=r"summary\.mine: .*columns"):
        pages.table_page("summary", summary().assign(mine=1))


@pytest.mark.parametrize("names", [[], ["augmentation_a", "augmentation_b", "count", "metrics"]])
def test_an_empty_table_has_a_page(names: list[str]) -> None:
    assert "0 rows" in text(pages.table_page("strongest_pairs", pd.DataFrame(columns=names)))


# The answer


def test_the_answer_states_what_the_summary_contains() -> None:
    page = text(answer.page(FACTS, {"summary": summary()}, "<svg></svg>"))
    assert "1 of 2 augmentations changes the maps beyond retraining variability" in page
    assert "+0.3 % (Color jitter) to +7.5 % (Affine) of the noise floor" in page
    assert "Test accuracy changes significantly with Color jitter." in page
    assert "Affine: the maps change beyond retraining variability, by +7.5 %" in page
    assert "they are farther from the reference maps than these are from each other" in page
    assert "does not change significantly (−1.1 points, p = 0.500)" in page
    assert "Color jitter: no change of the maps beyond retraining variability is shown" in page
    assert "Duplicated originals (step-matched), compared with the baselines" in page
    assert "4 of 4" in page and "0.042" in page


@pytest.mark.parametrize("name", ["nets.py:net_2p5", "timm:resnet18"])
def test_names_of_code_are_printed_as_they_are(name: str) -> None:
    page = text(answer.page(replace(FACTS, architecture=name), {"summary": summary()}))
    assert f"networks; {name};" in page


def test_an_answer_without_a_test_gives_the_reason() -> None:
    untested = summary(shift_p_holm=np.nan, note="too few models", tested=0)
    page = text(answer.page(FACTS, {"summary": untested}))
    assert "The map shift of no augmentation is tested (too few models)." in page
    assert "Affine: the change of the maps (by +7.5 % of the noise floor) is not tested" in page


def test_an_undefined_shift_is_no_number() -> None:
    table = summary(shift=np.nan, relative_shift=np.nan, shift_p_holm=np.nan, note="constant")
    page = text(answer.page(FACTS, {"summary": table}))
    assert "nan" not in page.lower().replace("ordinance", "")


def test_maps_without_predictions_have_an_answer_without_accuracy() -> None:
    shifts = pd.DataFrame(SHIFTS).assign(reference="baseline")
    page = text(answer.page(FACTS, {"shift": shifts}))
    assert "changes the maps beyond retraining variability" in page
    assert "ccuracy change" not in page


def levels(metric: str, **means: float) -> pd.DataFrame:
    """uninformative.csv of a metric."""
    rows = {"metric": metric, "augmentation": "baseline"}
    return pd.DataFrame([rows | {"level": k, "mean": mean} for k, mean in means.items()])


SHIFT_OF_MAPS = pd.DataFrame(
    {"metric": ["mad", "overlap_20", "class_kld"], "predictions": "any", "reference": "baseline",
     "floor": [0.2, 0.4, 0.1]}
)  # fmt: skip


@pytest.mark.parametrize(
    ("metric", "means", "nearer"),
    [
        ("overlap_20", {"shuffled": 0.5, "gaussian": 0.5}, []),
        ("overlap_20", {"shuffled": 0.7, "gaussian": 0.5}, ["map of another image"]),
        ("overlap_20", {"shuffled": 0.6, "gaussian": 0.8}, ["another image or a Gaussian"]),
        ("mad", {"shuffled": 0.5, "gaussian": 0.1}, ["a Gaussian in the centre than"]),
        ("mad", {"gaussian": 0.3, "edges": 0.1, "untrained": 0.1}, []),
    ],
)
def test_the_answer_says_whether_maps_depend_on_the_image(
    metric: str, means: dict[str, float], nearer: list[str]
) -> None:
    found = answer.image_dependence(SHIFT_OF_MAPS, levels(metric, **means), metric)
    assert ("the maps depend on the image" in found) == (not nearer)
    assert ("the maps say little about the image" in found) == bool(nearer)
    assert all(name in found for name in nearer)


def test_the_distances_of_unrelated_maps_are_on_the_page() -> None:
    frames = {
        "summary": summary(),
        "shift": SHIFT_OF_MAPS,
        "uninformative": levels("mad", shuffled=0.25),
    }
    page = text(answer.page(FACTS, frames))
    assert "(the noise floor): 0.200; from the same network's map of another image: 0.250." in page
    without = text(answer.page(FACTS, {"summary": summary(), "shift": SHIFT_OF_MAPS}))
    assert "depend on the image" not in without


@pytest.mark.parametrize(
    ("metric", "means"),
    [("class_kld", {"shuffled": 3.0}), ("mad", {"shuffled": np.nan}), ("mad", {"edges": 0.1})],
)
def test_nothing_is_said_of_metrics_without_unrelated_maps(
    metric: str, means: dict[str, float]
) -> None:
    assert answer.image_dependence(SHIFT_OF_MAPS, levels(metric, **means), metric) == ""


DISTRIBUTION = pd.DataFrame(
    {"metric": "mad", "augmentation": ["affine", "cutmix"], "images": 60, "undefined": 0,
     "mean": [0.1, 0.3], "median": [0.1, 0.2], "pairs": "reference"}
)  # fmt: skip
SCORES = pd.DataFrame(
    {"augmentation": ["baseline", "affine"], "score": "accuracy", "mean": [0.9, 0.95],
     "std": [np.nan, 0.01], "seeds": [1, 2]}
)  # fmt: skip


def test_a_study_without_controls_says_what_it_cannot_show() -> None:
    tables = {"distribution": DISTRIBUTION, "performance_summary": SCORES}
    page = text(answer.page(FACTS, tables))
    assert "is 0.100 (Affine) to 0.300 (CutMix)" in page
    assert "no controls" in page and "may be due to retraining alone" in page
    assert "95.0" in page


def test_a_study_without_a_reference_compares_augmentations() -> None:
    row = {"metric": "mad", "augmentation_a": "affine", "augmentation_b": "cutmix"}
    values = {"between": 0.5, "shift": 0.1, "low": 0.05, "high": 0.15, "p_holm": 0.01, "note": ""}
    page = text(answer.page(FACTS, {"between": pd.DataFrame([row | values])}))
    assert "1 of 1 pairs of augmentations differ beyond retraining variability" in page


@pytest.mark.parametrize("tables", [{}, {"performance_summary": SCORES}])
def test_a_study_without_augmentations_has_an_answer(tables: dict[str, pd.DataFrame]) -> None:
    page = answer.page(FACTS, tables)
    assert "30 networks" in text(page)
    assert page.count(answer.MARK) == 2 and "<script" not in page.split(answer.MARK)[1]


# In a browser


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_a_table_is_sorted_by_numbers_and_filtered(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {"augmentation": ["affine", "cutmix", "color_jitter", "equalize"], "seed": 1,
         "epoch": [9, 10, 2, np.nan], "accuracy": [0.5, 0.25, 0.75, 0.125]}
    )  # fmt: skip
    path = tmp_path / "validation.html"
    path.write_text(pages.table_page("validation", table), encoding="utf-8")
    rows = "[...document.querySelectorAll('tbody tr:not([hidden]) th')].map((x) => x.textContent)"
    with Browser(tmp_path / "profile", (960, 800)) as browser:
        browser.open(path.as_uri())

        def click(heading: str) -> list[str]:
            script = f"(b) => b.textContent.startsWith({json.dumps(heading)})"
            browser.run(f"[...document.querySelectorAll('th button')].find({script}).click()")
            return list(browser.run(rows))

        assert click("Epoch") == ["CutMix", "Affine", "Color jitter", "Equalize"]
        assert click("Epoch") == ["Color jitter", "Affine", "CutMix", "Equalize"]
        assert click("Augmentation") == ["Affine", "Color jitter", "CutMix", "Equalize"]
        browser.run(
            "(() => { const field = document.querySelector('input'); field.value = 'c 25';"
            "field.dispatchEvent(new Event('input')); })()"
        )
        assert browser.run(rows) == ["CutMix"]
        assert browser.run("document.querySelector('.shown').textContent") == "1"
        dark = [{"name": "prefers-color-scheme", "value": "dark"}]
        browser.call("Emulation.setEmulatedMedia", features=dark)
        # Also where a wide table exceeds the page.
        background = "getComputedStyle(document.documentElement).backgroundColor"
        assert browser.run(background) == "rgb(22, 24, 28)"
        # The heading stays in sight.
        assert browser.run("getComputedStyle(document.querySelector('thead th')).position") == (
            "sticky"
        )
        assert browser.errors == []
