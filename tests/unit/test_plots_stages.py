"""Figures of the optional stages show their tables and images, legibly."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from scipy import special

from campare import labels, performance
from campare.agreement import DIFFERENT, SAME
from campare.plots import images as image_figures
from campare.plots import saving, stages, style, views
from campare.store import Store

pytestmark = pytest.mark.filterwarnings("error")

CLASSES = ["T-shirt/top", "Trouser", "Ankle boot"]


def image_of(side: int = 28, channels: int = 1) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (side, side, channels), dtype=np.uint8)


def view(probability: float, true: str = "Trouser", **changes: object) -> views.ModelView:
    cam = np.random.default_rng(1).random((28, 28))
    return views.ModelView(image_of(), cam, "Trouser", probability, true, **changes)


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def only(figure: Figure) -> Axes:
    return figure.axes[0]


def agreement(undefined: bool = False) -> pd.DataFrame:
    random = np.random.default_rng(0)
    groups = [performance.ALL, SAME, DIFFERENT, *CLASSES]
    table = pd.DataFrame({"metric": "pearson", "class": groups, "pairs": 1234, "undefined": 5})
    for prefix in ("", "chance"):
        mean = random.uniform(0, 1, len(groups))
        names = ("mean", "low", "high") if not prefix else ("chance", "chance_low", "chance_high")
        for name, shift in zip(names, (0, -0.1, 0.1), strict=True):
            table[name] = np.nan if undefined else mean + shift
    return table


def occlusion(sizes: tuple[int, ...] = (0, 4, 8)) -> pd.DataFrame:
    rows = pd.DataFrame(product(sizes, [performance.ALL, *CLASSES], ["accuracy", "pearson"]))
    rows.columns = ["size", "class", "measure"]
    mean = np.linspace(0.2, 0.9, len(rows))
    return rows.assign(mean=mean, low=mean - 0.05, high=mean + 0.05)


def scores() -> pd.DataFrame:
    accuracy = np.array([0.88, 0.91])
    return pd.DataFrame(
        {"model": ["unmasked", "masked"], "accuracy": accuracy, "low": accuracy - 0.01}
    ).assign(high=accuracy + 0.02)


def test_sheets_are_green_and_solid_from_the_threshold_on_else_red_and_dashed() -> None:
    shown = [view(0.95), view(0.9499, true="Dress"), view(1.0, true="")]
    figure = views.sheets(shown, 0.95, "Heading")
    images = only(figure).findobj(AxesImage)
    assert [image.get_cmap().name for image in images[1::2]] == ["Greens", "Reds", "Greens"]
    for image, one in zip(images[1::2], shown, strict=True):
        np.testing.assert_array_equal(image.get_array(), one.map)
    borders = only(figure).findobj(Rectangle)[:-1]
    solid = [
        border.get_linestyle() in ("-", "solid") for border in borders if border.get_fill() == 0
    ]
    assert solid == [True, False, True]
    found = texts(figure)
    assert "● Trouser\n95.00 %  ✓ correct" in found
    assert "○ Trouser\n94.99 %  ✗ Dress" in found
    assert "● Trouser\n100 %" in found
    assert any("≥ 95 %" in text for text in found)


@pytest.mark.parametrize("count", [19, 20, 21, 40])
def test_sheets_fill_the_width_of_the_figure(count: int) -> None:
    figure = views.sheets([view(0.5)] * count, 0.95, "Heading")
    right = max(image.get_extent()[1] for image in only(figure).findobj(AxesImage))
    assert figure.get_figwidth() - right <= 1.35  # room for less than one more image


def test_probability_near_one_is_not_rounded_to_one() -> None:
    assert views.percent(0.99999999) == "99.99 %"
    assert views.percent(1.0) == "100 %"


def test_sheets_show_the_original_image() -> None:
    original = np.zeros((50, 30, 1), np.uint8)
    figure = views.sheets([view(0.5, true="", original=original)], 0.95, "")
    square = only(figure).findobj(AxesImage)[0].get_array()
    assert square.shape[:2] == (50, 50)
    assert (square[:, :10] == 255).all()
    assert (square[:, 10:40] == 0).all()


def test_side_by_side_shows_every_map_of_every_model() -> None:
    model_views = {
        name: [
            views.ModelView(image_of(), np.full((28, 28), 0.1 * place), "Trouser", 0.5, true)
            for place, true in enumerate(CLASSES)
        ]
        for name in ("CNN", "CNN+SVM")
    }
    figure = views.side_by_side(model_views)
    found = texts(figure)
    assert found.count("✓ Trouser") == 2
    assert found.count("✗ Trouser") == 4
    assert {"CNN", "CNN+SVM", "Trouser"} <= set(found)


def test_tiles_show_every_image_once() -> None:
    figure = image_figures.tiles({"one": [image_of()] * 3, "two": [image_of()] * 3}, CLASSES)
    assert len(only(figure).findobj(AxesImage)) == 6
    assert texts(figure).count("Trouser") == 1


def test_scores_show_the_accuracy_and_its_interval() -> None:
    axes = only(stages.scores(scores(), labels.CLASSIFIERS))
    (container,) = axes.containers
    np.testing.assert_allclose(container.lines[0].get_xdata(), [88, 91])
    segments = container.lines[2][0].get_segments()
    np.testing.assert_allclose([line[:, 0] for line in segments], [[87, 90], [90, 93]])
    names = [tick.get_text() for tick in axes.get_yticklabels()]
    assert names == ["SVM, all pixels", "SVM+Mask"]
    assert {"88.00", "91.00"} <= set(texts(axes.figure))


def test_agreement_shows_maps_and_chance_with_intervals() -> None:
    table = agreement()
    axes = only(stages.agreement(table, "pearson", ("CNN", "CNN+SVM")))
    chance, ours = axes.containers
    np.testing.assert_allclose(chance.lines[0].get_xdata(), table["chance"])
    np.testing.assert_allclose(ours.lines[0].get_xdata(), table["mean"])
    ends = [line[:, 0] for line in ours.lines[2][0].get_segments()]
    np.testing.assert_allclose(ends, table[["low", "high"]])
    assert axes.get_xlabel().startswith("Pearson correlation between maps of CNN and CNN+SVM")
    assert texts(axes.figure).count("1,234") == len(table)


def test_occlusion_shows_each_class_and_all_classes() -> None:
    table = occlusion()
    figure = stages.occlusion(table, "accuracy", performance.ALL)
    panels = {axes.get_title(): axes for axes in figure.axes}
    assert list(panels) == CLASSES
    for name, panel in panels.items():
        everyone, one = (
            table[(table["measure"] == "accuracy") & (table["class"] == which)]
            for which in (performance.ALL, name)
        )
        np.testing.assert_allclose(panel.lines[0].get_ydata(), 100 * everyone["mean"])
        np.testing.assert_allclose(panel.lines[1].get_ydata(), 100 * one["mean"])


def test_occlusion_by_one_size_shows_all_classes_and_the_interval() -> None:
    table = occlusion((4,))
    table = table[table["measure"] == "pearson"]
    panel = stages.occlusion(table, "pearson", performance.ALL).axes[0]
    whole = table.loc[table["class"] == performance.ALL, "mean"].item()
    grey = next(line for line in panel.lines if line.get_color() == style.GREY)
    assert grey.get_marker() == "o" and list(grey.get_ydata()) == [whole]
    assert list(panel.get_xticks()) == [4]
    one = table[table["class"] == panel.get_title()].iloc[0]
    (interval,) = panel.collections[0].get_segments()
    assert list(interval[:, 1]) == [one["low"], one["high"]]


@pytest.mark.parametrize("suffix", [".png", ".svg"])
@pytest.mark.parametrize("kind", ["sheets", "no sheets", "agreement", "occlusion", "scores"])
def test_stages_are_drawn_legibly_also_from_degenerate_tables(
    tmp_path: Path, kind: str, suffix: str
) -> None:
    figure = {
        "sheets": lambda: views.sheets([view(0.5)] * 11, 0.95, "Heading"),
        "no sheets": lambda: views.sheets([], 0.95, "No mistakes"),
        "agreement": lambda: stages.agreement(agreement(True), "pearson", ("CNN", "CNN+SVM")),
        "occlusion": lambda: stages.occlusion(occlusion((4,)), "pearson", performance.ALL),
        "scores": lambda: stages.scores(scores(), labels.CLASSIFIERS),
    }[kind]()
    width, height = figure.get_size_inches()
    assert height <= 0.8 * width + 1e-9
    visible = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
    assert min(text.get_fontsize() for text in visible) >= 7
    saving.save(figure, tmp_path / f"a{suffix}", 60)
    assert (tmp_path / f"a{suffix}").stat().st_size > 500


def test_figures_and_tables_have_the_same_predictions() -> None:
    """Also for two logits whose probabilities are rounded to the same number."""
    logit = np.array([[0.1, np.nextafter(np.float32(0.1), 1), -9.0]], np.float32)
    probability = special.softmax(logit.astype(np.float64), axis=1).astype(np.float32)
    assert probability[0, 0] == probability[0, 1]
    about = {"augmentation": "baseline", "seed": 1}
    ones = np.ones(1, np.int64)
    store = Store(np.zeros((1, 2, 2), np.float32), probability, logit, ones, ones, ones, about)
    maps, images = np.zeros((1, 4, 4)), np.zeros((2, 4, 4, 1), np.uint8)
    (view,) = views.of_store(store, np.array([0]), maps, images, CLASSES)
    assert (view.predicted, view.correct) == (CLASSES[store.predicted[0]], True)
