"""Axes with named rows, grids of panels, and columns of text next to them."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import LogFormatterSciNotation, MaxNLocator

from campare.plots import page
from campare.plots.fitting import arranged, fitted, text_width, two_lines
from campare.plots.style import SMALL, STYLE, WIDTH, Floats, blank_figure, control_title, title

LABEL = 1.75  # room for the names of rows, inches
MOST_ROWS = 20  # rows up to which names may have two lines
LINE = 19  # characters of a line of these names on a narrow page


def named_rows(names: Sequence[str]) -> tuple[Figure, Axes]:
    """Axes with a row per item, the first on top; the height of the figure follows from them."""
    short, pitch = _row_labels(names, _room(LABEL), 0.28)
    if page.narrow() and len(names) <= MOST_ROWS and any("…" in label for label in short.values()):
        # A column has room for more lines, not for longer ones.
        short = {name: textwrap.fill(name, LINE) for name in names}
        pitch = 0.13 * (max(label.count("\n") for label in short.values()) + 1)
    around = 1.25 if page.narrow() else 0.75  # labels and keys have more lines
    figure = blank_figure(WIDTH, around + pitch * max(1, len(names)), "constrained")
    axes = figure.subplots()
    name_rows(axes, [short[name] for name in names])
    return figure, axes


def name_rows(axes: Axes, labels: Sequence[str]) -> None:
    """Set rows at 0, 1, … with these labels, the first on top."""
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(max(1, len(labels)) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)


def panels_side_by_side(names: Sequence[str], panels: Sequence[str]) -> tuple[Figure, list[Axes]]:
    """Titled panels side by side that share their named rows, the first on top.

    On a narrow page the panels are one below the other, four of them in two rows.
    """
    short, pitch = _row_labels(map(control_title, names), _room(1.2), 0.5)
    down = (2 if len(panels) == 4 else len(panels)) if page.narrow() else 1
    height = max(0.32 * len(names), 1.1) if 1 < down < len(panels) else pitch * len(names)
    figure = blank_figure(WIDTH, 0.95 + down * height + 0.4 * (down - 1), "constrained")
    grid = figure.subplots(down, len(panels) // down, sharey=True, squeeze=False)
    axes = list(grid.flat)
    name_rows(axes[0], [short[control_title(name)] for name in names])
    for one, name in zip(axes, panels, strict=True):
        one.set_title(name)
        one.tick_params(axis="y", length=0)
        one.grid(axis="x")
        one.xaxis.set_major_locator(MaxNLocator(3 if 1 < down < len(panels) else 4))
    return figure, axes


def panels_in_grid(names: Sequence[str], panels: Sequence[str]) -> tuple[Figure, list[Axes]]:
    """Titled panels, each with all named rows and its own x axis, arranged in a grid."""
    wide, pitch = (3.1, 0.24) if page.printing() else (3.6, 0.3)  # two fit next to each other
    short, pitch = _row_labels(map(control_title, names), _room(1.2), pitch)
    across, width, height = arranged(
        len(panels), wide, 0.5 + pitch * len(names), margin_width=0.8, margin_height=0.6
    )
    figure = blank_figure(max(WIDTH, width), height, "constrained")
    down = -(-len(panels) // across)
    axes = list(figure.subplots(down, across, sharey=True, squeeze=False).flat)
    for unused in axes[len(panels) :]:
        unused.set_visible(False)
    for one, name in zip(axes, panels, strict=False):
        one.set_title(title(name), loc="left")
        name_rows(one, [short[control_title(each)] for each in names])
        one.grid(axis="x")
        one.xaxis.set_major_locator(MaxNLocator(8 if across == 1 else 4))
    return figure, axes[: len(panels)]


def _room(inches: float) -> float:
    """Room for the names of rows: this, but on a page at most a share of it."""
    return min(inches, 0.3 * page.width())


def _row_labels(names: Iterable[str], inches: float, pitch: float) -> tuple[dict[str, str], float]:
    """Labels of rows and the distance of rows in inches; many rows have labels of one line."""
    names = list(names)
    if len(names) <= MOST_ROWS:
        return two_lines(names, inches, SMALL), pitch
    return fitted(names, 1.5 * inches), 0.6 * pitch


def panel_grid(
    figure: Figure | SubFigure, names: Sequence[str], across: int, wide: float
) -> list[Axes]:
    """One titled panel per name, `wide` inches wide, `across` in a row, with shared axes."""
    down = -(-len(names) // across)
    grid = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
    for place, panel in enumerate(grid.flat):
        panel.set_visible(place < len(names))
        panel.tick_params(labelbottom=place + across >= len(names))
    panels = list(grid.flat[: len(names)])
    short = fitted(names, 0.9 * wide, STYLE["font.size"])
    for panel, name in zip(panels, names, strict=True):
        panel.set_title(short[name])
    return panels


def axes_and_legend(
    names: Sequence[str], wide: float, high: float
) -> tuple[Figure, Axes, dict[str, str], int]:
    """Axes with room for a legend; the legend's labels and number of columns.

    The legend is on the right, on a narrow page below (`beside`).
    """
    labels = fitted(names, 1.5)
    columns = max(1, math.ceil(0.16 * len(labels) / (high - 0.2)))
    entry = 0.5 + max(map(text_width, labels.values()), default=0)
    if page.narrow():
        columns = max(1, int((page.width() - 0.1) / entry))
        high = 0.8 * high + 0.16 * math.ceil(len(labels) / columns)
    figure = blank_figure(wide + columns * entry, high, "constrained")
    return figure, figure.subplots(), labels, columns


def beside() -> Literal["outside lower center", "outside right upper"]:
    """Place of a legend next to axes, as `axes_and_legend` leaves room; below on a narrow page."""
    return "outside lower center" if page.narrow() else "outside right upper"


def key_columns(labels: Iterable[str], most: int) -> int:
    """Columns of a legend with these labels: `most`, but on a page as many as fit."""
    every = list(labels)
    return page.columns_of_key(most, max(map(text_width, every), default=0))


def columns_within(labels: Sequence[str], most: int, inches: float) -> int:
    """The most columns, at most `most`, of a legend that is not wider than `inches`."""

    def wide(columns: int) -> float:
        # matplotlib fills one column after the other; a handle and the gaps have 4.8 times the size
        # of the text.
        return sum(
            max(text_width(line) for label in column for line in str(label).split("\n"))
            + 4.8 * SMALL / 72
            for column in np.array_split(np.array(labels, object), columns)
            if len(column)
        )

    return next((count for count in range(most, 1, -1) if wide(count) <= inches), 1)


def text_columns(axes: Axes, columns: Mapping[str, Sequence[str]]) -> float:
    """Write columns of text on the right of axes, a line per row; return their width in inches.

    Parameters
    ----------
    axes
        Axes with rows at 0, 1, …
    columns
        Heading → text of every row.
    """
    edge = 2.0
    for header, texts in columns.items():
        edge += 7 + 72 * max(map(text_width, (*header.split("\n"), *texts)))  # points
        place: dict[str, Any] = {
            "xycoords": axes.get_yaxis_transform(),
            "xytext": (edge, 0),
            "textcoords": "offset points",
            "ha": "right",
            "size": SMALL,
        }
        axes.annotate(header, (1, -0.5), va="bottom", color="0.4", **place)
        for row, text in enumerate(texts):
            axes.annotate(text, (1, row), va="center", **place)
    return edge / 72


def draw_seeds(
    axes: Axes,
    row: int,
    seeds: Floats,
    mean: float,
    spread: float,
    colour: str,
    *,
    small: bool = False,
) -> None:
    """Draw the mean over seeds with its standard deviation, and every seed as a dot below it."""
    dots: dict[str, Any] = {"color": "0.3", "markersize": 2.5}
    bar: dict[str, Any] = {"markersize": 6, "capsize": 3, "elinewidth": 1.6, "markeredgewidth": 0.6}
    if small:
        dots = {"color": "0.5", "markersize": 1.5}
        bar = {"markersize": 5, "capsize": 2.5, "elinewidth": 1.4, "markeredgewidth": 0.5}
    # One below the other, because seeds may have equal scores.
    axes.plot(seeds, row + np.linspace(0.2, 0.38, len(seeds)), "o", **dots)
    axes.errorbar(mean, row, xerr=spread, fmt="o", color=colour, markeredgecolor="0.2", **bar)


class Powers(LogFormatterSciNotation):
    """Labels of a log axis as plain characters: mathtext is off, for names with a dollar sign."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        return plain_powers(super().__call__(x, pos))


def plain_powers(mathtext: str) -> str:
    """A power in mathtext as plain characters: 10⁻³ for $10^{-3}$."""
    text = re.sub(r"\$|\\mathdefault", "", mathtext).replace(r"\times", "×")
    raised = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
    text = re.sub(r"\^\{(.*?)\}", lambda power: power[1].translate(raised), text)
    return re.sub("[{}]", "", text)
