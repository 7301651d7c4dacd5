"""Sanity checks of the maps: similarity to maps of randomised networks and of other classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from campare import registry
from campare.plots import page
from campare.plots.charts import columns_within, name_rows
from campare.plots.fitting import sets_shown, two_lines
from campare.plots.style import (
    GREY,
    LEVEL,
    REFERENCE,
    SMALL,
    WIDTH,
    blank_figure,
    colours,
    control_title,
    styled,
)

# Panels: similarity against randomised layers; one value for every augmentation.
CASCADES = {
    "mprt": "MPRT: layers randomised from the top",
    "smprt": "sMPRT: the same, mean maps of noisy images",
}
VALUES = {
    "emprt": "eMPRT: rise of the\nentropy (%)",
    "random_logit": "Map of another class",
    "permuted_labels": "Trained on\npermuted labels",
}
_HOLLOW: dict[str, Any] = {"markerfacecolor": "white", "markersize": 4, "linestyle": ""}


@styled
def checks(layers: pd.DataFrame, summary: pd.DataFrame, metric: str) -> Figure:
    """Similarity of maps to those of randomised networks, of another class, of permuted labels.

    Parameters
    ----------
    layers
        `augmentation`, `check`, `metric`, `randomised`, `mean`, `low`, `high`: sanity_layers.csv.
    summary
        `augmentation`, `check`, `metric`, `mean`, `low`, `high`: sanity.csv.
    metric
        Name of the metric.
    """
    names, note = sets_shown(list(dict.fromkeys(summary["augmentation"])))
    steps = layers[layers["metric"] == metric]
    rows = summary[summary["metric"].fillna("").isin([metric, ""])]
    above = [check for check in CASCADES if check in set(steps["check"])]
    below = [check for check in VALUES if check in set(rows["check"])]
    pitch = 0.24 * len(names)
    if page.narrow():
        heights = [1.5] * len(above) + [pitch] * len(below)
        figure = blank_figure(WIDTH, 1.1 + sum(heights) + 0.5 * len(heights), "constrained")
        panels = list(figure.subplots(len(heights), 1, squeeze=False, height_ratios=heights).flat)
    else:
        figure = blank_figure(WIDTH, 4.0 + pitch, "constrained")
        grid = figure.add_gridspec(2, 12, height_ratios=[2.3, 0.4 + pitch])
        panels = [
            figure.add_subplot(grid[line, place * width : (place + 1) * width])
            for line, row in enumerate((above, below))
            for width in [12 // len(row)]
            for place in range(len(row))
        ]
    entry, colour = registry.metric(metric), colours(names)
    same = np.nan if entry.same is None else entry.same
    for axes, check in zip(panels, above, strict=False):
        _cascade(axes, steps[steps["check"] == check], names, same)
        axes.set_title(CASCADES[check], loc="left")
        other = rows[(rows["check"] == "other_image") & rows["augmentation"].isin(names)]
        axes.axhline(other["mean"].mean(), color=GREY, zorder=1, **REFERENCE)
    panels[0].set_ylabel(entry.label)
    low, high = _common([axes.get_ylim() for axes in panels[: len(above)]], entry.bounds)
    for axes in panels[: len(above)]:
        axes.set_ylim(low, high)
    lower = panels[len(above) :]
    short = two_lines(map(control_title, names), 1.2, SMALL)
    for place, (axes, check) in enumerate(zip(lower, below, strict=True)):
        of_check = rows[rows["check"] == check].set_index("augmentation").reindex(names)
        factor = 100 if check == "emprt" else 1
        for row, name in enumerate(names):
            mean, *ends = factor * of_check.loc[name, ["mean", "low", "high"]].astype(float)
            axes.hlines(row, *ends, color=colour[name], linewidth=1.4)
            axes.plot(mean, row, "o", color=colour[name], markersize=4.5)
        if check == "emprt":
            axes.axvline(0, color="0.3", zorder=1, **REFERENCE)
        else:
            theirs = rows[rows["check"] == "other_image"].set_index("augmentation").reindex(names)
            axes.plot(theirs["mean"], range(len(names)), "D", color="0.3", **_HOLLOW)
        axes.set_title(VALUES[check], size=SMALL)
        first = place == 0 or page.narrow()
        name_rows(axes, [short[control_title(name)] if first else "" for name in names])
        axes.grid(axis="x")
        axes.xaxis.set_major_locator(MaxNLocator(4))
        if check != "emprt":
            axes.set_xlabel(entry.label, size=SMALL)
    compared = [axes for axes, check in zip(lower, below, strict=True) if check != "emprt"]
    if compared:
        low, high = _common([axes.get_xlim() for axes in compared], entry.bounds)
        for axes in compared:
            axes.set_xlim(low, high)
    every = two_lines(map(control_title, names), 1.6, SMALL)
    key = [
        Line2D(
            [], [], color=colour[name], marker="o", markersize=3, label=every[control_title(name)]
        )
        for name in names
    ]
    key += [
        Line2D(
            [], [], color=GREY, label="Map of another image, mean of the training sets", **REFERENCE
        ),
        Line2D(
            [],
            [],
            color="0.3",
            marker="D",
            label="Map of another image, same training set",
            **_HOLLOW,
        ),
    ]
    columns = columns_within([str(line.get_label()) for line in key], 4, figure.get_figwidth())
    figure.legend(handles=key, loc="outside upper center", ncols=columns)
    figure.supxlabel(f"Means with {LEVEL} intervals over seeds and images{note}", size=SMALL)
    return figure


def _common(
    limits: list[tuple[float, float]], bounds: tuple[float | None, float | None]
) -> tuple[float, float]:
    """Limits of axes that show one metric, within its range; intervals of few seeds exceed it."""
    low, high = min(first for first, _ in limits), max(last for _, last in limits)
    margin = 0.03 * (high - low)
    if bounds[0] is not None:
        low = max(low, bounds[0] - margin)
    if bounds[1] is not None:
        high = min(high, bounds[1] + margin)
    return low, high


def _cascade(axes: Axes, rows: pd.DataFrame, names: list[str], same: float) -> None:
    """Similarity against the number of randomised layers, a line per augmentation."""
    colour = colours(names)
    last = rows["randomised"].max()
    # Intervals of different augmentations, one beside the other.
    shifts = np.linspace(-0.012, 0.012, len(names)) * last * min(3, len(names) - 1)
    for name, shift in zip(names, shifts, strict=True):
        one = rows[rows["augmentation"] == name].sort_values("randomised")
        x = np.array([0, *one["randomised"] + shift])
        y = np.array([same, *one["mean"]])
        ends = np.array([[same, same], *one[["low", "high"]].to_numpy(float)])
        axes.plot(x, y, "-o", color=colour[name], markersize=2.5, linewidth=1)
        axes.vlines(x, *ends.T, color=colour[name], linewidth=1)
    axes.set_xlabel("Number of layers with random weights", size=SMALL)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.grid(axis="y")
