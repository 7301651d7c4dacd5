"""The map shift of every augmentation for several kinds of maps."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from campare.plots import page
from campare.plots.charts import name_rows, text_columns
from campare.plots.fitting import text_width
from campare.plots.style import (
    DARK,
    MARKERS,
    PALETTE,
    REFERENCE,
    SMALL,
    WIDTH,
    blank_figure,
    control_title,
    distance_label,
    styled,
)
from campare.statistics import ALPHA

LINE = 0.125  # inches of a line of small text
CHARACTERS = 132  # of small text across the figure
KEY = 52  # of a line of the legend of a narrow page


@styled
def variants(shifts: pd.DataFrame, agreement: pd.DataFrame, ranking: pd.DataFrame) -> Figure:
    """Map shift as a share of the noise floor: a row per augmentation, a marker per variant.

    Filled markers are significant at 5 % after Holm's correction within the variant, hollow ones
    are not, or not tested. On the right: the number of variants in which the shift is above the
    noise floor, of those with a test, and the range of ranks. The title has Kendall's W.

    Parameters
    ----------
    shifts, agreement, ranking
        Results of `campare.variants`: table, agreement, ranking.
    """
    names = list(agreement["augmentation"])
    kinds = list(shifts.drop_duplicates("variant")[["variant", "maps"]].itertuples(index=False))
    place = {name: row for row, name in enumerate(names)}
    heading = _heading(shifts, ranking)
    above = 0.4 + LINE * (heading.count("\n") + 1)
    keys = [f"{variant}: {maps}" for variant, maps in kinds]
    if page.narrow():
        keys = [textwrap.fill(key, KEY) for key in keys]
    # On a narrow page the label of the axis has two lines, and all keys are below each other.
    lines = sum(key.count("\n") + 1 for key in keys) + 3 * page.narrow()
    below = 0.55 + LINE * (lines + 1)
    pitch = 0.16 + 0.11 * len(kinds)
    height = above + pitch * len(names) + below
    figure = blank_figure(WIDTH, height)
    axes = figure.subplots()
    handles = []
    offsets = np.linspace(-0.34, 0.34, len(kinds)) if len(kinds) > 1 else [0.0]
    for number, (variant, _) in enumerate(kinds):
        look: dict[str, Any] = {
            "color": PALETTE[number % len(PALETTE)],
            "marker": MARKERS[number % len(MARKERS)],
            "markersize": 4.5,
        }
        for row in shifts[shifts["variant"] == variant].itertuples():
            y = place[row.augmentation] + offsets[number]
            ends = 100 * row.relative_shift_low, 100 * row.relative_shift_high
            axes.hlines(y, *ends, color=look["color"], linewidth=1.1)
            face = look["color"] if row.shift_p_holm <= ALPHA else "white"
            axes.plot(100 * row.relative_shift, y, linestyle="", markerfacecolor=face, **look)
        handles.append(Line2D([], [], linewidth=1.1, label=keys[number], **look))
    axes.axvline(0, color="0.3", zorder=1, **REFERENCE)
    axes.grid(axis="x")
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    for edge in range(1, len(names)):
        axes.axhline(edge - 0.5, color="0.9", linewidth=0.6)
    labels = [textwrap.fill(control_title(name), 14 if page.narrow() else 20) for name in names]
    name_rows(axes, labels)
    axes.set_xlabel("Map shift (% of the noise floor of the variant)", size=SMALL)
    columns = text_columns(
        axes,
        {
            "Above the\nnoise floor": [
                f"{above} of {tested}" if tested else "–"
                for above, tested in agreement[["above_floor", "tested"]].to_numpy(int).tolist()
            ],
            "Rank": [
                _ranks(first, last)
                for first, last in agreement[["rank_first", "rank_last"]].to_numpy(float).tolist()
            ],
        },
    )
    wide, high = figure.get_size_inches()
    left = max(map(text_width, "\n".join(labels).split("\n"))) + 0.2
    width = wide - left - columns - 0.1
    axes.set_position((left / wide, below / high, width / wide, (high - above - below) / high))
    point: dict[str, Any] = {"color": DARK, "marker": "o", "markersize": 4.5, "linestyle": ""}
    handles.append(Line2D([], [], label=f"p ≤ {ALPHA:g}", **point))
    handles.append(Line2D([], [], label="Not significant", markerfacecolor="white", **point))
    if page.narrow():
        figure.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 0))
    else:
        figure.legend(handles=handles[: len(kinds)], loc="lower left", bbox_to_anchor=(0, 0))
        figure.legend(handles=handles[len(kinds) :], loc="lower right", bbox_to_anchor=(1, 0))
    figure.text(0.05 / wide, 1 - 0.05 / high, heading, va="top", size=SMALL)
    return figure


def _ranks(first: float, last: float) -> str:
    """Range of ranks, as 1 or 2–3."""
    if np.isnan(first):
        return "–"
    return f"{first:g}" if first == last else f"{first:g}–{last:g}"


def _heading(shifts: pd.DataFrame, ranking: pd.DataFrame) -> str:
    """The concordance of the variants, and what is shown; on a page the caption has the latter."""
    found = ranking.iloc[0]
    p = "p < 0.001" if found["p"] < 0.0005 else f"p = {found['p']:.3f}"
    order = (
        f"Order of the {found['augmentations']:.0f} augmentations in {found['variants']:.0f} "
        f"variants of the maps: Kendall's W = {found['kendall_w']:.2f} ({p})."
        if np.isfinite(found["kendall_w"])
        else "Kendall's W is undefined: it needs two augmentations and two variants."
    )
    lines = [order] if page.printing() else [order, _reading(shifts["metric"].iloc[0])]
    characters = int(CHARACTERS * page.width() / page.USUAL)
    return "\n".join(textwrap.fill(line, characters) for line in lines)


def _reading(metric: str) -> str:
    """How to read the figure."""
    return (
        f"Map distance: {distance_label(metric)}. Lines: {100 * (1 - 2 * ALPHA):g} % intervals. "
        f"Filled: p ≤ {ALPHA:g} by permutation of network labels, after Holm's correction over the "
        "augmentations of a variant."
    )


def caption(metric: str) -> str:
    """The caption of the figure on a page, without n."""
    return (
        "Map shift of every augmentation in each variant of the maps, as a share of the noise "
        f"floor of the variant. {_reading(metric)} On the right: variants in which the shift is "
        "above the noise floor, of those with a test; first and last rank among the augmentations."
    )
