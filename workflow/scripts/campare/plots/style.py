"""Sizes, colours and fonts that all figures share; names are those of `labels`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Literal, ParamSpec

import matplotlib.style
import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from campare import registry, statistics
from campare.design import BASELINE
from campare.labels import control_title as control_title
from campare.labels import distance_label as distance_label
from campare.labels import in_sentence as in_sentence
from campare.labels import title as title
from campare.plots import page

P = ParamSpec("P")
Floats = npt.NDArray[np.floating[Any]]
LEVEL = f"{100 * statistics.LEVEL:g} %"  # of intervals, as figures print it
WIDTH = 7.0  # inches
TALLEST = 0.8  # greatest height of a figure, share of its width
FONT = "DejaVu Sans"
# Text as paths: an SVG then looks the same in every browser and editor, with or without the font.
STYLE: dict[str, Any] = {
    "figure.dpi": 100,
    "font.family": [FONT],
    "text.parse_math": False,
    # With hinting the width of a text would depend on the resolution, and the layout, which is
    # computed once, would be too narrow for the labels at others.
    "text.hinting": "none",
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "grid.color": "0.9",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "image.interpolation": "nearest",
    "image.composite_image": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "campare",
    "pdf.fonttype": 42,
}
SMALL = 7  # smallest size of text, points
# Paul Tol's "muted" scheme (https://personal.sron.nl/~pault/), the pale ones last; then seven
# colours found by a search, which differ from these, from each other and from GREY in normal,
# protanopic and deuteranopic vision (test_plots_colours.py has the distances).
PALETTE = (
    "#332288",
    "#CC6677",
    "#44AA99",
    "#882255",
    "#88CCEE",
    "#117733",
    "#DDCC77",
    "#AA4499",
    "#999933",
    "#CC0000",
    "#3366FF",
    "#88CC22",
    "#005577",
    "#CC77FF",
    "#00EEBB",
    "#7711CC",
)
GREY = "#777777"
DARK = "#333333"
MARKERS = "osD^vP*X<>d"  # eleven: two arms of one marker differ in colour, and vice versa
REFERENCE: dict[str, Any] = {"linewidth": 0.8, "dashes": (4, 3)}  # a line at a reference value


def styled(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Run `draw` under `STYLE`, whatever the user's own matplotlib settings are.

    The layout is computed once and shared by all formats, which halves the time of saving.
    """

    @functools.wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with matplotlib.style.context(STYLE, after_reset=True):
            figure = draw(*args, **kwargs)
            layout = figure.get_layout_engine()
            page.wrap_long_labels(figure)
            if layout:
                layout.execute(figure)
            if page.printing() and page.wrap_labels(figure) and layout:
                layout.execute(figure)
            if layout:
                figure.set_layout_engine("none")
            return figure

    return drawn


def blank_figure(
    width: float, height: float, layout: Literal["constrained", "compressed"] | None = None
) -> Figure:
    """An empty figure of this size in inches, wider if it would be too tall.

    On a page the figure has the width of the page.
    """
    wide = page.width() if page.printing() else max(width, height / TALLEST)
    figure = Figure(figsize=(wide, height), layout=layout)
    # Without a canvas, matplotlib makes a new one of all pixels for every text it measures.
    FigureCanvasAgg(figure)
    return figure


def colours(augmentations: Sequence[str]) -> dict[str, str]:
    """One colour per augmentation, by its place in the study; the baseline is grey."""
    controls = [name for name in augmentations if name in registry.RESERVED.values()]
    others = [name for name in augmentations if name not in (BASELINE, *controls)]
    cycle = {name: PALETTE[place % len(PALETTE)] for place, name in enumerate(others)}
    return {BASELINE: GREY, **dict.fromkeys(controls, DARK), **cycle}
