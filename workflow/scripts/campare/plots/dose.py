"""Accuracy change and map shift against the strength of an augmentation."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from campare.plots import page
from campare.plots.charts import key_columns
from campare.plots.style import (
    LEVEL,
    PALETTE,
    REFERENCE,
    SMALL,
    blank_figure,
    distance_label,
    in_sentence,
    styled,
    title,
)
from campare.statistics import ALPHA
from campare.trend import ACCURACY, DISTANCE

WIDE = 8  # ratio of the largest to the smallest strength from which on the axis is logarithmic
ROOM = 0.15  # of a tick label, share of the axis
FIXED = "\N{NO-BREAK SPACE}"
ZERO: dict[str, Any] = {"color": "0.3", **REFERENCE}  # the line of no difference


@styled
def dose_response(
    table: pd.DataFrame,
    base: str,
    parameter: str,
    arms: Mapping[str, Any],
    unit: str = "",
    trends: pd.DataFrame | None = None,
) -> Figure:
    """Change of test accuracy, and map shift, against a parameter of an augmentation.

    A filled marker is significant at 5 % after Holm's correction, a hollow circle is not, a hollow
    square is not tested. The horizontal axis is logarithmic if strengths are positive and range
    over a factor of 8; strengths that are not numbers are at equal distances.

    Parameters
    ----------
    table
        Rows of summary.csv, of one metric.
    base, parameter
        Names of the augmentation and its parameter.
    arms
        Name of each augmentation of the sweep → value of the parameter.
    unit
        Of the parameter; "" if it has none.
    trends
        Rows of the sweep of dose_response.csv, shown above the panels.
    """
    rows = table.set_index("augmentation").loc[list(arms)]
    places, numeric = _places(list(arms.values()))
    figure = blank_figure(5.6, 4.6 if page.narrow() else 3.0, "constrained")
    accuracy, shift = figure.subplots(*((2, 1) if page.narrow() else (1, 2)))
    # A line does not break at the minus sign.
    distance = distance_label(rows["metric"].iloc[0]).replace(" − ", f"{FIXED}−{FIXED}")
    shift_label = f"Map shift: difference in {distance}"
    for axes, column, scale, label, measure in (
        (accuracy, "accuracy_change", 100, "Change of test accuracy (percentage points)", ACCURACY),
        (shift, "shift", 1, shift_label, DISTANCE),
    ):
        _draw(axes, places, rows, column, scale)
        if trends is not None:
            axes.set_title(_trend(trends, measure), size=SMALL, loc="left")
        axes.set_ylabel(textwrap.fill(label, 30), size=SMALL)
        _scale(axes, places, None if numeric else list(arms.values()))
    strength = f"{parameter.replace('_', ' ')} ({unit})" if unit else parameter.replace("_", " ")
    figure.supxlabel(f"{title(base)}: {strength}", size=8)
    p = rows[["accuracy_change_p_holm", "shift_p_holm"]].to_numpy(float)
    point: dict[str, Any] = {"color": PALETTE[0], "markersize": 5, "linewidth": 1.2}
    hollow = {"markerfacecolor": "white"}
    kinds: tuple[tuple[Any, str, dict[str, Any]], ...] = (
        ((p <= ALPHA).any(), f"p ≤ {ALPHA:g} (Holm)", {"marker": "o"}),
        ((p > ALPHA).any(), "Not significant", {"marker": "o", **hollow}),
        (np.isnan(p).any(), "Not tested (see summary)", {"marker": "s", **hollow}),
    )
    handles = [Line2D([], [], label=name, **point, **form) for drawn, name, form in kinds if drawn]
    references = " and ".join(dict.fromkeys(rows["reference"].map(title)))
    handles.append(Line2D([], [], label=f"Reference: {in_sentence(references)}", **ZERO))
    figure.legend(
        handles=handles,
        title=f"Vertical lines: {LEVEL} intervals (map shift: {100 * (1 - 2 * ALPHA):g} %)",
        loc="outside upper center",
        ncols=key_columns((str(handle.get_label()) for handle in handles), 2),
    )
    return figure


def _trend(trends: pd.DataFrame, measure: str) -> str:
    """The trend of a measure over the strengths, in words."""
    tau, p = trends.loc[trends["measure"] == measure, ["tau", "p_holm"]].to_numpy(float)[0]
    of = {ACCURACY: "Trend of the accuracy", DISTANCE: "Trend of the distance AB"}[measure]
    if np.isnan(p):
        return f"{of}:\nnot tested"
    shown = "p < 0.001" if p < 0.0005 else f"p = {p:.3f}"
    return f"{of}:\nτ = {tau:+.2f}, {shown}".replace("-", "−")


def _draw(axes: Axes, places: list[float], rows: pd.DataFrame, column: str, scale: int) -> None:
    """Values with their intervals, joined by a line."""
    names = [column, f"{column}_low", f"{column}_high"]
    values = scale * rows[names].to_numpy(float)
    p_values = rows[f"{column}_p_holm"].to_numpy(float)
    order = np.argsort(places, kind="stable")
    axes.axhline(0, zorder=1, **ZERO)
    axes.plot(np.array(places)[order], values[order, 0], color=PALETTE[0], linewidth=0.9)
    for place, (centre, low, high), p in zip(places, values, p_values, strict=True):
        axes.vlines(place, low, high, color=PALETTE[0], linewidth=1.2)
        face = PALETTE[0] if p <= ALPHA else "white"
        shape = "s" if np.isnan(p) else "o"
        axes.plot(place, centre, shape, color=PALETTE[0], markerfacecolor=face, markersize=5)
    axes.grid(axis="y")
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))


def _places(values: list[Any]) -> tuple[list[float], bool]:
    """Positions of strengths, and whether they are numbers."""
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return [float(value) for value in values], True
    return [float(place) for place in range(len(values))], False


def _scale(axes: Axes, places: list[float], names: list[Any] | None) -> None:
    """The horizontal axis, with ticks at the strengths that have room for their labels."""
    logarithmic = names is None and min(places) > 0 and max(places) >= WIDE * min(places)
    if logarithmic:
        axes.set_xscale("log")
    labels = {
        place: f"{place:g}" if names is None else _shown(names[number])
        for number, place in enumerate(places)
    }
    ordered = sorted(labels)
    along = np.log(ordered) if logarithmic else np.array(ordered)
    ticks: list[int] = []
    for number, position in enumerate(along):
        if not ticks or position - along[ticks[-1]] >= ROOM * np.ptp(along):
            ticks.append(number)
    axes.xaxis.set_major_locator(FixedLocator([ordered[number] for number in ticks]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticklabels([labels[ordered[number]] for number in ticks])
    axes.margins(x=0.12)


def _shown(value: Any) -> str:
    return "\nto ".join(map(str, value)) if isinstance(value, list) else str(value)
