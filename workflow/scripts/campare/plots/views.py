"""Images with the maps of models."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from campare.plots import page
from campare.plots.canvas import (
    BAR,
    MAP_OPACITY,
    ImageGrid,
    blank_canvas,
    image_height,
    inscribed,
    map_colour_bar,
    most_images,
    names_width,
    prediction_key,
    tile,
)
from campare.plots.fitting import (
    MOST_COLUMNS,
    MOST_IMAGES,
    MOST_SEEDS,
    arranged,
    first,
    fitted,
    row_places,
    text_width,
    two_lines,
)
from campare.plots.style import SMALL, Floats, styled, title
from campare.store import Store

CONFIDENT, UNCERTAIN = "#117733", "#CC3311"


@dataclass(frozen=True)
class ModelView:
    """An image with the map and the prediction of one model.

    Attributes
    ----------
    image
        uint8 (H, W, C), C = 1 or 3.
    map
        The map to be drawn, (h, w) in [0, 1]; it is stretched over the image.
    predicted, probability
        The predicted class, "" if it is unknown, and its probability in [0, 1].
    true
        The true class; "" if it is unknown.
    augmentation, seed
        The model, if there are several.
    original
        The image before preprocessing, drawn next to it: uint8 (H, W, C) of any size, C = 1 or 3.
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
    def correct(self) -> bool:
        """Whether the prediction is the true class."""
        return self.predicted == self.true

    @property
    def mark(self) -> str:
        """✓ for a correct prediction, ✗ for an incorrect one."""
        return "✓" if self.correct else "✗"


def of_store(
    store: Store,
    rows: npt.NDArray[np.integer[Any]],
    maps: Floats,
    images: npt.NDArray[np.uint8],
    classes: Sequence[str],
) -> list[ModelView]:
    """Views of some images of a CAM store.

    Parameters
    ----------
    store
        The store of one model.
    rows
        Rows of the store, (N,).
    maps
        Maps of these rows, to be drawn, (N, h, w) in [0, 1].
    images, classes
        All images of the data set, uint8 (M, H, W, C), into which the store's `index` points, and
        the names of its classes.
    """
    return [
        ModelView(
            images[store.index[row]],
            shown,
            classes[store.predicted[row]],
            float(store.prediction[row, store.predicted[row]]),
            classes[store.label[row]],
            store.attributes["augmentation"],
            str(store.attributes["seed"]),
        )
        for row, shown in zip(rows, maps, strict=True)
    ]


@styled
def extreme(views: Sequence[ModelView], heading: str) -> Figure:
    """The maps of all models for one test image (thesis appendix A).

    A row per augmentation, a column per seed. The image is in light grey under each map.

    Parameters
    ----------
    views
        Views of one image, one per model, the baseline first.
    heading
        Which image it is, and why it was chosen.
    """
    seeds = list(dict.fromkeys(view.seed for view in views))
    lines = [
        (title(name), {seeds.index(view.seed): view for view in of_name})
        for name, of_name in _by_augmentation(views).items()
    ]
    return _image_with_maps(lines, [f"Seed {seed}" for seed in seeds], heading, MAP_OPACITY)


@styled
def every_model(views: Sequence[ModelView], heading: str, opacity: float) -> Figure:
    """The same for models whose seeds may differ between augmentations, such as more baselines.

    Rows are without gaps, as long as those of most augmentations; longer ones have several lines.

    Parameters
    ----------
    opacity
        Of the maps over the image, in [0, 1].
    """
    groups = _by_augmentation(views)
    seeds = {tuple(view.seed for view in of_name) for of_name in groups.values()}
    counts = Counter(map(len, groups.values()))
    columns = min(MOST_SEEDS, max(counts, key=lambda count: (counts[count], count)))
    lines = [
        (title(name), dict(enumerate(of_name[start : start + columns])))
        for name, of_name in groups.items()
        for start in range(0, len(of_name), columns)
    ]
    same = len(seeds) == 1 and len(lines) == len(groups)
    above = [f"Seed {seed}" for seed in next(iter(seeds))] if same else [""] * columns
    return _image_with_maps(lines, above, heading, opacity, with_seeds=not same)


def _by_augmentation(views: Sequence[ModelView]) -> dict[str, list[ModelView]]:
    """Augmentation → its views, in order of appearance."""
    groups: dict[str, list[ModelView]] = {}
    for view in views:
        groups.setdefault(view.augmentation, []).append(view)
    return groups


def _image_with_maps(
    lines: Sequence[tuple[str, Mapping[int, ModelView]]],
    above: Sequence[str],
    heading: str,
    opacity: float,
    *,
    with_seeds: bool = False,
) -> Figure:
    """An image and, in lines with labels, its maps: column → view; `above` names the columns.

    with_seeds: whether the seed is above each map.
    """
    cell, pitch, left, top = 0.88, 1.08, 1.15, 0.8
    views = [view for _, line in lines for view in line.values()]
    image, true = views[0].image, views[0].true
    high = image_height(cell, image)
    drop = (1.17 if with_seeds else 1.04) - (cell - high)
    image_column = cell + 0.2
    blocks, width, height = arranged(
        len(lines),
        left + len(above) * pitch,
        drop,
        margin_width=image_column,
        margin_height=top + 0.55,
    )
    figure, axes = blank_canvas(max(width, 4.2), height)
    block = (figure.get_figwidth() - image_column) / blocks
    pitch = (block - left) / len(above)
    axes.text(0.1, 0.08, textwrap.fill(heading, int(14 * figure.get_figwidth())), va="top")
    captions = _captions(views, pitch)
    labels = two_lines([label for label, _ in lines], left - 0.15)
    below = f"true: {fitted([true], image_column - 0.15 - text_width('true: '))[true]}"
    tile(axes, 0.1, top, cell, image, below, above="Image")
    places = row_places(len(lines), blocks, block)
    for (x, row), (label, line) in zip(places, lines, strict=True):
        x, y = image_column + x + left, top + row * drop
        axes.text(x - 0.08, y + high / 2, labels[label], ha="right", va="center")
        for column, view in line.items():
            at = x + column * pitch
            _draw_view(axes, at, y, cell, view, captions(view), opacity=opacity)
            if with_seeds:
                seed: dict[str, Any] = {"ha": "center", "va": "bottom", "size": SMALL}
                axes.text(at + cell / 2, y - 0.02, f"seed {view.seed}", **seed)
        if row == 0:
            for column, name in enumerate(above):
                middle = x + column * pitch + cell / 2
                axes.text(middle, y - 0.05, name, ha="center", va="bottom")
    if any(view.predicted for view in views):
        prediction_key(axes, 0.1, height - 0.46)
    map_colour_bar(figure, axes, image_column + left, height - 0.44, opacity=opacity)
    return figure


@styled
def overlays(views: Sequence[Sequence[ModelView]], *, map_only: bool, note: str = "") -> Figure:
    """Maps of one model per training set, for the same test images.

    A row per model, or a column per model if there are more models than images.

    Parameters
    ----------
    views
        For each image, one view per model.
    map_only
        Draw the maps without the images, which are otherwise in light grey under the maps.
    note
        A note on the choice of models.
    """
    cell, pitch, left = 0.76, 1.03, names_width()
    if page.printing():
        cell, pitch = (0.56, 0.62) if page.narrow() else (0.66, 0.8)
        views = views[: most_images(len(views), pitch)]
    images = [of_image[0] for of_image in views]
    models = [view.augmentation for view in views[0]]
    high = image_height(cell, images[0].image)
    grid = ImageGrid(
        models,
        [view.true for view in images],
        cell,
        (pitch, high + 0.15),
        high=high,
        originals=True,
        below=0.55,
        least=left + BAR + 0.15,  # the colour bar below the maps
    )
    figure, axes = blank_canvas(grid.width, grid.height)
    grid.label(axes)
    captions = _captions([view for of_image in views for view in of_image], pitch)
    opacity = 1 if map_only else MAP_OPACITY
    for place, image in enumerate(images):
        for x, y in grid.originals(place):
            tile(axes, x, y, cell, image.image, "")
    for number, of_model in enumerate(zip(*views, strict=True)):
        for place, view in enumerate(of_model):
            x, y = grid.place(number, place)
            _draw_view(axes, x, y, cell, view, captions(view), opacity=opacity)
            if not view.map.any():
                mark: dict[str, Any] = {"ha": "center", "va": "top", "color": "white"}
                axes.text(x + cell / 2, y + 0.03, "zero map", size=SMALL, **mark)
    axes.text(left + BAR + 0.3, grid.height - 0.4, note, va="center")
    prediction_key(axes, 0.1, grid.height - 0.48)
    map_colour_bar(figure, axes, left, grid.height - 0.46, opacity=opacity)
    return figure


@styled
def sheets(views: Sequence[ModelView], threshold: float, heading: str) -> Figure:
    """Images under their maps, green for confident predictions, else red (Suresh and Kaushik).

    For colour-blind readers, the border (solid, dashed) and the mark (●, ○) differ as well.

    Parameters
    ----------
    views
        The first `MOST_IMAGES` are drawn, each next to its `original` if it has one.
    threshold
        Probability from which a prediction counts as confident.
    heading
        What the images have in common.
    """
    cell, pitch, top = 1.15, 1.35, 0.62
    shown, note = first(views, MOST_IMAGES, "images") if views else ([], "There are none.")
    with_original = any(view.original is not None for view in shown)
    pitch_x = pitch + (cell + 0.06 if with_original else 0)
    square = with_original or not shown
    drop = (cell if square else image_height(cell, shown[0].image)) + 0.56
    across, width, height = arranged(len(shown), pitch_x, drop, margin_width=0.2, margin_height=top)
    figure, axes = blank_canvas(max(width, 5.6), height)
    axes.text(0.1, 0.08, f"{heading}. {note}" if note else heading, va="top")
    predicted = fitted([view.predicted for view in shown], pitch - 0.12 - text_width("● "))
    true = fitted([view.true for view in shown], pitch - 0.12 - text_width("99.99 %  ✗ "))
    key = f"● green, solid: probability ≥ {100 * threshold:g} %      ○ red, dashed: below"
    if any(view.true and not view.correct for view in shown):
        key += "      ✗ incorrect: true class"
    axes.text(0.1, 0.32, key, va="top", size=SMALL)
    for place, view in enumerate(shown):
        x, y = 0.1 + pitch_x * (place % across), top + drop * (place // across)
        if with_original and view.original is not None:
            tile(axes, x, y, cell, _square(view.original), "original image")
            x += cell + 0.06
        confident = view.probability >= threshold
        x, y, wide, high = inscribed(x, y, cell, view.image)
        extent = x, x + wide, y + high, y
        place_of: dict[str, Any] = {"extent": extent, "aspect": "auto"}
        axes.imshow(view.image.mean(axis=2), cmap="gray_r", vmin=0, vmax=255, **place_of)
        colour = "Greens" if confident else "Reds"
        axes.imshow(view.map, cmap=colour, vmin=0, vmax=1, alpha=MAP_OPACITY, **place_of)
        edge: dict[str, Any] = {
            "edgecolor": CONFIDENT if confident else UNCERTAIN,
            "linewidth": 1.8,
        }
        line = "solid" if confident else (0, (3, 2))
        axes.add_patch(Rectangle((x, y), wide, high, fill=False, linestyle=line, **edge))
        mark = "●" if confident else "○"
        text = f"{mark} {predicted[view.predicted]}\n{percent(view.probability)}"
        if view.true:
            text += "  ✓ correct" if view.correct else f"  ✗ {true[view.true]}"
        axes.text(x + wide / 2, y + high + 0.05, text, ha="center", va="top", size=SMALL)
    return figure


@styled
def side_by_side(rows: Mapping[str, Sequence[ModelView]]) -> Figure:
    """Maps of several models for the same test images, an image per column.

    Parameters
    ----------
    rows
        Model → its views, of the same images for every model.
    """
    cell, pitch, left, top = 0.72, 0.8, 0.8, 0.25
    images, note = first(next(iter(rows.values())), MOST_COLUMNS, "classes")
    high = image_height(cell, images[0].image)
    drop = high + 0.2
    figure, axes = blank_canvas(
        max(left + pitch * len(images), 3.6), top + drop * (len(rows) + 1) + 0.5
    )
    axes.text(left + 2.4, top + drop * (len(rows) + 1) + 0.1, note, va="top")
    above = fitted([view.true for view in images], pitch - 0.04, 8)
    predicted = [view.predicted for views in rows.values() for view in views[: len(images)]]
    short = fitted(predicted, pitch - 0.04 - text_width("✗ "))
    for column, view in enumerate(images):
        tile(axes, left + pitch * column, top, cell, view.image, "", above=above[view.true])
    for row, (model, views) in enumerate(rows.items(), start=1):
        y = top + drop * row - 0.1
        axes.text(left - 0.1, y + high / 2, textwrap.fill(model, 10), ha="right", va="center")
        for column, view in enumerate(views[: len(images)]):
            below = f"{view.mark} {short[view.predicted]}"
            _draw_view(axes, left + pitch * column, y, cell, view, below)
    prediction_key(axes, 0.05, figure.get_figheight() - 0.52)
    map_colour_bar(figure, axes, left, figure.get_figheight() - 0.5)
    return figure


def _draw_view(
    axes: Axes,
    x: float,
    y: float,
    size: float,
    view: ModelView,
    below: str,
    *,
    opacity: float = MAP_OPACITY,
) -> None:
    """Draw the image of a view under its map."""
    incorrect = bool(view.predicted) and not view.correct
    tile(axes, x, y, size, view.image, below, cam=view.map, incorrect=incorrect, opacity=opacity)


def _captions(views: Iterable[ModelView], pitch: float) -> Callable[[ModelView], str]:
    """The caption of a view, at most `pitch` inches wide: ✓ ship: 75%; "" if it is unknown."""
    views = list(views)
    if page.printing():  # images are smaller: without the probability
        bare = fitted([view.predicted for view in views], pitch - 0.05 - text_width("✗ "))
        return lambda view: f"{view.mark} {bare[view.predicted]}" if view.predicted else ""
    room = pitch - 0.05 - text_width("✗ : 100%")
    short = fitted([view.predicted for view in views], room)

    def caption(view: ModelView) -> str:
        known = f"{view.mark} {short[view.predicted]}: {view.probability:.0%}"
        return known if view.predicted else ""

    return caption


def _square(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """An image (H, W, C) in the middle of a white square."""
    height, width, channels = image.shape
    side = max(height, width)
    square = np.full((side, side, channels), 255, np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = image
    return square


def percent(value: float) -> str:
    """A probability in per cent; values just below 1 are not rounded to 100 %."""
    return f"{min(100 * value, 99.99):.2f} %" if value < 1 else "100 %"
