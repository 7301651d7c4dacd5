"""Sizes, colours, fonts and names that all figures share."""

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

P = ParamSpec("P")
Floats = npt.NDArray[np.floating[Any]]
LEVEL = f"{100 * statistics.LEVEL:g} %"  # of intervals, as figures say it
WIDTH = 7.0
TALLEST = 0.8  # of the width
FONT = "DejaVu Sans"
# Text as paths: an SVG then looks the same in every browser and editor, with or without the font.
STYLE: dict[str, Any] = {
    "figure.dpi": 100,
    "font.family": [FONT],
    "text.parse_math": False,
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
SMALL = 7
# Paul Tol's "muted" scheme (https://personal.sron.nl/~pault/), the pale ones last.
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
)
GREY = "#777777"
DARK = "#333333"
MARKERS = "osD^vP*X"
REFERENCE: dict[str, Any] = {"linewidth": 0.8, "dashes": (4, 3)}  # a line that rows compare with
TITLES = {
    "cutmix": "CutMix",
    "cutmix_mixed": "CutMix, mixed labels",
    "efficientnet_b0": "EfficientNet-B0",
    "resnet18": "ResNet-18",
    "resnet18_cifar": "ResNet-18, CIFAR stem",
    "densenet121": "DenseNet-121",
    "shufflenet_v2_x0_5": "ShuffleNet V2 (0.5×)",
    "small_cnn": "Small CNN",
    "small_cnn_wide": "Small CNN, wide",
    "shuffled": "Another image",
    "gaussian": "Central Gaussian",
    "edges": "Edges",
    "untrained": "Untrained",
    "duplicated_originals": "Duplicated originals",
    "longer_training": "Longer training",
}


def styled(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Run `draw` under `STYLE`, whatever the user's own matplotlib settings are.

    The layout is then settled once: all formats share it, and saving takes half the time.
    """

    @functools.wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with matplotlib.style.context(STYLE, after_reset=True):
            figure = draw(*args, **kwargs)
            if layout := figure.get_layout_engine():
                layout.execute(figure)
                figure.set_layout_engine("none")
            return figure

    return drawn


def blank_figure(
    width: float, height: float, layout: Literal["constrained", "compressed"] | None = None
) -> Figure:
    """A figure of these inches, or wider where it would be too tall."""
    figure = Figure(figsize=(max(width, height / TALLEST), height), layout=layout)
    # A figure without a canvas makes a new one, of all its pixels, for every text it measures.
    FigureCanvasAgg(figure)
    return figure


def title(name: str) -> str:
    """An augmentation's or architecture's name as figures print it: color_jitter, Color jitter."""
    words = name.replace("_", " ")
    return TITLES.get(name, words[:1].upper() + words[1:])


def control_title(name: str) -> str:
    """The same, with "(step-matched)" after the controls that are."""
    return f"{title(name)} (step-matched)" if name in registry.MATCHED else title(name)


def colours(augmentations: Sequence[str]) -> dict[str, str]:
    """One colour per augmentation, by its place in the study; what has none is grey."""
    controls = [name for name in augmentations if name in registry.RESERVED.values()]
    others = [name for name in augmentations if name not in (BASELINE, *controls)]
    cycle = {name: PALETTE[place % len(PALETTE)] for place, name in enumerate(others)}
    return {BASELINE: GREY, **dict.fromkeys(controls, DARK), **cycle}
