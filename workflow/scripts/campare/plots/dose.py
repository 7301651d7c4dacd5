"""Accuracy, map shift and localisation against the strength of an augmentation."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from campare.plots import page
from campare.plots.charts import key_columns
from campare.plots.style import (
    LEVEL,
    PALETTE,
    REFERENCE,
    SMALL,
    WIDTH,
    blank_figure,
    distance_label,
    in_sentence,
    styled,
    title,
)
from campare.statistics import ALPHA
from campare.trend import ACCURACY, DISTANCE, LOCALISATION

WIDE = 8  # ratio of the largest to the smallest strength from which on the axis is logarithmic
ROOM = 0.15  # of a tick label, share of the axis
MARGIN = 0.12  # left and right of the strengths, share of their range
EXAMPLE = 30.0  # largest side of an example image, points
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
    localised: pd.DataFrame | None = None,
    images: npt.NDArray[np.uint8] | None = None,
) -> Figure:
    """Change of test accuracy, map shift and localisation, against a parameter of an augmentation.

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
    localised
        dose_localisation.csv; None: there is no panel of localisation.
    images
        uint8 (arms, H, W, C): an image at each strength, shown below the labels of the axis.
    """
    rows = table.set_index("augmentation").loc[list(arms)]
    places, numeric = _places(list(arms.values()))
    # A line does not break at the minus sign.
    distance = distance_label(rows["metric"].iloc[0]).replace(" − ", f"{FIXED}−{FIXED}")
    shown = [
        (rows, "accuracy_change", 100, "Change of test accuracy (percentage points)", ACCURACY),
        (rows, "shift", 1, f"Map shift: difference in {distance}", DISTANCE),
    ]
    if localised is not None and len(localised):
        same = localised["reference"] == localised["augmentation"].map(rows["reference"])
        own = localised[same].set_index("augmentation").loc[list(arms)]
        region = own["region"].iloc[0]
        label = f"Change of the share of the map on the {region} (percentage points)"
        shown.append((own, "change", 100, label, LOCALISATION))
    below = 0.45 if images is not None else 0.0
    if page.narrow():
        figure = blank_figure(5.6, (2.3 + below) * len(shown), "constrained")
        panels = figure.subplots(len(shown), 1)
    else:
        wide = 5.6 if len(shown) == 2 else WIDTH + 0.8
        figure = blank_figure(wide, 3.0 + below, "constrained")
        panels = figure.subplots(1, len(shown))
    for axes, (values, column, scale, label, measure) in zip(panels, shown, strict=True):
        _draw(axes, places, values, column, scale)
        if trends is not None:
            axes.set_title(_trend(trends, measure), size=SMALL, loc="left")
        axes.set_ylabel(textwrap.fill(label, 30), size=SMALL)
        labelled = _scale(axes, places, None if numeric else list(arms.values()))
        if images is not None:
            # Width of the axes: that of the figure less the labels at their left.
            wide = figure.get_figwidth() / (1 if page.narrow() else len(shown)) - 0.65
            _examples(axes, places, labelled, images, wide)
    strength = f"{parameter.replace('_', ' ')} ({unit})" if unit else parameter.replace("_", " ")
    figure.supxlabel(f"{title(base)}: {strength}", size=8)
    p = np.concatenate([values[f"{column}_p_holm"].to_numpy(float) for values, column, *_ in shown])
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
    of = {
        ACCURACY: "Trend of the accuracy",
        DISTANCE: "Trend of the distance AB",
        LOCALISATION: "Trend of the share",
    }[measure]
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


def _scale(axes: Axes, places: list[float], names: list[Any] | None) -> list[float]:
    """The horizontal axis, with ticks at the strengths that have room for their labels.

    Returns the places of the ticks.
    """
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
    axes.margins(x=MARGIN)
    return [ordered[number] for number in ticks]


def _examples(
    axes: Axes,
    places: list[float],
    labelled: list[float],
    images: npt.NDArray[np.uint8],
    wide: float,
) -> None:
    """The image at each labelled strength, below its label; as large as their distance allows.

    `wide` is the width of the axes, inches.
    """
    along = np.array(labelled)
    along = np.log(along) if axes.get_xscale() == "log" else along
    gap = np.diff(along).min() / (np.ptp(along) * (1 + 2 * MARGIN)) if len(along) > 1 else 1.0
    side = min(EXAMPLE, 72 * 0.92 * gap * wide)
    lines = max(label.get_text().count("\n") for label in axes.get_xticklabels()) + 1
    for place in labelled:
        image = images[places.index(place)]
        picture = OffsetImage(
            image[..., 0] if image.shape[2] == 1 else image,
            zoom=side / max(image.shape[:2]),
            cmap="gray",
            norm=Normalize(0, 255),
            interpolation="nearest",
        )
        axes.add_artist(
            AnnotationBbox(
                picture,
                (place, 0),
                xycoords=axes.get_xaxis_transform(),
                xybox=(0, -7 - 9 * lines),
                boxcoords="offset points",
                box_alignment=(0.5, 1),
                pad=0,
                bboxprops={"edgecolor": "0.5", "linewidth": 0.5},
                annotation_clip=False,
            )
        )


def _shown(value: Any) -> str:
    return "\nto ".join(map(str, value)) if isinstance(value, list) else str(value)
