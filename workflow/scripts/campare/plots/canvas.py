"""Figures of images: all are placed on one canvas whose unit is the inch."""

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

INCORRECT = "#D55E00"  # border of an incorrect prediction
MAP_COLOURS = "viridis"
MAP_OPACITY = 0.6  # of a map over its image
BAR = 1.9  # width of the colour bar of maps, inches


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
    cam: Floats | None = None,
    incorrect: bool = False,
    map_only: bool = False,
) -> None:
    """Draw an image with its captions, with or without a map.

    The border is thin and grey, or thick, dashed and red for an incorrect prediction.

    Parameters
    ----------
    axes
        The canvas.
    x, y, size
        Upper left corner and side of the square, inches.
    image
        uint8 (H, W, C), C = 1 or 3. Under a map it is drawn in light grey.
    below, above
        Captions.
    cam
        A map (h, w) in [0, 1], drawn over the image.
    incorrect
        Whether the model's prediction is incorrect.
    map_only
        Draw the map without the image.
    """
    place: dict[str, Any] = {"extent": (x, x + size, y + size, y), "aspect": "auto"}
    if cam is not None:
        if not map_only:
            axes.imshow(image.mean(axis=2), cmap="gray", vmin=-255, vmax=255, **place)
        opacity = 1 if map_only else MAP_OPACITY
        axes.imshow(cam, cmap=MAP_COLOURS, vmin=0, vmax=1, alpha=opacity, **place)
    elif image.shape[2] == 1:
        axes.imshow(image[..., 0], cmap="gray", vmin=0, vmax=255, **place)
    else:
        axes.imshow(image, **place)
    border: dict[str, Any] = {"edgecolor": "0.5", "linewidth": 0.5}
    if incorrect:
        border = {"edgecolor": INCORRECT, "linewidth": 1.6, "linestyle": (0, (3, 2))}
    axes.add_patch(Rectangle((x, y), size, size, fill=False, **border))
    axes.text(x + size / 2, y - 0.05, above, ha="center", va="bottom")
    axes.text(x + size / 2, y + size + 0.03, below, ha="center", va="top", size=SMALL)


def map_colour_bar(
    figure: Figure, axes: Axes, x: float, y: float, *, map_only: bool = False
) -> None:
    """Draw the colour bar of maps at (x, y) inches of a canvas."""
    width, height = figure.get_size_inches()
    bar = axes.inset_axes((x / width, 1 - (y + 0.08) / height, BAR / width, 0.08 / height))
    figure.colorbar(
        ScalarMappable(Normalize(0, 1), MAP_COLOURS), bar, orientation="horizontal",
        alpha=1 if map_only else MAP_OPACITY, ticks=(0, 0.5, 1),
        label="Map, relative to its maximum",
    )  # fmt: skip


def prediction_key(axes: Axes, x: float, y: float) -> None:
    """Write what the marks of predictions mean, from (x, y) inches of a canvas downwards."""
    axes.text(x, y, "✓ correct\n✗ incorrect", va="top", size=SMALL)
