"""Square heat maps with a name per row and column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure

from campare.plots import page
from campare.plots.fitting import MOST_CLASSES, fitted, text_width
from campare.plots.style import SMALL, Floats, blank_figure

CELL = 0.13  # smallest height of a row with a name, inches
NUMBERED = 20  # rows up to which every cell has a number


def heat_map(
    values: Floats,
    names: Sequence[str],
    texts: Sequence[Sequence[str]],
    *,
    cell: float,
    cmap: str,
    limits: tuple[float, float],
    columns: Sequence[str] = (),
    side_text: str = "",
) -> tuple[Figure, Axes, QuadMesh]:
    """A square heat map; NaN is left white.

    Parameters
    ----------
    values
        (N, N).
    names
        Of rows, and of columns unless `columns` has theirs.
    texts
        Text of each cell, printed for up to `NUMBERED` names.
    cell
        Side of a cell with a text, inches; a cell without is as small as its name allows.
    cmap, limits
        Colour map and the values at its ends.
    columns
        Names of columns, (N,).
    side_text
        Text on the right. The heat map then has a fixed size, and not all rows are named.
    """
    import seaborn  # the import takes a second, and only matrices need it

    count = len(names)
    few = count <= NUMBERED
    side = 5.0 if side_text else max(2.0, (cell if few else CELL) * count)
    named = range(0, count, -(-count // MOST_CLASSES) if side_text else 1)
    both = [[labels[place] for place in named] for labels in (names, columns or names)]
    short = fitted([*both[0], *both[1]], 1.4)
    rows, across = ([short[label] for label in labels] for labels in both)
    long = max(map(text_width, [*rows, *across]), default=0)
    if page.printing():
        bar = 0.1 if page.narrow() and few else 1.0
        side = min(side, page.width() - long - bar)
        cell = side / max(count, 1)
    rotation = 90 if not few else 45 if long > cell - 0.05 else 0
    width = side + long + 1.4
    more = max(map(text_width, side_text.split("\n"))) + 0.3 if side_text else 0
    height = side + {0: 0.15, 45: 0.75 * long, 90: long}[rotation] + 0.7
    figure = blank_figure(max(width + more, 3.6), height)
    if side_text:
        axes, text = figure.subplots(1, 2, width_ratios=(width, more))
        text.set_axis_off()
        text.text(0, 1, side_text, va="top", size=SMALL, transform=text.transAxes)
    else:
        axes = figure.subplots()
    # Labels are set below: seaborn would measure each of its own.
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
    axes.set_yticks(at, rows)
    axes.set_xticks(
        at, across, rotation=rotation, rotation_mode="anchor",
        ha="right" if rotation else "center", va="center" if rotation == 90 else "top",
    )  # fmt: skip
    mesh = axes.collections[0]
    assert isinstance(mesh, QuadMesh)
    return figure, axes, mesh


def colour_bar(figure: Figure, axes: Axes, mesh: QuadMesh, label: str, count: int) -> None:
    """Draw the colour bar of a heat map of `count` names on its right.

    On a narrow page there is no room for it; the numbers in the cells replace it.
    """
    if page.narrow() and count <= NUMBERED:
        return
    figure.colorbar(mesh, ax=axes, label=label, shrink=0.8, aspect=30, pad=0.03)
