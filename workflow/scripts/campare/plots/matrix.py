"""Square heat maps with a name per row and column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure

from campare.plots.fitting import MOST_CLASSES, fitted, text_width
from campare.plots.style import SMALL, Floats, blank_figure

CELL = 0.13  # inches that a row of a matrix needs for its name
NUMBERED = 20  # rows of a matrix, up to which it has room for a number in each cell


def heat_map(
    values: Floats,
    names: Sequence[str],
    texts: Sequence[Sequence[str]],
    *,
    cell: float,
    cmap: str,
    limits: tuple[float, float],
    beside: str = "",
) -> tuple[Figure, Axes, QuadMesh]:
    """A square heat map; NaN is left white.

    Up to `NUMBERED` names, cells are of `cell` inches and have a text each; beyond, as large as a
    name needs. With a text `beside` it the map has a fixed size, and not all rows are named.
    """
    import seaborn  # takes a second, and only matrices use it

    count = len(names)
    few = count <= NUMBERED
    side = 5.0 if beside else max(2.0, (cell if few else CELL) * count)
    named = range(0, count, -(-count // MOST_CLASSES) if beside else 1)
    short = fitted([names[place] for place in named], 1.4)
    labels = [short[names[place]] for place in named]
    long = max(map(text_width, labels), default=0)
    turned = 90 if not few else 45 if long > cell - 0.05 else 0
    width = side + long + 1.4
    more = max(map(text_width, beside.split("\n"))) + 0.3 if beside else 0
    height = side + {0: 0.15, 45: 0.75 * long, 90: long}[turned] + 0.7
    figure = blank_figure(max(width + more, 3.6), height)
    if beside:
        axes, text = figure.subplots(1, 2, width_ratios=(width, more))
        text.set_axis_off()
        text.text(0, 1, beside, va="top", size=SMALL, transform=text.transAxes)
    else:
        axes = figure.subplots()
    # Labels are ours: of each that it draws itself, seaborn asks the extent.
    seaborn.heatmap(
        values, ax=axes, cmap=cmap, vmin=limits[0], vmax=limits[1], square=True, cbar=False,
        annot=np.array(texts) if few else None, fmt="", annot_kws={"size": SMALL},
        linewidths=0.4 if few else 0, xticklabels=False, yticklabels=False, rasterized=not few,
    )  # fmt: skip
    figure.set_layout_engine("compressed")  # seaborn has drawn the figure by now
    for row, column in np.argwhere(np.isnan(values) & few):  # seaborn leaves them blank
        place: dict[str, Any] = {"ha": "center", "va": "center", "size": SMALL}
        axes.text(column + 0.5, row + 0.5, texts[row][column], **place)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    at = np.array(named) + 0.5
    axes.set_yticks(at, labels)
    axes.set_xticks(
        at, labels, rotation=turned, rotation_mode="anchor", ha="right" if turned else "center",
        va="center" if turned == 90 else "top",
    )  # fmt: skip
    mesh = axes.collections[0]
    assert isinstance(mesh, QuadMesh)
    return figure, axes, mesh


def colour_bar(figure: Figure, axes: Axes, mesh: QuadMesh, label: str) -> None:
    """The colours of a heat map, beside it."""
    figure.colorbar(mesh, ax=axes, label=label, shrink=0.8, aspect=30, pad=0.03)
