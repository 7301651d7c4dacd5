"""Figures of pictures: each is laid on one canvas, in inches."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from campare.plots.style import SMALL, Floats, blank_figure

WRONG = "#D55E00"
HEAT = "viridis"
OVERLAID = 0.6  # opacity of a map over its image
BAR = 1.9  # inches that the colour bar of a sheet of maps is wide


def blank_canvas(width: float, height: float) -> tuple[Figure, Axes]:
    """Axes over a whole figure, with inches from the upper left corner as data units."""
    figure = blank_figure(width, height)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, figure.get_figwidth()), ylim=(height, 0))
    axes.set_axis_off()
    return figure, axes


def tile(
    axes: Axes,
    x: float,
    y: float,
    size: float,
    image: npt.NDArray[np.uint8],
    below: str,
    *,
    above: str = "",
    heat: Floats | None = None,
    wrong: bool = False,
    alone: bool = False,
) -> None:
    """A captioned picture (H, W, C) on a canvas; or, lightened to grey, under a heat map; or that
    `alone`.

    Its border is thin and grey, or dashed, thick and red where a model is wrong.
    """
    place: dict[str, Any] = {"extent": (x, x + size, y + size, y), "aspect": "auto"}
    if heat is not None:
        if not alone:
            axes.imshow(image.mean(axis=2), cmap="gray", vmin=-255, vmax=255, **place)
        axes.imshow(heat, cmap=HEAT, vmin=0, vmax=1, alpha=1 if alone else OVERLAID, **place)
    elif image.shape[2] == 1:
        axes.imshow(image[..., 0], cmap="gray", vmin=0, vmax=255, **place)
    else:
        axes.imshow(image, **place)
    border: dict[str, Any] = {"edgecolor": "0.5", "linewidth": 0.5}
    if wrong:
        border = {"edgecolor": WRONG, "linewidth": 1.6, "linestyle": (0, (3, 2))}
    axes.add_patch(Rectangle((x, y), size, size, fill=False, **border))
    axes.text(x + size / 2, y - 0.05, above, ha="center", va="bottom")
    axes.text(x + size / 2, y + size + 0.03, below, ha="center", va="top", size=SMALL)


def heat_bar(
    figure: Figure, axes: Axes, x: float, y: float, label: str, *, alone: bool = False
) -> None:
    """The colours of maps, on a canvas."""
    width, height = figure.get_size_inches()
    bar = axes.inset_axes((x / width, 1 - (y + 0.08) / height, BAR / width, 0.08 / height))
    figure.colorbar(
        ScalarMappable(Normalize(0, 1), HEAT), bar, orientation="horizontal",
        alpha=1 if alone else OVERLAID, ticks=(0, 0.5, 1), label=label,
    )  # fmt: skip
