"""Pictures under the maps of models."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from campare.plots.canvas import BAR, OVERLAID, blank_canvas, heat_bar, tile
from campare.plots.fitting import (
    MOST_COLUMNS,
    MOST_PICTURES,
    arranged,
    first,
    fitted,
    row_places,
    text_width,
    two_lines,
)
from campare.plots.style import SMALL, Floats, styled, title
from campare.store import Store

SURE, UNSURE = "#117733", "#CC3311"


@dataclass(frozen=True)
class ModelView:
    """A picture, and what one model sees in it.

    Attributes
    ----------
    image
        uint8 (H, W, C), C = 1 or 3.
    map
        The map as shown, (h, w) in [0, 1]; it is stretched over the image.
    predicted, probability
        The class that the model gives the image, and its probability in [0, 1].
    true
        The true class; "" where it is unknown.
    augmentation, seed
        Of the model, where there are several.
    original
        What the image was made from, uint8 (H, W, C) of any size, C = 1 or 3, where that is to be
        shown.
    """

    image: npt.NDArray[np.uint8]
    map: Floats
    predicted: str
    probability: float
    true: str = ""
    augmentation: str = ""
    seed: str = ""
    original: npt.NDArray[np.uint8] | None = None

    @property
    def right(self) -> bool:
        return self.predicted == self.true

    @property
    def mark(self) -> str:
        return "✓" if self.right else "✗"


def of_store(
    store: Store,
    rows: npt.NDArray[np.integer[Any]],
    shown: Floats,
    images: npt.NDArray[np.uint8],
    classes: Sequence[str],
) -> list[ModelView]:
    """What a model sees in some images of the data set.

    Parameters
    ----------
    rows
        Of the store, (N,).
    shown
        Their maps as they are to be shown, (N, h, w) in [0, 1].
    images, classes
        Of the data set: uint8 (M, H, W, C), of which the store's `index` says which are meant, and
        the names of its classes.
    """
    return [
        ModelView(
            images[store.index[row]],
            heat,
            classes[store.predicted[row]],
            float(store.prediction[row, store.predicted[row]]),
            classes[store.label[row]],
            store.attributes["augmentation"],
            str(store.attributes["seed"]),
        )
        for row, heat in zip(rows, shown, strict=True)
    ]


@styled
def extreme(views: Sequence[ModelView], heading: str) -> Figure:
    """One test image under all models (thesis appendix A): a row per augmentation, seeds across.

    Parameters
    ----------
    views
        Of one image, one per model, the baseline first. The image lies in grey and lightened under
        each map.
    heading
        Which image it is and why.
    """
    cell, pitch, drop, left, top = 0.88, 1.08, 1.04, 1.15, 0.8
    image, true = views[0].image, views[0].true
    rows: dict[str, list[ModelView]] = {}
    for view in views:
        rows.setdefault(view.augmentation, []).append(view)
    seeds = list(dict.fromkeys(view.seed for view in views))
    beside = cell + 0.2
    blocks, width, height = arranged(
        len(rows), left + len(seeds) * pitch, drop, beside=beside, above=top + 0.55
    )
    figure, axes = blank_canvas(max(width, 4.2), height)
    block = (figure.get_figwidth() - beside) / blocks
    pitch = (block - left) / len(seeds)
    axes.text(0.1, 0.08, textwrap.fill(heading, int(14 * figure.get_figwidth())), va="top")
    captions = _captions(views, pitch)
    labels = two_lines([title(name) for name in rows], left - 0.15)
    below = f"true: {fitted([true], beside - 0.15 - text_width('true: '))[true]}"
    tile(axes, 0.1, top, cell, image, below, above="Image")
    places = row_places(len(rows), blocks, block)
    for (x, row), (name, models) in zip(places, rows.items(), strict=True):
        x, y = beside + x + left, top + row * drop
        axes.text(x - 0.08, y + cell / 2, labels[title(name)], ha="right", va="center")
        for view in models:
            at = x + seeds.index(view.seed) * pitch
            _under_map(axes, at, y, cell, view, captions(view))
        if row == 0:
            for column, seed in enumerate(seeds):
                middle = x + column * pitch + cell / 2
                axes.text(middle, y - 0.05, f"Seed {seed}", ha="center", va="bottom")
    heat_bar(figure, axes, beside + left, height - 0.44, "CAM, share of its maximum")
    return figure


@styled
def overlays(views: Sequence[Sequence[ModelView]], *, alone: bool, note: str = "") -> Figure:
    """Test images under one model of each training set: a column per image, a row per model.

    Parameters
    ----------
    views
        Of each image, one per model. The images lie in grey and lightened under the maps, unless
        the maps are to be seen `alone`.
    note
        What is to be said of the choice of models.
    """
    cell, pitch, drop, left, top = 0.76, 1.03, 0.91, 1.1, 0.3
    images = [of_image[0] for of_image in views]
    models = [view.augmentation for view in views[0]]
    # Wide enough for the colour bar under the maps.
    block = left + max(len(images) * pitch, BAR + 0.15)
    blocks, width, height = arranged(len(models), block, drop, above=top + drop + 0.55)
    figure, axes = blank_canvas(width, height)
    names = two_lines([title(name) for name in models], left - 0.15)
    true = fitted([view.true for view in images], pitch - 0.05, 8)
    captions = _captions([view for of_image in views for view in of_image], pitch)
    for start in range(blocks):
        for column, view in enumerate(images):
            x = start * block + left + column * pitch
            tile(axes, x, top, cell, view.image, "", above=true[view.true])
    places = row_places(len(models), blocks, block)
    for (start, row), model, *of_model in zip(places, models, *views, strict=True):
        x, y = start + left, top + (row + 1) * drop
        axes.text(x - 0.08, y + cell / 2, names[title(model)], ha="right", va="center")
        for view in of_model:
            _under_map(axes, x, y, cell, view, captions(view), alone=alone)
            if not view.map.any():
                mark: dict[str, Any] = {"ha": "center", "va": "top", "color": "white"}
                axes.text(x + cell / 2, y + 0.03, "zero", size=SMALL, **mark)
            x += pitch
    axes.text(left + BAR + 0.3, height - 0.4, note, va="center")
    heat_bar(figure, axes, left, height - 0.46, "Map, share of its maximum", alone=alone)
    return figure


@styled
def sheets(views: Sequence[ModelView], threshold: float, heading: str) -> Figure:
    """Pictures under their maps, green where the model is sure, else red (Suresh and Kaushik).

    Readers who cannot tell green from red have the border (solid, dashed) and the mark (●, ○).

    Parameters
    ----------
    views
        Of which the first `MOST_PICTURES` are shown, each beside its `original` where it has one.
    threshold
        Probability from which a model counts as sure.
    heading
        What the pictures have in common.
    """
    cell, pitch, top = 1.15, 1.35, 0.62
    shown, note = first(views, MOST_PICTURES, "pictures")
    with_original = any(view.original is not None for view in shown)
    pitch_x = pitch + (cell + 0.06 if with_original else 0)
    drop = cell + 0.56
    across, width, height = arranged(len(shown), pitch_x, drop, beside=0.2, above=top)
    figure, axes = blank_canvas(max(width, 5.6), height)
    axes.text(0.1, 0.08, f"{heading}. {note}" if note else heading, va="top")
    predicted = fitted([view.predicted for view in shown], pitch - 0.12 - text_width("● "))
    true = fitted([view.true for view in shown], pitch - 0.12 - text_width("99.99 %  ✗ "))
    key = f"● green, solid: probability ≥ {100 * threshold:g} %      ○ red, dashed: below"
    if any(view.true and not view.right for view in shown):
        key += "      ✗ what it is"
    axes.text(0.1, 0.32, key, va="top", size=SMALL)
    for place, view in enumerate(shown):
        x, y = 0.1 + pitch_x * (place % across), top + drop * (place // across)
        if with_original and view.original is not None:
            tile(axes, x, y, cell, _square(view.original), "your picture")
            x += cell + 0.06
        sure = view.probability >= threshold
        place_of: dict[str, Any] = {"extent": (x, x + cell, y + cell, y), "aspect": "auto"}
        axes.imshow(view.image.mean(axis=2), cmap="gray_r", vmin=0, vmax=255, **place_of)
        colour = "Greens" if sure else "Reds"
        axes.imshow(view.map, cmap=colour, vmin=0, vmax=1, alpha=OVERLAID, **place_of)
        edge: dict[str, Any] = {"edgecolor": SURE if sure else UNSURE, "linewidth": 1.8}
        line = "solid" if sure else (0, (3, 2))
        axes.add_patch(Rectangle((x, y), cell, cell, fill=False, linestyle=line, **edge))
        mark = "●" if sure else "○"
        text = f"{mark} {predicted[view.predicted]}\n{percent(view.probability)}"
        if view.true:
            text += "  ✓ right" if view.right else f"  ✗ {true[view.true]}"
        axes.text(x + cell / 2, y + cell + 0.05, text, ha="center", va="top", size=SMALL)
    return figure


@styled
def side_by_side(rows: Mapping[str, Sequence[ModelView]]) -> Figure:
    """The same test images under several models, an image per column.

    Parameters
    ----------
    rows
        Model → its view of every image, of the same images for all.
    """
    cell, pitch, left, top = 0.72, 0.8, 0.8, 0.25
    drop = cell + 0.2
    images, note = first(next(iter(rows.values())), MOST_COLUMNS, "classes")
    figure, axes = blank_canvas(
        max(left + pitch * len(images), 3.6), top + drop * (len(rows) + 1) + 0.5
    )
    axes.text(left + 2.4, top + drop * (len(rows) + 1) + 0.1, note, va="top")
    above = fitted([view.true for view in images], pitch - 0.04, 8)
    predicted = [view.predicted for views in rows.values() for view in views]
    short = fitted(predicted, pitch - 0.04 - text_width("✗ "))
    for column, view in enumerate(images):
        tile(axes, left + pitch * column, top, cell, view.image, "", above=above[view.true])
    for row, (model, views) in enumerate(rows.items(), start=1):
        y = top + drop * row - 0.1
        axes.text(left - 0.1, y + cell / 2, textwrap.fill(model, 10), ha="right", va="center")
        for column, view in enumerate(views[: len(images)]):
            below = f"{view.mark} {short[view.predicted]}"
            _under_map(axes, left + pitch * column, y, cell, view, below)
    heat_bar(figure, axes, left, figure.get_figheight() - 0.5, "CAM, share of its maximum")
    return figure


def _under_map(
    axes: Axes, x: float, y: float, size: float, view: ModelView, below: str, *, alone: bool = False
) -> None:
    """The picture of a view under its map."""
    heat, wrong = view.map, not view.right
    tile(axes, x, y, size, view.image, below, heat=heat, wrong=wrong, alone=alone)


def _captions(views: Iterable[ModelView], pitch: float) -> Callable[[ModelView], str]:
    """What is written below a view, in `pitch` inches: ✓ ship: 75%."""
    room = pitch - 0.05 - text_width("✗ : 100%")
    short = fitted([view.predicted for view in views], room)
    return lambda view: f"{view.mark} {short[view.predicted]}: {view.probability:.0%}"


def _square(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """A picture (H, W, C) in the middle of a white square."""
    height, width, channels = image.shape
    side = max(height, width)
    square = np.full((side, side, channels), 255, np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = image
    return square


def percent(value: float) -> str:
    """A probability in per cent; never 100 % where it is only near it."""
    return f"{min(100 * value, 99.99):.2f} %" if value < 1 else "100 %"
