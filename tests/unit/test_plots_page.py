"""Figures for a paper: exactly as wide as a column or a page, legible, with fonts embedded."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import test_deletion
import test_during_training
import test_exchange
import test_plots
import test_plots_dose
import test_plots_stages
import test_plots_truth
import test_representations
import test_robustness
import test_sanity
import test_variants
from matplotlib.figure import Figure
from test_plots_names import shown

from campare import controls, labels, registry, robustness, variants
from campare.paper import contents
from campare.plots import (
    dose,
    during_training,
    equal_accuracy,
    images,
    metrics,
    page,
    relations,
    representations,
    saving,
    stages,
    summary,
    training,
    truth,
    views,
)
from campare.plots import robustness as of_robustness
from campare.plots import variants as of_variants

pytestmark = pytest.mark.filterwarnings("error")

NAMES = ["affine", "cutmix_mixed", "gaussian_blur", "rand_augment", "trivial_augment_wide"]
ALL = ["baseline", *NAMES]


def over_images() -> Figure:
    photos = test_plots.photos(10, 1)
    return views.overlays(
        [test_plots.model_views(ALL, [1], f"class {k}", photos[k]) for k in range(10)],
        map_only=False,
    )


def distribution() -> Figure:
    table = test_plots.values(["baseline", *NAMES, "longer_training"])
    return metrics.boxplot(table, "overlap_20", NAMES, ["baseline", "longer_training"], about="One")


def in_summary() -> Figure:
    table = test_plots.summarised()
    return summary.summary(table, "a_study_with_a_long_name")


def of_representations() -> Figure:
    models, pairs = test_representations.arms(1.0)
    shifts = controls.shifts(pairs, models, list(registry.REPRESENTATIONS), "", 0)
    maps = shifts.iloc[[0]].assign(metric="overlap_20", shift_p_holm=0.5)
    return representations.shift(maps, shifts, "a_study_with_a_long_name")


def for_variants() -> Figure:
    one = test_variants.summary(dict.fromkeys(NAMES, 0.1), dict.fromkeys(NAMES, 0.04), 0.5)
    maps = "HiResCAM, predicted class, last convolutional block"
    titles = dict.fromkeys(["main", "true_class", "an_earlier_layer", "hirescam"], maps)
    shifts = variants.table(dict.fromkeys(titles, one), titles)
    return of_variants.variants(shifts, variants.agreement(shifts), variants.ranking(shifts, 0))


def corrupted() -> tuple[pd.DataFrame, pd.DataFrame]:
    given = test_robustness.MODELS, test_robustness.MEASURED
    changes = robustness.corruption_changes(*given, test_robustness.MATCHED, 0)
    return robustness.corruption_accuracy(*given), changes


# Kind of figure in `contents.figures` → a figure of it.
FIGURES: dict[str, Callable[[], Figure]] = {
    "summary": in_summary,
    "dose_response": lambda: dose.dose_response(
        test_plots_dose.summarised(["blur_1", "blur_2"]),
        *("gaussian_blur", "sigma", {"blur_1": 1, "blur_2": 20}, "pixels"),
    ),
    "during_training": lambda: during_training.during_training(test_during_training.table()),
    "equal_accuracy": lambda: equal_accuracy.equal_accuracy(*test_during_training.adjusted()),
    "performance": lambda: training.performance(*test_plots.performance(ALL), "f1", ALL),
    "sets": lambda: images.sets(
        test_plots.photos(8, 3),
        dict.fromkeys(NAMES, test_plots.photos(8, 3)),
        [f"class {k}" for k in range(8)],
    ),
    "overlays": over_images,
    "boxplot": distribution,
    "correlation": lambda: relations.correlation(test_plots.correlation(NAMES), "mad", NAMES),
    "accuracy": lambda: metrics.accuracy(*test_plots.means(NAMES), "kl", ALL),
    "between": lambda: relations.between(shifts_between(), "mad"),
    "localisation": lambda: truth.localisation(*test_plots_truth.localised(), "energy", "Energy"),
    "spurious": lambda: truth.spurious(*test_plots_truth.planted(), "cue"),
    "reliance": lambda: truth.reliance(test_plots_truth.relied()),
    "faithfulness": lambda: truth.faithfulness_gain(*test_plots_truth.gains()),
    "curves": lambda: truth.faithfulness_curves(test_plots_truth.curves()),
    "agreement": lambda: stages.agreement(
        test_plots_stages.agreement(), "overlap_20", ("CNN", "CNN+SVM")
    ),
    "scores": lambda: stages.scores(test_plots_stages.scores(), labels.CLASSIFIERS),
    "calibration": lambda: representations.calibration(test_representations.calibrated()),
    "representations": of_representations,
    "variants": for_variants,
    "sanity": test_sanity.drawn,
    "corruptions": lambda: of_robustness.accuracy(*corrupted(), "duplicated_originals"),
    "corruption_change": lambda: of_robustness.change(*corrupted(), "duplicated_originals"),
    "single_deletion": test_deletion.drawn,
    "map_exchange": test_exchange.drawn,
    "occlusion": lambda: stages.occlusion(test_plots_stages.occlusion(), "accuracy", "all"),
}


def shifts_between() -> pd.DataFrame:
    rows = [(a, b, 0.012, 0.03) for a, b in combinations(NAMES, 2)]
    table = pd.DataFrame(rows, columns=["augmentation_a", "augmentation_b", "shift", "p_holm"])
    return table.assign(metric="mad")


@pytest.mark.parametrize("kind", FIGURES)
@pytest.mark.parametrize("width", page.COLUMNS.values())
def test_texts_are_inside_and_do_not_overlap(kind: str, width: float) -> None:
    with page.printed(width):
        figure = FIGURES[kind]()
    assert figure.get_figwidth() == width
    assert figure.get_figheight() <= 9.5
    figure.draw_without_rendering()
    boxes = [(text, text.get_window_extent().padded(-1)) for text in shown(figure)]
    for text, box in boxes:
        inside = figure.bbox.padded(1).count_contains([(box.x0, box.y0), (box.x1, box.y1)])
        assert inside == 2, text.get_text()
        assert 7 <= text.get_fontsize() <= 9
    upright = [(text.get_text(), box) for text, box in boxes if text.get_rotation() in (0, 90)]
    for (a, box), (b, other) in combinations(upright, 2):
        assert not box.overlaps(other), (a, b)
    for axes in figure.axes:
        if axes.get_visible() and axes.lines:
            assert axes.get_window_extent().width >= 0.7 * figure.dpi


def test_names_of_classifiers_are_whole_in_a_column() -> None:
    table = pd.DataFrame({"model": list(labels.CLASSIFIERS), "accuracy": 0.5, "low": 0.4})
    with page.printed(3.5):
        figure = stages.scores(table.assign(high=0.6, images=9), labels.CLASSIFIERS)
    shown_names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert [" ".join(name.split()) for name in shown_names] == list(labels.CLASSIFIERS.values())


def test_a_figure_without_a_page_is_as_before() -> None:
    with page.printed(3.5):
        assert page.narrow()
    assert not page.printing() and page.width() == page.USUAL
    assert distribution().get_figwidth() == 7


@pytest.mark.parametrize(
    ("stem", "name", "width"),
    [
        ("overlap_20_one_column", "overlap_20", 3.5),
        ("overlap_20_two_columns", "overlap_20", 7.16),
        ("overlap_20", "overlap_20", None),
    ],
)
def test_the_name_of_a_file_has_the_width(stem: str, name: str, width: float | None) -> None:
    assert page.named(stem) == (name, width)
    assert set(page.COLUMNS) == set(contents.WIDTHS)


def test_pdf_has_embedded_truetype_fonts_no_dates_and_always_the_same_bytes(
    tmp_path: Path,
) -> None:
    paths = [tmp_path / f"mad{width}.pdf" for width in page.COLUMNS]
    written = []
    for _ in range(2):
        drawn: list[str] = []

        def draw(name: str, drawn: list[str] = drawn) -> Figure:
            drawn.append(name)
            return distribution()

        saving.save_each(paths, draw)
        assert drawn == ["mad", "mad"]
        written.append([path.read_bytes() for path in paths])
    assert written[0] == written[1]
    for content, inches in zip(written[0], page.COLUMNS.values(), strict=True):
        assert b"/CreationDate" not in content and b"/ModDate" not in content
        assert b"/FontFile2" in content and b"/Type3" not in content
        box = re.search(rb"/MediaBox \[ ?0 0 ([\d.]+)", content)
        assert box and float(box[1]) == pytest.approx(72 * inches)


def test_images_of_a_narrow_page_are_the_first_ones() -> None:
    with page.printed(3.5):
        figure = over_images()
    headings = [text.get_text() for text in shown(figure)]
    kept = [name for name in headings if name.startswith("class")]
    assert kept == [f"class {k}" for k in range(4)]
    assert np.isclose(figure.get_figwidth(), 3.5)
