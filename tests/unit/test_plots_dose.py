"""Accuracy change and map shift against the strength of an augmentation."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.offsetbox import AnnotationBbox
from test_plots_names import shown

from campare import examples as one_image
from campare.augment import Augmenter, Batch
from campare.plots import dose

pytestmark = pytest.mark.filterwarnings("error")

NUMBERS = {"blur_sigma_4": 4, "blur_sigma_0p5": 0.5, "blur_sigma_1": 1.0}


def summarised(names: list[str]) -> pd.DataFrame:
    """Rows of summary.csv, with another augmentation and a control between them."""
    names = [*names[:1], "affine", *names[1:], "longer_training"]
    table = pd.DataFrame({"augmentation": names, "metric": "overlap_20", "reference": "baseline"})
    for k, column in enumerate(("accuracy_change", "shift")):
        centres = np.arange(1.0, 1 + len(names)) / 100 * (k + 1)
        table[column] = centres
        table[f"{column}_low"], table[f"{column}_high"] = centres - 0.01, centres + 0.02
        table[f"{column}_p_holm"] = [0.01, *[0.2] * (len(names) - 2), np.nan]
    return table


def points(axes: Axes) -> tuple[np.ndarray, list[bool]]:
    """Points (x, y), and whether they are filled."""
    drawn = [line for line in axes.lines if line.get_marker() == "o"]
    filled = [line.get_markerfacecolor() != "white" for line in drawn]
    return np.array([[line.get_xdata()[0], line.get_ydata()[0]] for line in drawn]), filled


def test_each_strength_has_its_value_interval_and_test() -> None:
    table = summarised(list(NUMBERS))
    rows = table.set_index("augmentation").loc[list(NUMBERS)]
    figure = dose.dose_response(table, "gaussian_blur", "sigma", NUMBERS)
    for axes, column, scale in zip(
        figure.axes, ("accuracy_change", "shift"), (100, 1), strict=True
    ):
        found, filled = points(axes)
        np.testing.assert_allclose(found[:, 0], [4, 0.5, 1])
        np.testing.assert_allclose(found[:, 1], scale * rows[column])
        assert filled == [True, False, False]
        bars = [c.get_segments()[0] for c in axes.collections if isinstance(c, LineCollection)]
        ends = scale * rows[[f"{column}_low", f"{column}_high"]].to_numpy()
        np.testing.assert_allclose([bar[:, 1] for bar in bars], ends)
        (curve,) = (line for line in axes.lines if len(line.get_xdata()) == 3)
        assert list(curve.get_xdata()) == [0.5, 1, 4]  # in the order of the strength
        assert axes.get_xscale() == "log"
        assert [text.get_text() for text in axes.get_xticklabels()] == ["0.5", "1", "4"]


def test_legend_and_axis_say_what_markers_line_and_numbers_mean() -> None:
    table = summarised(list(NUMBERS)).assign(shift_p_holm=np.nan)  # too few models for a test
    figure = dose.dose_response(table, "gaussian_blur", "sigma", NUMBERS, "pixels")
    assert [line.get_marker() for line in figure.axes[1].lines[2:]] == ["s"] * 3
    assert figure.get_supxlabel() == "Gaussian blur: sigma (pixels)"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "p ≤ 0.05 (Holm)", "Not significant", "Not tested (see summary)", "Reference: baseline",
    ]  # fmt: skip
    tested = dose.dose_response(summarised(list(NUMBERS)), "gaussian_blur", "sigma", NUMBERS)
    assert "Not tested" not in str([text.get_text() for text in tested.legends[0].get_texts()])
    assert tested.get_supxlabel() == "Gaussian blur: sigma"


@pytest.mark.parametrize(
    ("values", "scale"),
    [([1, 2, 4], "linear"), ([0, 1, 90], "linear"), ([-1, 1, 20], "linear"), ([1, 2, 8], "log")],
)
def test_the_axis_is_logarithmic_if_strengths_are_positive_and_range_widely(
    values: list[float], scale: str
) -> None:
    arms = {f"x_{place}": value for place, value in enumerate(values)}
    figure = dose.dose_response(summarised(list(arms)), "x", "sigma", arms)
    assert {axes.get_xscale() for axes in figure.axes} == {scale}


@pytest.mark.parametrize(
    "values",
    [
        [1],
        [0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32],
        [1, 1.1, 1.25, 7],
        [[0.1, 1], [0.1, 2.5], 4],
        ["nearest", "bilinear"],
        [True, False],
    ],
)
def test_texts_are_inside_the_figure_and_do_not_overlap(values: list[Any]) -> None:
    arms = {f"x_{place}": value for place, value in enumerate(values)}
    table = summarised(list(arms)).assign(
        metric="overlap_20_corrected", reference="duplicated_originals"
    )
    table.loc[0, "shift_p_holm"] = np.nan
    figure = dose.dose_response(table, "a_long_name_of_an_augmentation", "kernel_size", arms)
    figure.draw_without_rendering()
    boxes = [(text.get_text(), text.get_window_extent().padded(-1)) for text in shown(figure)]
    for text, box in boxes:
        assert figure.bbox.count_contains([(box.x0, box.y0), (box.x1, box.y1)]) == 2, text
    for (a, box), (b, other) in combinations(boxes, 2):
        assert not box.overlaps(other), (a, b)


def test_trends_are_above_their_panels() -> None:
    trends = pd.DataFrame(
        {"measure": ["accuracy", "distance"], "tau": [-0.5, 0.75], "p_holm": [np.nan, 0.0042]}
    )
    table = summarised(list(NUMBERS))
    figure = dose.dose_response(table, "gaussian_blur", "sigma", NUMBERS, "pixels", trends)
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "Trend of the accuracy:\nnot tested",
        "Trend of the distance AB:\nτ = +0.75, p = 0.004",
    ]


def localised(names: list[str]) -> pd.DataFrame:
    """Rows of dose_localisation.csv, with another reference between them."""
    rows = []
    for place, name in enumerate([*names, "affine"]):
        for reference, change in (("duplicated_originals", 9.0), ("baseline", 0.02 * place)):
            rows.append(
                {"region": "object", "augmentation": name, "reference": reference}
                | {"change": change, "change_low": change - 0.01, "change_high": change + 0.01}
                | {"change_p_holm": 0.01 if place else 0.5}
            )
    return pd.DataFrame(rows)


def test_localisation_is_compared_with_the_reference_of_the_summary() -> None:
    figure = dose.dose_response(
        summarised(list(NUMBERS)), "gaussian_blur", "sigma", NUMBERS,
        localised=localised(list(NUMBERS)),
    )  # fmt: skip
    assert len(figure.axes) == 3
    found, filled = points(figure.axes[2])
    np.testing.assert_allclose(found, [[4, 0], [0.5, 2], [1, 4]])
    assert filled == [False, True, True]
    label = figure.axes[2].get_ylabel().replace("\n", " ")
    assert label == "Change of the share of the map on the object (percentage points)"


def examples(axes: Axes) -> dict[float, np.ndarray]:
    """Place on the axis → the image below it."""
    boxes = [child for child in axes.get_children() if isinstance(child, AnnotationBbox)]
    return {box.xy[0]: np.asarray(box.offsetbox.get_data()) for box in boxes}


@pytest.mark.parametrize("channels", [1, 3])
def test_the_image_at_each_strength_is_below_its_label(channels: int) -> None:
    images = np.arange(3, dtype=np.uint8)[:, None, None, None] * np.ones((3, 8, 8, channels))
    figure = dose.dose_response(
        summarised(list(NUMBERS)), "gaussian_blur", "sigma", NUMBERS, images=images.astype(np.uint8)
    )
    for axes in figure.axes:
        shown_there = examples(axes)
        assert {place: image.max() for place, image in shown_there.items()} == {4: 0, 0.5: 1, 1: 2}


@pytest.mark.parametrize("values", [[1], [1, 2, 4, 8, 16], [1, 1.1, 1.25, 7], [[1, 2], [1, 3], 4]])
def test_examples_overlap_neither_each_other_nor_texts(values: list[Any]) -> None:
    arms = {f"x_{place}": value for place, value in enumerate(values)}
    table = summarised(list(arms))
    images = np.zeros((len(arms), 8, 8, 3), np.uint8)
    figure = dose.dose_response(
        table, "rotation", "degrees", arms, "degrees", localised=localised(list(arms)),
        images=images,
    )  # fmt: skip
    figure.draw_without_rendering()
    pictures = [
        (str(place), child.get_window_extent().padded(-0.5))
        for axes in figure.axes
        for place, child in enumerate(axes.get_children())
        if isinstance(child, AnnotationBbox)
    ]
    texts = [(text.get_text(), text.get_window_extent().padded(-1)) for text in shown(figure)]
    for (a, box), (b, other) in combinations([*pictures, *texts], 2):
        assert not box.overlaps(other), (a, b)
    for name, box in pictures:
        assert figure.bbox.count_contains([(box.x0, box.y0), (box.x1, box.y1)]) == 2, name


def test_examples_show_one_draw_at_every_strength() -> None:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (4, 12, 12, 3)).astype(np.uint8)
    index = np.array([5, 6, 7, 9])
    steps = [
        [("rotation", {"degrees": d, "interpolation": "nearest", "fill": 0})] for d in (0, 20, 40)
    ]
    drawing = one_image.Drawing(images, index, input_size=None, seed=3)
    found = drawing.at_strengths(steps)
    np.testing.assert_array_equal(found[0], images[0])
    np.testing.assert_array_equal(found, drawing.at_strengths(steps))
    # The angle grows in proportion: twice as strong is as far from it as the weaker is from none.
    copies = range(1, 1 + one_image.DRAWS)
    batch = Batch(torch.from_numpy(images[:1]).permute(0, 3, 1, 2), torch.zeros(1, 1))
    for step, image in zip(steps, found, strict=True):
        drawn = [
            Augmenter(step, 3, batch)(batch, torch.tensor([5]), torch.tensor([copy]), 0).images
            for copy in copies
        ]
        assert any(np.array_equal(one[0].permute(1, 2, 0).numpy(), image) for one in drawn)
    large = one_image.Drawing(images, index, input_size=24, seed=3).at_strengths(steps[:1])
    assert large.shape == (1, 24, 24, 3)
