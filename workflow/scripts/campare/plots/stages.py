"""Optional stages: scores of SVMs, agreement of two models' maps, occlusion."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from campare import registry
from campare.labels import GROUPS
from campare.plots import page
from campare.plots.charts import key_columns, named_rows, panel_grid, text_columns
from campare.plots.fitting import MOST_CLASSES, arranged, lowest_and_highest, ordered
from campare.plots.style import GREY, LEVEL, PALETTE, blank_figure, styled

ENDS = ["low", "high", "chance_low", "chance_high"]  # of the intervals of `agreement`


@styled
def scores(table: pd.DataFrame, names: Mapping[str, str]) -> Figure:
    """Test accuracy of several classifiers, with intervals.

    Parameters
    ----------
    table
        `model`, `accuracy`, `low`, `high` in [0, 1], `images`: scores.csv of a stage.
    names
        Model → label.
    """
    figure, axes = named_rows([names[name] for name in table["model"]])
    percent = 100 * table[["accuracy", "low", "high"]]
    _intervals(axes, percent, color=PALETTE[0], capsize=3, elinewidth=1.4)
    axes.grid(axis="x")
    axes.set_xlabel(f"Test accuracy (%) with {LEVEL} interval over test images")
    text_columns(axes, {"Accuracy (%)": [f"{value:.2f}" for value in percent["accuracy"]]})
    return figure


@styled
def agreement(table: pd.DataFrame, metric: str, names: tuple[str, str]) -> Figure:
    """Similarity of two models' maps by class, compared with maps of different images.

    Parameters
    ----------
    table
        `metric`, `class`, `pairs`, `undefined`, `mean`, `low`, `high`, `chance`, `chance_low`,
        `chance_high`: agreement.csv.
    metric
        Name of the metric.
    names
        Labels of the two models.
    """
    rows = table[table["metric"] == metric]
    classes = ordered(name for name in rows["class"] if name not in GROUPS)
    classes, note = lowest_and_highest(classes, rows.set_index("class")["mean"], MOST_CLASSES)
    order = {name: place for place, name in enumerate([*GROUPS, *classes])}
    rows = rows[rows["class"].isin(list(order))]
    rows = rows.sort_values("class", key=lambda column: column.map(order), kind="stable")
    figure, axes = named_rows([GROUPS.get(name, name) for name in rows["class"]])
    kinds = (
        (
            ["chance", "chance_low", "chance_high"],
            "white",
            GREY,
            "Maps of different images of the same class (chance)",
        ),
        (["mean", "low", "high"], PALETTE[0], PALETTE[0], "Maps of the same image"),
    )
    for columns, fill, colour, label in kinds:
        _intervals(
            axes, rows[columns], color=colour, markerfacecolor=fill, capsize=2.5, elinewidth=1.2,
            label=label,
        )  # fmt: skip
    axes.grid(axis="x")
    if note:
        note += _cut_at(rows[["mean", "chance"]], rows[ENDS], axes.set_xlim)
    axes.set_xlabel(
        f"{registry.metric(metric).label} between maps of {names[0]} and {names[1]}\n"
        f"(mean with {LEVEL} interval over test images){note}"
    )
    figure.legend(loc="outside upper center", ncols=key_columns((k[3] for k in kinds), 2))
    if not page.narrow():
        sizes = {"Pairs": [f"{count:,}" for count in rows["pairs"]]}
        text_columns(axes, sizes | {"Undefined": [f"{count:,}" for count in rows["undefined"]]})
    return figure


@styled
def occlusion(table: pd.DataFrame, measure: str, whole: str) -> Figure:
    """Accuracy or map similarity of occluded images against the size of the patch, by class.

    Parameters
    ----------
    table
        `size` (pixels), `class`, `measure`, `mean`, `low`, `high`: occlusion.csv.
    measure
        "accuracy", or a metric of the map with that of the image without occlusion.
    whole
        The class that stands for all classes together; repeated in grey in every panel.
    """
    rows = table[table["measure"] == measure]
    largest = rows[rows["size"] == rows["size"].max()].set_index("class")["mean"]
    classes = ordered(name for name in rows["class"] if name != whole)
    names, note = lowest_and_highest(classes, largest, MOST_CLASSES // 2)
    across, width, height = arranged(len(names), 1.4, 1.35, margin_height=0.95)
    figure = blank_figure(max(width, 4.6), height, "constrained")
    factor = 100 if measure == "accuracy" else 1
    panels = panel_grid(figure, names, across, 1.4)
    sizes = rows["size"].unique()
    point = "-" if len(sizes) > 1 else "o"
    for panel, name in zip(panels, names, strict=True):
        for drawn, colour, width in ((whole, GREY, 0.9), (name, PALETTE[0], 1.4)):
            one = rows[rows["class"] == drawn]
            panel.plot(
                one["size"], factor * one["mean"], point, color=colour, linewidth=width,
                markersize=4,
            )  # fmt: skip
            if drawn == name and point == "o":
                panel.vlines(one["size"], factor * one["low"], factor * one["high"], color=colour)
            elif drawn == name:
                panel.fill_between(
                    one["size"], factor * one["low"], factor * one["high"], color=colour,
                    alpha=0.25, linewidth=0,
                )  # fmt: skip
                panel.plot(one["size"], factor * one["mean"], "o", color=colour, markersize=2.5)
        panel.grid()
    panels[0].xaxis.set_major_locator(MaxNLocator(4, integer=True))
    if len(sizes) <= 6:
        panels[0].set_xticks(sizes)
    if note and names:
        values = factor * rows[rows["class"].isin(names)][["mean", "low", "high"]]
        note += _cut_at(values[["mean"]], values[["low", "high"]], panels[0].set_ylim)
    label, pairs = "Test accuracy (%)", ""
    if measure != "accuracy":
        label = textwrap.fill(registry.metric(measure).label, 28)
        pairs = "\nMetric: maps of the same image with and without occlusion"
    figure.supylabel(label, size=8)
    figure.supxlabel(f"Side of the occluded square (pixels){pairs}{note}", size=8)
    interval = f"One class, with {LEVEL} interval over test images"
    key = (
        Line2D([], [], color=PALETTE[0], linewidth=1.4, label=interval),
        Line2D([], [], color=GREY, linewidth=0.9, label="All classes"),
    )
    columns = key_columns((str(line.get_label()) for line in key), 2)
    figure.legend(handles=key, loc="outside upper center", ncols=columns)
    return figure


def _cut_at(means: pd.DataFrame, ends: pd.DataFrame, limit: Callable[[float, float], Any]) -> str:
    """Cut an axis at twice the range of the means if intervals go further; a note that says so.

    Among many classes some have so few images that their intervals are many times as wide as the
    range of all means, which then could not be told apart.
    """
    values, far = (part.to_numpy(float) for part in (means, ends))
    values, far = values[np.isfinite(values)], far[np.isfinite(far)]
    if not values.size or not far.size:
        return ""
    room = np.ptp(values) / 2
    low, high = values.min() - room, values.max() + room
    if room == 0 or (far.min() >= low and far.max() <= high):
        return ""
    limit(low, high)
    return "; intervals are cut at the edge"


def _intervals(axes: Axes, values: pd.DataFrame, **style: Any) -> None:
    """Draw a point with its interval in each row; columns: mean, low end, high end."""
    mean, *ends = values.to_numpy(float).T
    reach = np.abs(np.array(ends) - mean)
    axes.errorbar(mean, range(len(values)), xerr=reach, fmt="o", markersize=5, **style)
