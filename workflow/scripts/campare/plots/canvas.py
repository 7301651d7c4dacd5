"""Figures of images: all are placed on one canvas whose unit is the inch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from campare.plots import page
from campare.plots.fitting import WIDER, arranged, fitted, text_width, two_lines
from campare.plots.style import SMALL, STYLE, TALLEST, Floats, blank_figure, title

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


def names_width() -> float:
    """Room for the names of rows of images, inches."""
    return 0.95 if page.narrow() else 1.1


def most_images(count: int, pitch: float) -> int:
    """How many of `count` images fit into a row of a page; all without a page."""
    if not page.printing():
        return count
    return max(1, min(count, int((page.width() - names_width() - 0.05) / pitch)))


class ImageGrid:
    """Places of the same images in several sets: a row per set, or a column per set.

    Rows are in blocks side by side. Sets are in columns if there are more of them than images, and
    the figure is then at most `WIDER` times as wide. What is left over is spread between the
    images. On a page sets are rows of one block as wide as the page.

    Attributes
    ----------
    width, height
        Of the figure, inches.
    columns
        Whether the sets are columns.
    left
        Room for names at the left of each block, inches.
    """

    def __init__(
        self,
        sets: Sequence[str],
        classes: Sequence[str],
        cell: float,
        pitch: tuple[float, float],
        *,
        high: float | None = None,
        originals: bool = False,
        below: float = 0.05,
        least: float = 0.0,
    ) -> None:
        """Choose the arrangement.

        Parameters
        ----------
        sets
            Names of the sets.
        classes
            Class of each image.
        cell
            Side of the square in which an image is, inches.
        pitch
            Least distance of images, to the right and downwards, inches.
        high
            Height of an image (`image_height`), inches; None: `cell`.
        originals
            Whether the images themselves precede the sets, in every block.
        below
            Height below the images, inches.
        least
            Least width of a block, inches.
        """
        self.sets, self.classes, self.cell = [title(name) for name in sets], list(classes), cell
        self.high = cell if high is None else high
        self.before = int(originals)
        self.left, self.top = names_width(), 0.3
        block = max(self.left + len(classes) * pitch[0] + 0.05, least)
        blocks, self.width, self.height = arranged(
            len(sets), block, pitch[1], margin_height=self.top + self.before * pitch[1] + below
        )
        self.down = -(-len(sets) // blocks)  # rows of a block
        self.block = self.width / blocks

        words = [text_width(word) for name in self.sets for word in name.split()]
        column = max(pitch[0], min(max(words, default=0), 1.0) + 0.06)
        names = [text_width(name, STYLE["font.size"]) for name in classes]
        left = 0.2 + min(max(names, default=0), 0.8)
        top = 0.4
        height = top + len(classes) * pitch[1] + below
        width = max(left + (len(sets) + self.before) * column + 0.05, least, height / TALLEST)
        self.columns = len(sets) > len(classes) and width <= WIDER * self.width
        if page.printing():
            self.columns, self.down, self.block = False, len(sets), self.width
            self.height = self.top + (self.before + len(sets)) * pitch[1] + below
        if self.columns:
            self.width, self.height, self.left, self.top = width, height, left, top
            self.block, self.down = width, len(sets)
        across = len(sets) + self.before if self.columns else max(1, len(classes))
        self.pitch = (self.block - self.left - 0.05) / across, pitch[1]

    def _at(self, block: int, column: int, row: int) -> tuple[float, float]:
        """Upper left corner of a cell."""
        x = block * self.block + self.left + column * self.pitch[0]
        return x, self.top + row * self.pitch[1]

    def place(self, number: int, image: int) -> tuple[float, float]:
        """Upper left corner of an image in a set, inches."""
        block, row = divmod(number, self.down)
        row += self.before
        return self._at(0, row, image) if self.columns else self._at(block, image, row)

    def originals(self, image: int) -> list[tuple[float, float]]:
        """Upper left corner of an image without a set, in every block, inches."""
        if self.columns:
            return [self._at(0, 0, image)]
        return [self._at(block, image, 0) for block in self._blocks()]

    def _blocks(self) -> range:
        return range(-(-len(self.sets) // self.down))

    def label(self, axes: Axes) -> None:
        """Write the names of the sets and the classes."""
        middle, gap = self.cell / 2, 0.08
        room = self.pitch[0] - 0.05, self.left - 0.15
        size = SMALL if self.columns else STYLE["font.size"]
        sets = two_lines(self.sets, room[0] if self.columns else room[1], size)
        classes = fitted(self.classes, room[1] if self.columns else room[0], STYLE["font.size"])
        left: list[tuple[str, float, float]] = []
        above: list[tuple[str, float, float]] = []
        for number, name in enumerate(self.sets):
            (above if self.columns else left).append((sets[name], *self.place(number, 0)))
        for image, name in enumerate(self.classes):
            if self.columns:
                left.append((classes[name], *self._at(0, 0, image)))
            else:
                above += [(classes[name], *self._at(block, image, 0)) for block in self._blocks()]
        for text, x, y in above:
            axes.text(x + middle, y - 0.05, text, ha="center", va="bottom", size=size)
        for text, x, y in left:
            axes.text(x - gap, y + self.high / 2, text, ha="right", va="center")


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
    opacity: float = MAP_OPACITY,
) -> None:
    """Draw an image with its captions, with or without a map.

    An image that is wider than high is at the top of its square, one that is higher than wide in
    the middle of it. The border is thin and grey, or thick, dashed and red for an incorrect
    prediction.

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
    opacity
        Of the map over the image, in [0, 1]; 1 draws the map without the image.
    """
    x, y, width, height = inscribed(x, y, size, image)
    place: dict[str, Any] = {"extent": (x, x + width, y + height, y), "aspect": "auto"}
    if cam is not None:
        if opacity < 1:
            axes.imshow(image.mean(axis=2), cmap="gray", vmin=-255, vmax=255, **place)
        axes.imshow(cam, cmap=MAP_COLOURS, vmin=0, vmax=1, alpha=opacity, **place)
    elif image.shape[2] == 1:
        axes.imshow(image[..., 0], cmap="gray", vmin=0, vmax=255, **place)
    else:
        axes.imshow(image, **place)
    border: dict[str, Any] = {"edgecolor": "0.5", "linewidth": 0.5}
    if incorrect:
        border = {"edgecolor": INCORRECT, "linewidth": 1.6, "linestyle": (0, (3, 2))}
    axes.add_patch(Rectangle((x, y), width, height, fill=False, **border))
    axes.text(x + width / 2, y - 0.05, above, ha="center", va="bottom")
    axes.text(x + width / 2, y + height + 0.03, below, ha="center", va="top", size=SMALL)


def inscribed(
    x: float, y: float, size: float, image: npt.NDArray[np.uint8]
) -> tuple[float, float, float, float]:
    """Left, top, width and height of an image (H, W, C) in a square, inches; see `tile`."""
    width = size * min(1.0, image.shape[1] / image.shape[0])
    return x + (size - width) / 2, y, width, image_height(size, image)


def image_height(size: float, image: npt.NDArray[np.uint8]) -> float:
    """Height of an image (H, W, C) in a square of side `size`, inches."""
    return float(size * min(1.0, image.shape[0] / image.shape[1]))


def map_colour_bar(
    figure: Figure, axes: Axes, x: float, y: float, *, opacity: float = MAP_OPACITY
) -> None:
    """Draw the colour bar of maps at (x, y) inches of a canvas."""
    width, height = figure.get_size_inches()
    bar = axes.inset_axes((x / width, 1 - (y + 0.08) / height, BAR / width, 0.08 / height))
    figure.colorbar(
        ScalarMappable(Normalize(0, 1), MAP_COLOURS), bar, orientation="horizontal",
        alpha=opacity, ticks=(0, 0.5, 1),
        label="Map, relative to its maximum",
    )  # fmt: skip


def prediction_key(axes: Axes, x: float, y: float) -> None:
    """Write what the marks of predictions mean, from (x, y) inches of a canvas downwards."""
    axes.text(x, y, "✓ correct\n✗ incorrect", va="top", size=SMALL)
