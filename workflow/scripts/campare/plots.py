"""Figures: one function per kind. They read tables and arrays, and compute nothing new.

Every function returns a `Figure` made without pyplot, so that nothing outside it changes, and
`save` writes it as PNG, SVG or PDF with the same bytes each time. Sizes are inches of a printed
page: 7 in is the width of a two-column page, and figures of many augmentations grow instead of
shrinking their text below 7 pt. None is taller than four fifths of its width: viewers that fit
figures to their width, as that of `snakemake --report`, would cut off its top.

Names that users give are shown as they are, never as mathematics, and cut where they have no room,
so that they stay different. What has no room at all is left out by a rule that the figure states.

An augmentation has one colour in all figures of a study (`colours`), from a palette safe for
colour-blind readers; it never has to be told by its colour alone, for its row or panel is named.
"""

from __future__ import annotations

import functools
import logging
import math
import re
import sys
import textwrap
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Literal, ParamSpec, TypeVar

import matplotlib.style
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.collections import QuadMesh
from matplotlib.colors import Normalize
from matplotlib.figure import Figure, SubFigure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from matplotlib.textpath import text_to_path
from matplotlib.ticker import LogFormatterSciNotation, MaxNLocator

from campare import hybrids, maps, naming, registry
from campare.atomic import replacing
from campare.errors import CampareError
from campare.statistics import ALPHA
from campare.store import Store

P = ParamSpec("P")
Item = TypeVar("Item")
Floats = npt.NDArray[np.floating[Any]]

BASELINE = "baseline"
WIDTH = 7.0
TALLEST = 0.8  # of the width
MOST_PIXELS = 100_000_000
# What a figure has room for: panels or rows of pictures, seeds beside each other, …
MOST_SETS = 24
MOST_SEEDS = 6
MOST_CLASSES = 40  # names of classes in a column
MOST_COLUMNS = 12  # classes side by side, as pictures
MOST_PICTURES = 60
LABEL = 1.75  # inches that the names of rows have room for
CELL = 0.13  # inches that a row of a matrix needs for its name
MOST_ROWS = 20  # that have room for names of two lines
NUMBERED = 20  # rows of a matrix, up to which it has room for a number in each cell
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
WRONG = "#D55E00"
HEAT = "viridis"
OVERLAID = 0.6  # opacity of a map over its image
BAR = 1.9  # inches that the colour bar of a sheet of maps is wide
SURE, UNSURE = "#117733", "#CC3311"
MARKERS = "osD^vP*X"
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
    "identity": "Duplicated originals",
    "baseline_long": "Longer training",
}
SCORES = {
    "accuracy": "accuracy",
    "precision": "precision (macro)",
    "recall": "recall (macro)",
    "f1": "F1 score (macro)",
}
SEGMENTS = {
    "both_right": "Both right",
    "only_baseline_right": "Only baseline right",
    "only_augmented_right": "Only augmented right",
    "both_wrong": "Both wrong",
    "agree": "Predictions agree",
    "disagree": "They disagree",
}
# How a picture and a cue go together: label, marker, colour; hollow where there is no cue.
CUED = {
    "own_with": ("Its class, with the cue", "o", PALETTE[5]),
    "own_without": ("Its class, without", "o", PALETTE[5]),
    "other_with": ("Another class, with the cue", "s", PALETTE[1]),
    "other_without": ("Another class, without", "s", PALETTE[1]),
}
GROUPS = {name: name.capitalize() for name in (hybrids.ALL, hybrids.SAME, hybrids.DIFFERENT)}
CURVES = {
    "deletion": "Deletion ↓",
    "insertion": "Insertion ↑",
    "road_most": "ROAD, most ↓",
    "road_least": "ROAD, least ↑",
}
GAINS = {"deletion": "Deletion", "insertion": "Insertion", "road": "ROAD"}
_HOLLOW: dict[str, Any] = {"markerfacecolor": "white", "markersize": 3.5, "markeredgewidth": 0.8}
OVER = {
    "models": "models",
    "within": "models, each less its augmentation's mean",
    "augmentations": "means of augmentations",
}
# What no reader needs in a file, and what would change its bytes from run to run.
METADATA: dict[str, dict[str, None]] = {
    ".png": {"Software": None},
    ".svg": {"Date": None},
    ".pdf": {"CreationDate": None},
}


@dataclass(frozen=True)
class Look:
    """What one model sees in one image.

    `heat` is the map as shown, (H, W) in [0, 1]; `predicted` the class the model gives the
    image, with its `probability` in [0, 1]; `right` whether that is the true class.
    """

    augmentation: str
    seed: str
    heat: Floats
    predicted: str
    probability: float
    right: bool


def looks(
    store: Store, rows: npt.NDArray[np.integer[Any]], size: tuple[int, int], classes: Sequence[str]
) -> list[Look]:
    """What a model sees in some images, by their rows in its store; maps shown at `size`."""
    predicted = store.predicted[rows]
    return [
        Look(
            store.attributes["augmentation"],
            str(store.attributes["seed"]),
            heat,
            classes[kind],
            float(store.prediction[row, kind]),
            bool(kind == store.label[row]),
        )
        for row, kind, heat in zip(rows, predicted, maps.show(store.maps[rows], size), strict=True)
    ]


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


def title(name: str) -> str:
    """An augmentation's or architecture's name as figures print it: color_jitter, Color jitter."""
    words = name.replace("_", " ")
    return TITLES.get(name, words[:1].upper() + words[1:])


def colours(augmentations: Sequence[str]) -> dict[str, str]:
    """One colour per augmentation, by its place in the study; what has none is grey."""
    controls = [name for name in augmentations if name in registry.RESERVED.values()]
    others = [name for name in augmentations if name not in (BASELINE, *controls)]
    cycle = {name: PALETTE[place % len(PALETTE)] for place, name in enumerate(others)}
    return {BASELINE: GREY, **dict.fromkeys(controls, DARK), **cycle}


def save(figure: Figure, path: str | Path, dpi: float = 300) -> None:
    """Write a figure as PNG, SVG or PDF, by the suffix of `path`; same bytes for the same figure.

    `dpi` is the resolution of PNG files, and of what is drawn as pixels inside the others; it is
    lower where they would have more than `MOST_PIXELS`.

    Raises
    ------
    CampareError
        The suffix is none of the three, or the file cannot be written.
    """
    suffix = Path(path).suffix
    if suffix not in METADATA:
        raise CampareError(f"{path}: no such figure format; known: {', '.join(METADATA)}")
    dpi = min(dpi, math.sqrt(MOST_PIXELS / np.prod(figure.get_size_inches())))
    with matplotlib.style.context(STYLE, after_reset=True), replacing(path) as aside:
        figure.savefig(aside, dpi=dpi, metadata=METADATA[suffix])


def save_each(
    paths: Iterable[str | Path],
    draw: Callable[[str], Figure],
    dpi: float = 300,
    fonts: Sequence[str] = (),
) -> None:
    """Draw a figure for each file stem among `paths`, and save it in each of its formats.

    `fonts` are tried in turn for every character, before `FONT`: names of fonts or their files.
    """
    missing: dict[str, None] = {}
    with _fonts(fonts) as absent:
        for stem, formats in groupby(sorted(map(Path, paths)), key=lambda path: path.stem):
            figure = draw(stem)
            missing |= dict.fromkeys(_without_glyph(figure))
            for path in formats:
                save(figure, path, dpi)
    if missing:
        some = " ".join([*missing][:20]) + (" …" if len(missing) > 20 else "")
        print(
            f"figures.font: no font for {some}, shown as boxes; name an installed font that has "
            "them (such as Noto Sans CJK SC, Noto Emoji), or give the path of its file"
            + "".join(f"; {font} is not installed" for font in absent),
            file=sys.stderr,
        )


@contextmanager
def _fonts(wanted: Sequence[str]) -> Iterator[list[str]]:
    """Draw with these fonts, without a warning per character that none of them has.

    Those that are not installed are passed over, and given.
    """
    usual, log = STYLE["font.family"], logging.getLogger("matplotlib.font_manager")
    level = log.level
    try:
        log.setLevel(logging.ERROR)
        families = {font: _family(font) for font in wanted}
        STYLE["font.family"] = [*filter(None, families.values()), *usual]
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", r"Glyph \d+ ")
            yield [font for font, family in families.items() if not family]
    finally:
        STYLE["font.family"] = usual
        log.setLevel(level)


def _family(font: str) -> str | None:
    """What matplotlib calls a font, by its name or its file; None where it is not installed."""
    if Path(font).suffix.lower() in registry.FONT_FILES:
        path = Path(font).expanduser()
        try:
            font_manager.fontManager.addfont(path)
            return font_manager.get_font(path).family_name
        except (OSError, RuntimeError) as error:
            raise CampareError(
                f"figures.font: {font} is no font file that can be drawn with ({error}); give an "
                "outline font (TrueType or OpenType), or the name of one that is installed"
            ) from error
    if not _installed(font):
        _find_new_fonts()
    return font if _installed(font) else None


def _installed(font: str) -> bool:
    try:
        return bool(font_manager.findfont(font, fallback_to_default=False))
    except ValueError:
        return False


def _find_new_fonts() -> None:
    """Tell matplotlib of fonts installed after it made its list, which it keeps from run to run."""
    known = {entry.fname for entry in font_manager.fontManager.ttflist}
    for path in sorted(set(font_manager.findSystemFonts()) - known):
        with suppress(OSError, RuntimeError):
            font_manager.fontManager.addfont(path)


def _without_glyph(figure: Figure) -> list[str]:
    """The characters in a figure's texts that none of the fonts has."""
    known: set[int] = set()
    for family in STYLE["font.family"]:
        known |= font_manager.get_font(font_manager.findfont(family)).get_charmap().keys()
    shown = "".join(text.get_text() for text in figure.findobj(Text))
    return sorted(char for char in set(shown) if ord(char) not in known and not char.isspace())


@styled
def examples(
    originals: npt.NDArray[np.uint8],
    augmented: npt.NDArray[np.uint8],
    shares: tuple[Floats, Floats],
    classes: Sequence[str],
    augmentation: str,
) -> Figure:
    """Original training images above their augmented copies (thesis figures 2.1 to 2.7).

    Parameters
    ----------
    originals, augmented
        uint8 (N, H, W, C), C = 1 or 3.
    shares
        Of the K classes in the labels of the two, (N, K) each: one-hot unless mixed.
    """
    cell, pitch, line, left = 0.77, 0.865, 0.14, 0.05
    lines = int(max(1, *(shares[1] > 0).sum(axis=1)))
    drop = 0.2 + cell + 0.05 + line + 0.08
    figure, axes = _canvas(max(2.0, left + len(originals) * pitch), 2 * drop + (lines - 1) * line)
    whole = _fitted(classes, pitch - 0.05)
    part = _fitted(classes, pitch - 0.05 - _width("00% "))
    rows = (("Original", originals, shares[0]), (title(augmentation), augmented, shares[1]))
    for row, (name, images, labels) in enumerate(rows):
        y = row * drop + 0.2
        axes.text(left, y - 0.05, name, va="bottom")
        for column, (image, label) in enumerate(zip(images, labels, strict=True)):
            x = left + column * pitch
            parts = [
                f"{label[k]:.0%} {part[classes[k]]}" if label[k] < 1 else whole[classes[k]]
                for k in np.argsort(-label, kind="stable")
                if label[k] > 0
            ]
            _tile(axes, x, y, cell, image, "\n".join(parts))
    return figure


@styled
def sets(
    originals: npt.NDArray[np.uint8],
    augmented: Mapping[str, npt.NDArray[np.uint8]],
    classes: Sequence[str],
) -> Figure:
    """The same training images in every training set: a row of originals, a row per augmentation.

    Parameters
    ----------
    originals
        uint8 (N, H, W, C), C = 1 or 3.
    augmented
        Augmentation → one copy of each, of the same shape.
    classes
        Of the images, N names.
    """
    cell, pitch, left, top = 0.68, 0.72, 1.15, 0.3
    rows = {"original": originals, **augmented}
    block = left + len(originals) * pitch + 0.05
    blocks, width, height = _arranged(len(rows), block, pitch, above=top + 0.05)
    figure, axes = _canvas(width, height)
    labels = _lines([title(name) for name in rows], left - 0.15)
    short = _fitted(classes, pitch - 0.04, 8)
    places = _places(len(rows), blocks, block)
    for (x, row), (name, images) in zip(places, rows.items(), strict=True):
        y = top + row * pitch
        label = labels[title(name)]
        axes.text(x + left - 0.1, y + cell / 2, label, ha="right", va="center")
        for column, (image, kind) in enumerate(zip(images, classes, strict=True)):
            above = "" if row else short[kind]
            _tile(axes, x + left + column * pitch, y, cell, image, "", above=above)
    return figure


@styled
def performance(
    models: pd.DataFrame, summary: pd.DataFrame, score: str, augmentations: Sequence[str]
) -> Figure:
    """A test score of every model, with mean and standard deviation over seeds (5.6 to 5.9).

    Points, not the thesis's bars: the scores lie within a few per cent of each other, where bars
    from zero all look alike and bars from elsewhere mislead; a point may stand on any axis.

    Parameters
    ----------
    models
        `augmentation`, `seed` and the score in [0, 1]: performance.csv.
    summary
        `augmentation`, `score`, `mean`, `std` (NaN for one seed): performance_summary.csv.
    """
    colour = colours(augmentations)
    figure, axes = _rows([title(name) for name in augmentations])
    wanted = summary[summary["score"] == score]
    means, spreads = (
        dict(zip(wanted["augmentation"], 100 * wanted[column], strict=True))
        for column in ("mean", "std")
    )
    labels = []
    for row, name in enumerate(augmentations):
        seeds = 100 * models.loc[models["augmentation"] == name, score].to_numpy()
        mean, spread = means[name], spreads[name]
        # One below the other, since seeds may score the same
        places = row + np.linspace(0.2, 0.38, len(seeds))
        axes.plot(seeds, places, "o", color="0.3", markersize=2.5)
        axes.errorbar(
            mean, row, xerr=np.nan_to_num(spread), fmt="o", color=colour[name], markersize=6,
            capsize=3, elinewidth=1.6, markeredgecolor="0.2", markeredgewidth=0.6,
        )  # fmt: skip
        labels.append(f"{mean:.2f}" + (f" ± {spread:.2f}" if np.isfinite(spread) else ""))
    if BASELINE in means:
        axes.axvline(means[BASELINE], color=GREY, linewidth=0.8, dashes=(4, 3), zorder=1)
    axes.grid(axis="x")
    axes.set_xlabel(f"Test {SCORES[score]} (%)")
    _columns(axes, {"Mean ± s.d.": labels})
    return figure


@styled
def confusion(table: pd.DataFrame, augmentation: str) -> Figure:
    """Confusion matrix of an augmentation's models: counts, coloured by share of the true class.

    Parameters
    ----------
    table
        `augmentation`, `label`, `prediction`, `images`: confusion.csv, with class names as text
        in the order they are to have. Counts are printed for up to `NUMBERED` classes; beside the
        matrix of more than `MOST_CLASSES` stands which are confused most often.
    """
    rows = table[table["augmentation"] == augmentation]
    classes = _ordered(rows["label"])
    counts = (
        rows.pivot_table(index="label", columns="prediction", values="images", aggfunc="sum")
        .reindex(index=classes, columns=classes)
        .fillna(0)
        .to_numpy()
    )
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(100 * counts, totals, out=np.full(counts.shape, np.nan), where=totals > 0)
    texts = [[f"{count:.0f}" if count else "" for count in row] for row in counts]
    figure, axes, mesh = _matrix(
        shares, classes, texts, cell=0.34, cmap="Blues", limits=(0, 100),
        beside=_confused(counts, classes) if len(classes) > MOST_CLASSES else "",
    )  # fmt: skip
    figure.colorbar(
        mesh, ax=axes, label="Share of the true class (%)", shrink=0.8, aspect=30, pad=0.03
    )
    name = _fitted([title(augmentation)], figure.get_figwidth() - 2.6)[title(augmentation)]
    step = -(-len(classes) // MOST_CLASSES)
    every = f" (one in {step} is named)" if step > 1 else ""
    axes.set(
        xlabel=f"Predicted class{every}",
        ylabel=f"True class{every}",
        title=f"{name}: {counts.sum():,.0f} predictions",
    )
    return figure


def _confused(counts: Floats, classes: Sequence[str]) -> str:
    """The most frequent confusions, in words: a line each."""
    wrong = counts * (1 - np.eye(len(counts)))
    places = np.argsort(-wrong, axis=None, kind="stable")[:MOST_CLASSES]
    pairs = (divmod(int(place), len(classes)) for place in places)
    short = _fitted(classes, 1.7)
    lines = [
        f"{wrong[true, taken]:,.0f} × {short[classes[true]]} → {short[classes[taken]]}"
        for true, taken in pairs
        if wrong[true, taken]
    ]
    return "\n".join([f"The {len(lines)} most frequent confusions, true → predicted:", *lines])


@dataclass(frozen=True)
class Overlay:
    """A picture and what a model sees in it.

    `image` is uint8 (H, W, C); `heat` the map as shown, (H, W) in [0, 1]; `predicted` the class
    with its `probability` in [0, 1]; `true` the true class, "" where it is unknown; `original`,
    uint8 (H, W, C) of any size, what the picture was made from.
    """

    image: npt.NDArray[np.uint8]
    heat: Floats
    predicted: str
    probability: float
    true: str = ""
    original: npt.NDArray[np.uint8] | None = None


@styled
def sheets(shown: Sequence[Overlay], threshold: float, heading: str) -> Figure:
    """Pictures under their maps, green where the model is sure, else red (Suresh and Kaushik).

    Readers who cannot tell green from red have the border (solid, dashed) and the mark (●, ○).

    Parameters
    ----------
    threshold
        Probability from which a model counts as sure.
    """
    cell, pitch, top = 1.15, 1.35, 0.62
    shown, note = first(shown, MOST_PICTURES, "pictures")
    with_original = any(look.original is not None for look in shown)
    pitch_x = pitch + (cell + 0.06 if with_original else 0)
    drop = cell + 0.56
    across, width, height = _arranged(len(shown), pitch_x, drop, beside=0.2, above=top)
    figure, axes = _canvas(max(width, 5.6), height)
    axes.text(0.1, 0.08, f"{heading}. {note}" if note else heading, va="top")
    predicted = _fitted([look.predicted for look in shown], pitch - 0.12 - _width("● "))
    true = _fitted([look.true for look in shown], pitch - 0.12 - _width("99.99 %  ✗ "))
    key = f"● green, solid: probability ≥ {100 * threshold:g} %      ○ red, dashed: below"
    if any(look.true and look.true != look.predicted for look in shown):
        key += "      ✗ what it is"
    axes.text(0.1, 0.32, key, va="top", size=SMALL)
    for place, look in enumerate(shown):
        x, y = 0.1 + pitch_x * (place % across), top + drop * (place // across)
        if with_original and look.original is not None:
            _tile(axes, x, y, cell, _square(look.original), "your picture")
            x += cell + 0.06
        sure = look.probability >= threshold
        place_of: dict[str, Any] = {"extent": (x, x + cell, y + cell, y), "aspect": "auto"}
        axes.imshow(look.image.mean(axis=2), cmap="gray_r", vmin=0, vmax=255, **place_of)
        colour = "Greens" if sure else "Reds"
        axes.imshow(look.heat, cmap=colour, vmin=0, vmax=1, alpha=0.6, **place_of)
        edge: dict[str, Any] = {"edgecolor": SURE if sure else UNSURE, "linewidth": 1.8}
        line = "solid" if sure else (0, (3, 2))
        axes.add_patch(Rectangle((x, y), cell, cell, fill=False, linestyle=line, **edge))
        mark = "●" if sure else "○"
        text = f"{mark} {predicted[look.predicted]}\n{_probability(look.probability)}"
        if look.true:
            text += "  ✓ right" if look.true == look.predicted else f"  ✗ {true[look.true]}"
        axes.text(x + cell / 2, y + cell + 0.05, text, ha="center", va="top", size=SMALL)
    return figure


@styled
def side_by_side(
    images: Sequence[npt.NDArray[np.uint8]],
    names: Sequence[str],
    rows: Mapping[str, Sequence[Look]],
) -> Figure:
    """The same test images under several models, an image per column.

    Parameters
    ----------
    images, names
        uint8 (H, W, C), and what is written above each.
    rows
        Model → its look at every image.
    """
    cell, pitch, left, top = 0.72, 0.8, 0.8, 0.25
    drop = cell + 0.2
    images, note = first(images, MOST_COLUMNS, "classes")
    names = names[: len(images)]
    figure, axes = _canvas(max(left + pitch * len(images), 3.6), top + drop * (len(rows) + 1) + 0.5)
    axes.text(left + 2.4, top + drop * (len(rows) + 1) + 0.1, note, va="top")
    above = _fitted(names, pitch - 0.04, 8)
    short = _fitted(
        [look.predicted for looks in rows.values() for look in looks], pitch - 0.04 - _width("✗ ")
    )
    for column, (image, name) in enumerate(zip(images, names, strict=True)):
        _tile(axes, left + pitch * column, top, cell, image, "", above=above[name])
    for row, (model, looks) in enumerate(rows.items(), start=1):
        y = top + drop * row - 0.1
        axes.text(left - 0.1, y + cell / 2, textwrap.fill(model, 10), ha="right", va="center")
        for column, look in enumerate(looks[: len(images)]):
            below = f"{'✓' if look.right else '✗'} {short[look.predicted]}"
            _tile(
                axes, left + pitch * column, y, cell, images[column], below,
                heat=look.heat, wrong=not look.right,
            )  # fmt: skip
    width, height = figure.get_size_inches()
    bar = axes.inset_axes((left / width, 0.42 / height, 1.9 / width, 0.08 / height))
    figure.colorbar(
        ScalarMappable(Normalize(0, 1), HEAT), bar, orientation="horizontal", alpha=0.6,
        ticks=(0, 0.5, 1), label="CAM, share of its maximum",
    )  # fmt: skip
    return figure


@styled
def tiles(rows: Mapping[str, Sequence[npt.NDArray[np.uint8]]], names: Sequence[str]) -> Figure:
    """Pictures (H, W, C) in named rows, a name above each column."""
    cell, pitch, left, top = 0.72, 0.8, 1.1, 0.4
    names, note = first(names, MOST_COLUMNS, "classes")
    height = top + pitch * len(rows) + (0.25 if note else 0.1)
    figure, axes = _canvas(left + pitch * len(names), height)
    axes.text(left, height - 0.05, note, va="bottom")
    short = _fitted(names, pitch - 0.04, 8)
    for row, (label, images) in enumerate(rows.items()):
        y = top + pitch * row
        axes.text(left - 0.1, y + cell / 2, textwrap.fill(label, 13), ha="right", va="center")
        for column, (image, name) in enumerate(zip(images, names, strict=False)):
            above = "" if row else short[name]
            _tile(axes, left + pitch * column, y, cell, image, "", above=above)
    return figure


@styled
def scores(table: pd.DataFrame, names: Mapping[str, str]) -> Figure:
    """Test accuracy of several classifiers with its interval.

    Parameters
    ----------
    table
        `model`, `accuracy`, `low`, `high` in [0, 1], `images`: scores.csv of a stage.
    names
        What figures call each model.
    """
    figure, axes = _rows([names[name] for name in table["model"]])
    centre = 100 * table["accuracy"].to_numpy()
    reach = np.abs(100 * table[["low", "high"]].to_numpy().T - centre)
    axes.errorbar(
        centre, range(len(table)), xerr=reach, fmt="o", color=PALETTE[0], markersize=5, capsize=3,
        elinewidth=1.4,
    )  # fmt: skip
    axes.grid(axis="x")
    axes.set_xlabel("Test accuracy (%), with its 95 % interval over images")
    _columns(axes, {"Accuracy": [f"{value:.2f}" for value in centre]})
    return figure


@styled
def agreement(table: pd.DataFrame, metric: str, names: tuple[str, str]) -> Figure:
    """How alike two models' maps are, by class, beside maps of different images.

    Parameters
    ----------
    table
        `metric`, `class`, `pairs`, `undefined`, `mean`, `low`, `high`, `chance`, `chance_low`,
        `chance_high`: agreement.csv.
    names
        Of the two models.
    """
    rows = table[table["metric"] == metric]
    classes = _ordered(name for name in rows["class"] if name not in GROUPS)
    classes, note = _ends(classes, rows.set_index("class")["mean"], MOST_CLASSES)
    order = {name: place for place, name in enumerate([*GROUPS, *classes])}
    rows = rows[rows["class"].isin(list(order))]
    rows = rows.sort_values("class", key=lambda column: column.map(order), kind="stable")
    figure, axes = _rows([GROUPS.get(name, name) for name in rows["class"]])
    kinds = (
        ("chance", "chance", "o", "white", GREY, "Maps of two images of one class"),
        ("mean", "", "o", PALETTE[0], PALETTE[0], "Maps of the same image"),
    )
    for column, stem, marker, fill, colour, label in kinds:
        prefix = f"{stem}_" if stem else ""
        centre = rows[column].to_numpy()
        reach = np.abs(rows[[f"{prefix}low", f"{prefix}high"]].to_numpy().T - centre)
        axes.errorbar(
            centre, range(len(rows)), xerr=reach, fmt=marker, color=colour, markerfacecolor=fill,
            markersize=5, capsize=2.5, elinewidth=1.2, label=label,
        )  # fmt: skip
    axes.grid(axis="x")
    axes.set_xlabel(
        f"{registry.metric(metric).label}, {names[0]} and {names[1]}: mean with 95 % interval{note}"
    )
    figure.legend(loc="outside upper center", ncols=2)
    sizes = {"Pairs": [f"{count:,}" for count in rows["pairs"]]}
    _columns(axes, sizes | {"Undefined": [f"{count:,}" for count in rows["undefined"]]})
    return figure


@styled
def covering(table: pd.DataFrame, measure: str, whole: str) -> Figure:
    """A measure of pictures with a covered patch, by its size: a panel per class.

    Parameters
    ----------
    table
        `size` (pixels), `class`, `measure`, `mean`, `low`, `high`: covering.csv. The class
        `whole`, all classes together, is repeated in grey in every panel.
    """
    rows = table[table["measure"] == measure]
    largest = rows[rows["size"] == rows["size"].max()].set_index("class")["mean"]
    classes = _ordered(name for name in rows["class"] if name != whole)
    names, note = _ends(classes, largest, MOST_CLASSES // 2)
    across, width, height = _arranged(len(names), 1.4, 1.35, above=0.8)
    figure = _figure(max(width, 4.6), height, "constrained")
    factor = 100 if measure == "accuracy" else 1
    panels = _panels(figure, names, across, 1.4)
    for panel, name in zip(panels, names, strict=True):
        for drawn, colour, width in ((whole, GREY, 0.9), (name, PALETTE[0], 1.4)):
            one = rows[rows["class"] == drawn]
            panel.plot(one["size"], factor * one["mean"], color=colour, linewidth=width)
            if drawn == name:
                panel.fill_between(
                    one["size"], factor * one["low"], factor * one["high"], color=colour,
                    alpha=0.25, linewidth=0,
                )  # fmt: skip
                panel.plot(one["size"], factor * one["mean"], "o", color=colour, markersize=2.5)
        panel.grid()
    panels[0].xaxis.set_major_locator(MaxNLocator(4, integer=True))
    label = "Accuracy (%)" if measure == "accuracy" else registry.metric(measure).label
    figure.supylabel(label, size=8)
    figure.supxlabel(f"Side of the covered square (pixels){note}", size=8)
    key = (
        Line2D([], [], color=PALETTE[0], linewidth=1.4, label="Class, with 95 % interval"),
        Line2D([], [], color=GREY, linewidth=0.9, label="All classes"),
    )
    figure.legend(handles=key, loc="outside upper center", ncols=2)
    return figure


@styled
def localisation(models: pd.DataFrame, summary: pd.DataFrame, score: str, label: str) -> Figure:
    """Where maps lie: a panel per region, each with a row per augmentation.

    Parameters
    ----------
    models
        `augmentation`, `seed`, `region`, `score`, `mean`: localisation.csv.
    summary
        `augmentation`, `region`, `score`, `mean`, `std`, `chance`, `other`, `difference`,
        `difference_low`, `difference_high`: localisation_summary.csv.
    label
        Of the score.
    """
    models, summary = (table[table["score"] == score] for table in (models, summary))
    names = list(dict.fromkeys(summary["augmentation"]))
    regions = list(dict.fromkeys(summary["region"]))
    figure, panels = _stacked(names, regions)
    for panel, region in zip(panels, regions, strict=True):
        rows = summary[summary["region"] == region].set_index("augmentation").reindex(names)
        _seeds(panel, models[models["region"] == region], "mean", names)
        panel.plot(rows["other"], range(len(names)), "D", color="0.3", **_HOLLOW)
        panel.axvline(rows["chance"].mean(), color="0.3", linewidth=0.9, dashes=(1, 2), zorder=1)
        if BASELINE in names:
            mean = rows.loc[BASELINE, "mean"]
            panel.axvline(mean, color=GREY, linewidth=0.8, dashes=(4, 3), zorder=1)
            gains = rows[["difference", "difference_low", "difference_high"]]
            texts = [_gain(*row) for row in gains.itertuples(index=False)]
            _columns(panel, {"Δ (95 %)": texts})
    figure.supxlabel(label, size=8)
    key = (
        Line2D([], [], marker="o", color="0.3", linewidth=1.4, label="Mean ± s.d. over seeds"),
        Line2D([], [], color=GREY, linewidth=0.8, dashes=(4, 3), label="Baseline"),
        Line2D(
            [], [], marker="D", color="0.3", linestyle="", label="Other images' maps", **_HOLLOW
        ),
        Line2D([], [], color="0.3", linewidth=0.9, dashes=(1, 2), label="Chance"),
    )
    figure.legend(handles=key, loc="outside upper center", ncols=len(key))
    return figure


@styled
def spurious(models: pd.DataFrame, summary: pd.DataFrame, region: str) -> Figure:
    """What each augmentation makes of a region that goes with one class in training.

    Parameters
    ----------
    models
        `augmentation`, `group`, `accuracy`, `to_own`, `energy`, a row per seed: spurious.csv.
    summary
        `augmentation`, `group`, `measure`, `mean`, `std`, `chance`: spurious_summary.csv.
    """
    names = list(dict.fromkeys(summary["augmentation"]))
    drawn = {
        "accuracy": ("Accuracy (%)", 100, list(CUED)),
        "to_own": (f"Taken for the {region}'s class (%)", 100, [*CUED][2:]),
        "energy": (f"Energy on the {region} (% of map)", 100, ["own_with", "other_with"]),
    }
    figure, panels = _beside(names, [label for label, _, _ in drawn.values()])
    for panel, (measure, (_, scale, groups)) in zip(panels, drawn.items(), strict=True):
        places = np.linspace(-0.28, 0.28, len(groups))
        for group, place in zip(groups, places, strict=True):
            label, marker, fill = CUED[group]
            rows = summary[(summary["group"] == group) & (summary["measure"] == measure)]
            rows = rows.set_index("augmentation").reindex(names)
            one = models[models["group"] == group]
            for row, name in enumerate(names):
                seeds = scale * one.loc[one["augmentation"] == name, measure].to_numpy()
                panel.plot(seeds, [row + place] * len(seeds), ".", color="0.6", markersize=2.5)
            panel.errorbar(
                scale * rows["mean"], np.arange(len(names)) + place,
                xerr=scale * np.nan_to_num(rows["std"]), fmt=marker, color=fill, markersize=4.5,
                markerfacecolor=fill if "with" in group.split("_") else "white", capsize=2,
                elinewidth=1, label=label if measure == "accuracy" else None,
            )  # fmt: skip
            if measure == "energy" and group == "own_with":
                chance = scale * rows["chance"].mean()
                panel.axvline(chance, color="0.3", linewidth=0.9, dashes=(1, 2), zorder=1)
        for row in range(1, len(names)):
            panel.axhline(row - 0.5, color="0.9", linewidth=0.6)
    figure.legend(loc="outside upper center", ncols=4)
    return figure


@styled
def faithfulness_curves(table: pd.DataFrame) -> Figure:
    """Probability of the explained class as pixels go or come: a row per curve.

    Parameters
    ----------
    table
        `augmentation`, `map` ("map" or "random"), `curve`, `share`, `probability`, `std` over
        seeds: faithfulness_curves.csv.
    """
    every = list(dict.fromkeys(table["augmentation"]))
    names, note = _shown(every)
    colour = colours(every)
    curves, titles = len(CURVES), _lines(map(title, names), 0.9)
    across, width, height = _arranged(len(names), 0.85, 1.15 * curves, beside=0.6, above=0.8)
    figure = _figure(max(WIDTH, width), height, "constrained")
    down = -(-len(names) // across)
    grid = figure.subplots(down * curves, across, sharex=True, sharey=True, squeeze=False)
    for axes in grid[-curves:, len(names) - (down - 1) * across :].flat:
        axes.set_visible(False)
    for place, name in enumerate(names):
        block, column = divmod(place, across)
        panels = grid[block * curves : (block + 1) * curves, column]
        panels[0].set_title(titles[title(name)])
        for axes, (curve, label) in zip(panels, CURVES.items(), strict=True):
            rows = table[(table["augmentation"] == name) & (table["curve"] == curve)]
            for drawn, shade, dashes in (("random", GREY, (3, 2)), ("map", colour[name], ())):
                one = rows[rows["map"] == drawn].sort_values("share")
                x, y = 100 * one["share"], one["probability"]
                # The baseline's own colour is the grey of random maps.
                shade = "black" if shade == GREY and drawn == "map" else shade
                axes.plot(x, y, color=shade, linewidth=1.3, dashes=dashes)
                spread = np.nan_to_num(one["std"])
                axes.fill_between(x, y - spread, y + spread, color=shade, alpha=0.2, linewidth=0)
            axes.grid()
            if column == 0:
                axes.set_ylabel(label)
    grid[0, 0].set_ylim(0, 1)
    grid[0, 0].xaxis.set_major_locator(MaxNLocator(4, integer=True))
    figure.supxlabel(f"Share of the pixels taken or put (%){note}", size=8)
    figure.supylabel("Probability of the explained class", size=8)
    key = (
        Line2D([], [], color="black", linewidth=1.3, label="By the model's map, ± s.d. over seeds"),
        Line2D([], [], color=GREY, linewidth=1.3, dashes=(3, 2), label="By a random map"),
    )
    figure.legend(handles=key, loc="outside upper center", ncols=2)
    return figure


@styled
def faithfulness_gain(models: pd.DataFrame, summary: pd.DataFrame) -> Figure:
    """How much better a model's maps are than random ones: a panel per measure.

    Parameters
    ----------
    models
        `augmentation`, `measure`, `gain`, a row per seed: faithfulness.csv.
    summary
        `augmentation`, `measure`, `gain`, `gain_low`, `gain_high`: faithfulness_summary.csv.
    """
    names = list(dict.fromkeys(summary["augmentation"]))
    figure, panels = _stacked(names, list(GAINS.values()))
    for panel, measure in zip(panels, GAINS, strict=True):
        _seeds(panel, models[models["measure"] == measure], "gain", names)
        panel.axvline(0, color="0.3", linewidth=0.9, dashes=(1, 2), zorder=1)
        rows = summary[summary["measure"] == measure].set_index("augmentation").reindex(names)
        texts = [
            _gain(*row) for row in rows[["gain", "gain_low", "gain_high"]].itertuples(index=False)
        ]
        _columns(panel, {"Δ (95 %)": texts})
    figure.supxlabel("Gain over a random map of the same model (probability)", size=8)
    return figure


@styled
def history(table: pd.DataFrame, augmentations: Sequence[str]) -> Figure:
    """Training loss and validation accuracy per epoch: a panel each per augmentation.

    Parameters
    ----------
    table
        `augmentation`, `seed`, `epoch`, `train_loss` (nats) and `validation_accuracy` in [0, 1]:
        the histories of all models. Thin lines are seeds, the thick one is their mean; the
        baseline is repeated in grey in every panel.
    """
    colour = colours(augmentations)
    names, note = _shown([name for name in augmentations if name != BASELINE] or [BASELINE])
    across, width, height = _arranged(len(names), WIDTH / 4, 2.2, above=1.4)
    figure = _figure(max(4.6, width), height, "constrained")
    quantities = (
        ("train_loss", 1, "Training loss (nats)"),
        ("validation_accuracy", 100, "Validation accuracy (%)"),
    )
    parts = figure.subfigures(2, 1, squeeze=False)[:, 0]
    for part, (column, scale, label) in zip(parts, quantities, strict=True):
        panels = _panels(part, [title(name) for name in names], across, WIDTH / 4)
        for panel, name in zip(panels, names, strict=True):
            for drawn in dict.fromkeys((BASELINE, name)):
                models = table[table["augmentation"] == drawn]
                for _, model in models.groupby("seed"):
                    panel.plot(
                        model["epoch"], scale * model[column], color=colour[drawn], alpha=0.6,
                        linewidth=0.5,
                    )  # fmt: skip
                mean = scale * models.groupby("epoch")[column].mean()
                panel.plot(mean.index, mean, color=colour[drawn], linewidth=1.5)
            panel.grid()
        if column == "train_loss" and (table[column] > 0).all():
            panels[0].set_yscale("log")
            panels[0].yaxis.set_major_formatter(_Powers())
            panels[0].yaxis.set_minor_formatter(_Powers(minor_thresholds=(1, 0.4)))
        panels[0].xaxis.set_major_locator(MaxNLocator(4, integer=True))
        part.supylabel(label, size=8)
        part.supxlabel(f"Epoch{note}", size=8)
    key = (
        Line2D([], [], color=GREY, linewidth=1.5, label="Baseline"),
        Line2D([], [], color="black", linewidth=1.5, label="Augmentation, mean over seeds"),
        Line2D([], [], color="black", linewidth=0.5, label="One seed"),
    )
    figure.legend(handles=key, loc="outside lower center", ncols=len(key))
    return figure


@styled
def boxplot(
    table: pd.DataFrame,
    metric: str,
    augmentations: Sequence[str],
    floor: Sequence[str] = (),
    fill: str | None = None,
    about: str = "",
) -> Figure:
    """A metric over the test images, a box per augmentation (thesis 5.10, 5.12, … 5.24).

    Boxes are quartiles with the median; whiskers span the central 95 % of the images, which
    means the same on any axis; dots are the images beyond. The dashed line is the value of two
    identical maps; a quantity of one map has none, and a box for the baseline's. A divergence,
    without upper bound, has a symmetric log axis: linear, hence with a zero, below the power of
    ten under which 5 % of the images lie.

    Parameters
    ----------
    table
        `augmentation` and a column per metric, a row per test image: aggregate.parquet, or
        across_seeds.parquet. NaN is undefined: counted, not drawn.
    floor
        What of the table has no augmentation, in grey below: "baseline", two baselines, and
        step-matched controls.
    fill
        Colour of all boxes above, where they are no augmentations.
    about
        What pairs of models an image's value is of, below the name of the metric.
    """
    entry = registry.metric(metric)
    names = [name for name in augmentations if name != BASELINE]
    rows = [(title(name), table.loc[table["augmentation"] == name, metric]) for name in names]
    fills = [fill or colours(names)[name] for name in names]
    if entry.same is None:
        first = table["augmentation"] == names[0]
        rows.insert(0, (title(BASELINE), table.loc[first, f"{metric}_baseline"]))
        fills.insert(0, colours(names)[BASELINE])
    above = len(rows)
    for name in floor:
        values = table.loc[table["augmentation"] == name, metric]
        if values.notna().any():
            rows.append(("Two baselines" if name == BASELINE else title(name), values))
            fills.append(GREY)
    labels, groups = [label for label, _ in rows], [values.to_numpy() for _, values in rows]
    figure, axes = _rows(labels)
    _boxes(axes, groups, fills)
    if len(rows) > above:
        axes.axhline(above - 0.5, color="0.6", linewidth=0.6)
    label = _metric_axis(axes, metric, np.concatenate(groups), ticks=8)
    axes.set_xlabel(f"{label}\n{about}" if about else label)
    if entry.same is not None:
        axes.annotate(
            "identical",
            (entry.same, -0.5),
            xytext=(0, 1),
            textcoords="offset points",
            ha="right" if entry.same > 0 else "left",
            va="bottom",
            size=SMALL,
            color="0.4",
        )
    _columns(axes, {"Images": _sizes(groups), "Undefined": _missing(groups)})
    return figure


@styled
def segments(
    table: pd.DataFrame,
    metric: str,
    augmentations: Sequence[str],
    segments: Sequence[str] = tuple(SEGMENTS),
) -> Figure:
    """A metric by segment of the images, a panel per augmentation (thesis appendix C).

    Parameters
    ----------
    table
        `augmentation`, `segment` and the metric, a row per test image and seed (and division, where
        there are two). Boxes, whiskers and dots as in `boxplot`.
    segments
        Keys of `SEGMENTS`, in the order they are to have.
    """
    names, note = _shown([name for name in augmentations if name != BASELINE])
    one = 0.25 + 0.25 * len(segments)
    across, width, height = _arranged(len(names), 1.8, one, beside=1.6, above=0.5)
    figure = _figure(max(4.6, width), height, "constrained")
    panels = _panels(figure, [title(name) for name in names], across, 1.8)
    for panel, name in zip(panels, names, strict=True):
        rows = table[table["augmentation"] == name]
        groups = [rows.loc[rows["segment"] == key, metric].to_numpy() for key in segments]
        _boxes(panel, groups, [colours(names)[name]] * len(groups))
        label = _metric_axis(panel, metric, table[metric].to_numpy(), ticks=4)
        panel.set_yticks(range(len(segments)), [SEGMENTS[key] for key in segments])
        panel.set_ylim(len(segments) - 0.5, -0.5)
        panel.tick_params(axis="y", length=0)
        counts = {"Pairs": _sizes(groups)}
        if table[metric].isna().any():
            counts["Undef."] = _missing(groups)
        _columns(panel, counts)
    figure.supxlabel(f"{label}{note}", size=8)
    return figure


@styled
def correlation(table: pd.DataFrame, metric: str, augmentations: Sequence[str]) -> Figure:
    """Correlation of a metric between augmentations over the test set (thesis 5.11, … 5.25).

    Parameters
    ----------
    table
        `metric`, `augmentation_a`, `augmentation_b`, `pearson`: correlation.csv. The colours run
        from -1 to 1 in every figure, so that metrics compare; undefined ones read n/a.
    """
    names = [name for name in augmentations if name != BASELINE]
    matrix = (
        table[table["metric"] == metric]
        .pivot_table(index="augmentation_a", columns="augmentation_b", values="pearson")
        .reindex(index=names, columns=names)
        .to_numpy(dtype=float)
    )
    lower = np.tri(len(names), dtype=bool)
    texts = [
        ["" if not shown else f"{value:.2f}" if np.isfinite(value) else "n/a"
         for value, shown in zip(*rows, strict=True)]
        for rows in zip(matrix, lower, strict=True)
    ]  # fmt: skip
    labels = [title(name) for name in names]
    figure, axes, mesh = _matrix(
        np.where(lower, matrix, np.nan), labels, texts, cell=0.4, cmap="RdBu_r", limits=(-1, 1)
    )
    axes.set_title(f"Metric: {registry.metric(metric).label}")
    figure.colorbar(
        mesh,
        ax=axes,
        label="Correlation between augmentations\n(Pearson's r over images)",
        shrink=0.8,
        aspect=30,
        pad=0.03,
    )
    return figure


@styled
def between(table: pd.DataFrame, metric: str) -> Figure:
    """How far models of two augmentations are apart beyond models of one, no baseline between them.

    Parameters
    ----------
    table
        `metric`, `augmentation_a`, `augmentation_b`, `shift`, `p_holm`: between.csv. A star marks
        p ≤ 0.05.
    """
    rows = table[table["metric"] == metric]
    names = list(dict.fromkeys([*rows["augmentation_a"], *rows["augmentation_b"]]))
    values = np.full((len(names), len(names)), np.nan)
    texts = [[""] * len(names) for _ in names]
    numbers = rows[["shift", "p_holm"]].to_numpy(float)
    for a, b, (shift, p) in zip(
        rows["augmentation_a"], rows["augmentation_b"], numbers, strict=True
    ):
        column, row = names.index(a), names.index(b)
        values[row, column] = shift
        texts[row][column] = f"{shift:.2g}{'*' if p <= 0.05 else ''}"
    reach = np.nanmax(np.abs(values)) if np.isfinite(values).any() else 1.0
    figure, axes, mesh = _matrix(
        values, [title(name) for name in names], texts, cell=0.45, cmap="RdBu_r",
        limits=(-reach, reach),
    )  # fmt: skip
    entry = registry.metric(metric)
    axes.set_title(f"Metric: {entry.label}{' lost' if entry.same else ''}")
    figure.colorbar(
        mesh, ax=axes, label="Between two augmentations,\nbeyond models of one (* p ≤ 0.05)",
        shrink=0.8, aspect=30, pad=0.03,
    )  # fmt: skip
    return figure


@styled
def profile(correlation: pd.DataFrame, clusters: pd.DataFrame, metric: str) -> Figure:
    """The correlations between augmentations, those that are alike together, beside their tree.

    Parameters
    ----------
    correlation
        `metric`, `augmentation_a`, `augmentation_b`, `pearson`: profile_correlation.csv.
    clusters
        `metric`, `first`, `second`, `members`, `distance`, `support`: profiles.csv. Augmentations
        that are in no tree, whose correlations are undefined, come last.
    metric
        A metric of both, or "all".
    """
    rows = clusters[clusters["metric"] == metric]
    table = correlation[correlation["metric"] == metric]
    joined = rows["members"].iloc[-1] if len(rows) else ""
    names = list(dict.fromkeys([*filter(None, joined.split(" + ")), *table["augmentation_a"]]))
    matrix = (
        table.pivot_table(index="augmentation_a", columns="augmentation_b", values="pearson")
        .reindex(index=names, columns=names)
        .to_numpy(dtype=float)
    )
    texts = [[f"{r:.2f}" if np.isfinite(r) else "n/a" for r in row] for row in matrix]
    figure, axes, mesh = _matrix(
        matrix, [title(name) for name in names], texts, cell=0.4, cmap="RdBu_r", limits=(-1, 1)
    )
    # In inches, since the tree's rows have to be those of the map.
    few = len(names) <= NUMBERED
    side, left, above, below = (0.4 if few else CELL) * len(names), 1.6, 0.55, 2.15
    height = above + side + below
    width = max(left + side + 2.3, 4.6, height / TALLEST)
    branch = width - left - side - 0.3
    figure.set_layout_engine("none")
    figure.set_size_inches(width, height)

    def placed(x: float, y: float, wide: float, high: float) -> tuple[float, float, float, float]:
        return x / width, y / height, wide / width, high / height

    axes.set_position(placed(left, below, side, side))
    tree = figure.add_axes(placed(left + side + 0.1, below, branch, side), sharey=axes)
    ends = {name: (place + 0.5, 0.0) for place, name in enumerate(names)}
    numbers = rows[["distance", "support"]].to_numpy(float)
    joins = rows[["first", "second", "members"]].itertuples(index=False, name=None)
    for (first, second, members), (far, support) in zip(joins, numbers, strict=True):
        (y, x), (y_other, x_other) = ends[first], ends[second]
        middle = (y + y_other) / 2
        tree.plot([x, far, far, x_other], [y, y, y_other, y_other], color="0.3", linewidth=0.9)
        ends[members] = middle, float(far)
        if members == joined:
            break  # all of them, always there
        if few:
            tree.annotate(
                f"{support:.0%}", (far, middle), (3, 2), textcoords="offset points", size=SMALL,
                va="bottom", bbox={"boxstyle": "square,pad=0.1", "fc": "white", "ec": "none"},
            )  # fmt: skip
        elif support >= 0.95:
            tree.plot(far, middle, "o", color="black", markersize=2.5)
    reach = rows["distance"].max() if len(rows) else 1.0
    tree.set_xlim(0, 1.3 * reach or 1.0)
    tree.xaxis.set_major_locator(MaxNLocator(3))
    tree.spines["left"].set_visible(False)
    tree.tick_params(axis="y", length=0, labelleft=False)
    tree.set_xlabel("Distance 1 − r", size=SMALL)
    often = "How often again, resampled" if few else "●: again in 95 % or more of the resamples"
    tree.set_title(often, size=SMALL)
    label = "all, combined" if metric == "all" else registry.metric(metric).label
    figure.suptitle(f"Metric: {label}", y=1 - 0.1 / height, va="top", size=STYLE["axes.titlesize"])
    bar = figure.add_axes(placed(0.4, 0.5, width - 0.8, 0.09))
    label = "Correlation between augmentations (Pearson's r over images)"
    figure.colorbar(mesh, bar, orientation="horizontal", label=label)
    return figure


@styled
def pairs(table: pd.DataFrame, which: str, metrics: int, top: int) -> Figure:
    """How often a pair of augmentations is among the most (least) correlated (tables 5.1, 5.2).

    Parameters
    ----------
    table
        `augmentation_a`, `augmentation_b`, `count`: strongest_pairs.csv or weakest_pairs.csv.
    which
        "strongest" or "weakest".
    metrics, top
        Number of metrics, and of pairs taken from each.
    """
    ends = table["augmentation_a"].map(title), table["augmentation_b"].map(title)
    short = _fitted([*ends[0], *ends[1]], 0.8 * LABEL)
    names = [f"{short[a]} – {short[b]}" for a, b in zip(*ends, strict=True)]
    figure, axes = _rows(names)
    bars = axes.barh(range(len(names)), table["count"], height=0.7, color=PALETTE[2])
    axes.bar_label(bars, padding=3, size=SMALL)
    axes.set_xlim(0, metrics * 1.02)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel(f"Metrics (of {metrics}) with the pair among their {top} {which} correlations")
    if not names:
        axes.text(0.5, 0.5, "no pairs", transform=axes.transAxes, ha="center", va="center")
    return figure


@styled
def extreme(
    image: npt.NDArray[np.uint8], looks: Sequence[Look], *, true: str, heading: str
) -> Figure:
    """One test image under all models (thesis appendix A): a row per augmentation, seeds across.

    Parameters
    ----------
    image
        uint8 (H, W, C), C = 1 or 3. It lies in grey and lightened under each map.
    looks
        One per model, the baseline first.
    true
        Name of the image's class; `heading` says which image it is and why.
    """
    cell, pitch, drop, left, top = 0.88, 1.08, 1.04, 1.15, 0.8
    rows: dict[str, list[Look]] = {}
    for look in looks:
        rows.setdefault(look.augmentation, []).append(look)
    seeds = list(dict.fromkeys(look.seed for look in looks))
    beside = cell + 0.2
    blocks, width, height = _arranged(
        len(rows), left + len(seeds) * pitch, drop, beside=beside, above=top + 0.55
    )
    figure, axes = _canvas(max(width, 4.2), height)
    block = (figure.get_figwidth() - beside) / blocks
    pitch = (block - left) / len(seeds)
    axes.text(0.1, 0.08, textwrap.fill(heading, int(14 * figure.get_figwidth())), va="top")
    short = _fitted([look.predicted for look in looks], pitch - 0.05 - _width("✗ : 100%"))
    labels = _lines([title(name) for name in rows], left - 0.15)
    below = f"true: {_fitted([true], beside - 0.15 - _width('true: '))[true]}"
    _tile(axes, 0.1, top, cell, image, below, above="Image")
    places = _places(len(rows), blocks, block)
    for (x, row), (name, models) in zip(places, rows.items(), strict=True):
        x, y = beside + x + left, top + row * drop
        axes.text(x - 0.08, y + cell / 2, labels[title(name)], ha="right", va="center")
        for look in models:
            column = seeds.index(look.seed)
            _tile(
                axes, x + column * pitch, y, cell, image,
                f"{'✓' if look.right else '✗'} {short[look.predicted]}: {look.probability:.0%}",
                heat=look.heat, wrong=not look.right,
            )  # fmt: skip
        if row == 0:
            for column, seed in enumerate(seeds):
                at = x + column * pitch + cell / 2, y - 0.05
                axes.text(*at, f"Seed {seed}", ha="center", va="bottom")
    _heat_bar(figure, axes, beside + left, height - 0.44, "CAM, share of its maximum")
    return figure


@styled
def overlays(
    images: Sequence[npt.NDArray[np.uint8]],
    looks: Sequence[Sequence[Look]],
    classes: Sequence[str],
    *,
    alone: bool,
    note: str = "",
) -> Figure:
    """Test images under one model of each training set: a column per image, a row per model.

    Parameters
    ----------
    images
        uint8 (H, W, C) each, C = 1 or 3. They lie in grey and lightened under the maps, unless the
        maps are to be seen `alone`.
    looks
        Of each image, one per model.
    classes
        The true ones, by name.
    note
        What is to be said of the choice of models.
    """
    cell, pitch, drop, left, top = 0.76, 1.03, 0.91, 1.1, 0.3
    models = [look.augmentation for look in looks[0]]
    # Wide enough for the colour bar under the maps.
    block = left + max(len(images) * pitch, BAR + 0.15)
    blocks, width, height = _arranged(len(models), block, drop, above=top + drop + 0.55)
    figure, axes = _canvas(width, height)
    names = _lines([title(name) for name in models], left - 0.15)
    true = _fitted(classes, pitch - 0.05, 8)
    predicted = [look.predicted for seen in looks for look in seen]
    short = _fitted(predicted, pitch - 0.05 - _width("✗ : 100%"))
    for start in range(blocks):
        for column, (image, kind) in enumerate(zip(images, classes, strict=True)):
            x = start * block + left + column * pitch
            _tile(axes, x, top, cell, image, "", above=true[kind])
    places = _places(len(models), blocks, block)
    for (start, row), model, *seen in zip(places, models, *looks, strict=True):
        x, y = start + left, top + (row + 1) * drop
        axes.text(x - 0.08, y + cell / 2, names[title(model)], ha="right", va="center")
        for look, image in zip(seen, images, strict=True):
            _tile(
                axes, x, y, cell, image,
                f"{'✓' if look.right else '✗'} {short[look.predicted]}: {look.probability:.0%}",
                heat=look.heat, wrong=not look.right, alone=alone,
            )  # fmt: skip
            if not look.heat.any():
                mark: dict[str, Any] = {"ha": "center", "va": "top", "color": "white"}
                axes.text(x + cell / 2, y + 0.03, "zero", size=SMALL, **mark)
            x += pitch
    axes.text(left + BAR + 0.3, height - 0.4, note, va="center")
    _heat_bar(figure, axes, left, height - 0.46, "Map, share of its maximum", alone=alone)
    return figure


@styled
def accuracy(
    means: pd.DataFrame, correlation: pd.DataFrame, metric: str, augmentations: Sequence[str]
) -> Figure:
    """A metric's mean over the test images against test accuracy, a point per model.

    Parameters
    ----------
    means
        `augmentation`, `accuracy` in [0, 1] and the metric: model_means.csv.
    correlation
        `metric`, `over`, `pearson`, `low`, `high`, `n`: accuracy_correlation.csv, printed above.
    """
    names = [name for name in augmentations if name != BASELINE]
    colour = colours(names)
    figure, axes, labels, columns = _with_legend([title(name) for name in names], 4.6, 3.4)
    for place, name in enumerate(names):
        models = means[means["augmentation"] == name]
        axes.plot(
            100 * models["accuracy"], models[metric], MARKERS[place % len(MARKERS)],
            color=colour[name], label=labels[title(name)], markersize=5.5, alpha=0.85,
            markeredgecolor="0.2", markeredgewidth=0.5,
        )  # fmt: skip
    axes.grid()
    axes.set(
        xlabel="Test accuracy (%)", ylabel=f"{registry.metric(metric).label},\nmean of a model"
    )
    rows = correlation[correlation["metric"] == metric].set_index("over")
    lines = [_correlated(rows.loc[[over]].iloc[0], what) for over, what in OVER.items()]
    axes.set_title("\n".join(lines), loc="left", size=SMALL)
    figure.legend(loc="outside right upper", ncols=columns)
    return figure


def _correlated(row: pd.Series, over: str) -> str:
    """A correlation, its interval and over how many, in words."""
    if not np.isfinite(row["pearson"]):
        return f"r undefined over {row['n']:.0f} {over}"
    between = f" [{row['low']:+.2f}, {row['high']:+.2f}]" if np.isfinite(row["low"]) else ""
    return f"r = {row['pearson']:+.2f}{between} over {row['n']:.0f} {over}".replace("-", "−")


@styled
def summary(table: pd.DataFrame, study: str) -> Figure:
    """Accuracy change and map shift of every augmentation on one page, with intervals and tests.

    Three panels: the change of test accuracy; net distance and tightening; their sum, the shift,
    for all maps and for those of equal predictions. A filled marker is significant at 5 % after
    Holm's correction; the net distance is not tested.

    Parameters
    ----------
    table
        A row per augmentation, then per control, of one metric: summary.csv.
    """
    metric = registry.metric(table["metric"][0])
    names = list(table["augmentation"])
    controls = [name for name in names if name in registry.RESERVED.values()]
    colour = colours(names)
    figure = _figure(WIDTH, 1.9 + 0.36 * len(names), "constrained")
    panels = list(figure.subplots(1, 3, sharey=True, width_ratios=(1, 1, 1)))
    accuracy, parts, moved = panels

    def draw(axes: Axes, column: str, p: str, marker: str, up: float = 0.0, scale: int = 1) -> None:
        values = scale * table[[column, f"{column}_low", f"{column}_high"]].to_numpy(float)
        significant = table[p].to_numpy(float) <= ALPHA if p else np.zeros(len(table), bool)
        for row, (centre, low, high) in enumerate(values):
            drawn = colour[names[row]]
            axes.hlines(row - up, low, high, color=drawn, linewidth=1.2)
            face = drawn if significant[row] else "white"
            axes.plot(centre, row - up, marker, color=drawn, markerfacecolor=face, markersize=5)

    draw(accuracy, "gain", "gain_p_holm", "o", scale=100)
    draw(parts, "net", "", "D", 0.17)
    draw(parts, "tightening", "tightening_p_holm", "s", -0.17)
    draw(moved, "shift", "shift_p_holm", "o", 0.17)
    draw(moved, "equal_shift", "equal_shift_p_holm", "^", -0.17)
    for axes in panels:
        axes.axvline(0, color="0.3", linewidth=0.8, dashes=(4, 3), zorder=1)
        axes.grid(axis="x")
        axes.tick_params(axis="y", length=0)
        axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
        if 0 < len(controls) < len(names):
            axes.axhline(names.index(controls[0]) - 0.5, color="0.6", linewidth=0.6)
    labels = [f"{title(name)} vs. baseline" if name in controls else title(name) for name in names]
    accuracy.set_yticks(range(len(names)), [textwrap.fill(label, 18) for label in labels])
    accuracy.set_ylim(len(names) - 0.5, -0.5)
    name = metric.label[:1].lower() + metric.label[1:]
    distance = f"{metric.same:g} − {name}" if metric.same else metric.label
    accuracy.set_xlabel("Percentage points", size=SMALL)
    for axes in (parts, moved):
        axes.set_xlabel(textwrap.fill(distance, 30), size=SMALL)
    accuracy.set_title("Accuracy change", loc="left", weight="bold")
    parts.set_title("Parts of the shift", loc="left", weight="bold")
    moved.set_title("Map shift", loc="left", weight="bold")
    columns = {
        "% of\nfloor": [f"{100 * x:+.1f}" if np.isfinite(x) else "–" for x in table["share"]],
        "c": [f"{x:.3f}" if np.isfinite(x) else "–" for x in table["similarity"]],
        "Metrics": [
            f"{k:.0f} of {n}" if n > 0 else "–"
            for k, n in zip(table["significant"], table["tested"], strict=True)
        ],
    }
    _columns(moved, columns)
    key: dict[str, Any] = {"color": DARK, "linestyle": "", "markersize": 4.5}
    handles = [
        Line2D([], [], marker=marker, markerfacecolor=face, label=label, **key)
        for marker, face, label in (
            ("D", "white", "Net distance"),
            ("s", "white", "Tightening"),
            ("o", "white", "Shift, all maps"),
            ("^", "white", "Shift, maps of equal predictions"),
            ("o", DARK, "Filled: p ≤ 0.05 (Holm)"),
        )
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=5, columnspacing=1.2)
    figure.suptitle(_about_summary(table, study), x=0.01, ha="left", size=SMALL)
    # Once is not enough for the columns.
    layout = figure.get_layout_engine()
    assert layout is not None
    layout.execute(figure)
    return figure


def _about_summary(table: pd.DataFrame, study: str) -> str:
    """What was compared, how to read it, and why a test is missing, in words."""
    augmented = table[~table["augmentation"].isin(registry.MATCHED)]
    counts = sorted(set(augmented["models"]))
    each = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    reference = table["reference"][0]
    others = {
        BASELINE: "trained without augmentation",
        "identity": "trained on duplicated originals (as many steps, no augmentation)",
        "baseline_long": "trained without augmentation for as many steps",
    }[reference]
    lines = [
        f"Study {study}: {each} networks per augmentation against {table['reference_models'][0]} "
        f"networks {others}; {table['images'][0]:,} test images.",
        "Shift = net distance (to the reference networks, beyond theirs among themselves) + "
        "tightening (augmented networks agree more among themselves); zero: as after retraining "
        "with other seeds. % of floor: of the mean distance of two reference networks; c: "
        "noise-corrected similarity; metrics: in how many the shift is significant. Tests permute "
        "network labels. Bars: 95 % intervals; of the shift 90 %, each end one-sided at 5 %.",
    ]
    for words in ("note", "gain_note"):
        notes = dict.fromkeys(str(note) for note in table[words].dropna() if note)
        lines += [f"{'Maps' if words == 'note' else 'Accuracy'}: {note}" for note in notes]
    return "\n".join(textwrap.fill(line, 118) for line in lines)


@styled
def architecture_scores(table: pd.DataFrame, score: str, architectures: Sequence[str]) -> Figure:
    """Test score per epoch of the candidate architectures (thesis figures 5.1 to 5.4).

    Parameters
    ----------
    table
        `architecture`, `epoch` and `test_<score>` in [0, 1]: their histories.
    """
    names = [title(name) for name in architectures]
    figure, axes, labels, columns = _with_legend(names, 3.6, 2.8)
    for place, name in enumerate(architectures):
        model = table[table["architecture"] == name]
        axes.plot(
            model["epoch"], 100 * model[f"test_{score}"], label=labels[title(name)],
            linewidth=1.2, color=PALETTE[place % len(PALETTE)],
            marker=MARKERS[place % len(MARKERS)], markersize=3.5,
        )  # fmt: skip
    axes.grid()
    axes.set(xlabel="Epoch", ylabel=f"Test {SCORES[score]} (%)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(loc="outside right upper", ncols=columns)
    return figure


@styled
def architecture_times(table: pd.DataFrame, architectures: Sequence[str]) -> Figure:
    """Training time of the candidate architectures (thesis figure 5.5).

    Parameters
    ----------
    table
        `architecture` and `seconds`, a row per epoch: their histories.
    """
    spent = dict(table.groupby("architecture")["seconds"].sum())
    seconds = np.array([spent[name] for name in architectures])
    unit, length = next(
        (unit, length)
        for unit, length in (("h", 3600), ("min", 60), ("s", 1))
        if length == 1 or seconds.max() >= 2 * length
    )
    figure, axes = _rows([title(name) for name in architectures])
    colour = [PALETTE[place % len(PALETTE)] for place in range(len(architectures))]
    bars = axes.barh(range(len(architectures)), seconds / length, height=0.6, color=colour)
    axes.bar_label(bars, fmt="{:.2g}", padding=3, size=SMALL)
    axes.set_xlabel(f"Training time of all epochs ({unit})")
    return figure


def _figure(
    width: float, height: float, layout: Literal["constrained", "compressed"] | None = None
) -> Figure:
    """A figure of these inches, or wider where it would be too tall."""
    figure = Figure(figsize=(max(width, height / TALLEST), height), layout=layout)
    # A figure without a canvas makes a new one, of all its pixels, for every text it measures.
    FigureCanvasAgg(figure)
    return figure


def _arranged(
    count: int, wide: float, high: float, *, beside: float = 0, above: float = 0
) -> tuple[int, float, float]:
    """In how many columns parts of `wide` × `high` inches make the narrowest figure; its size.

    `beside` and `above` are what the figure has beside all parts, and above or below them.
    """

    def size(columns: int) -> tuple[float, float]:
        height = above + high * -(-max(count, 1) // columns)
        return max(beside + wide * columns, height / TALLEST), height

    columns = min(range(1, max(count, 1) + 1), key=size)
    return columns, *size(columns)


def _places(count: int, blocks: int, wide: float) -> Iterator[tuple[float, int]]:
    """Where each of `count` rows lies that are dealt to `blocks` side by side: inches, and row."""
    down = -(-count // blocks)
    return ((place // down * wide, place % down) for place in range(count))


def first(items: Iterable[Item], most: int, what: str) -> tuple[list[Item], str]:
    """As many items as a figure has room for, and what it says where there are more."""
    found = list(items)
    note = f"The first {most} of {len(found)} {what}." if len(found) > most else ""
    return found[:most], note


def _shown(names: Sequence[str]) -> tuple[list[str], str]:
    """The augmentations that a figure has panels for, and a line of what it says then."""
    shown, note = first(names, MOST_SETS, "training sets")
    return shown, f"\n{note}" if note else ""


def readable(models: Iterable[tuple[str, int]]) -> tuple[list[tuple[str, int]], str]:
    """The models (augmentation, seed) whose maps a figure has room for, and what it says then."""
    found = list(models)
    names, fewer_sets = first(dict.fromkeys(name for name, _ in found), MOST_SETS, "training sets")
    seeds, fewer_seeds = first(dict.fromkeys(seed for _, seed in found), MOST_SEEDS, "seeds")
    shown = [(name, seed) for name, seed in found if name in names and seed in seeds]
    return shown, " ".join(filter(None, (fewer_sets, fewer_seeds)))


def _ends(names: Sequence[str], values: pd.Series, most: int) -> tuple[list[str], str]:
    """The classes with the lowest and the highest values, where a figure has no room for all."""
    if len(names) <= most:
        return list(names), ""
    ranked = values[values.index.isin(names)].dropna().sort_values(kind="stable").index
    half = most // 2
    shown = {*ranked[:half], *ranked[-half:]}
    note = (
        f"\nOf {len(names)} classes the {half} with the lowest and the {half} with the highest mean"
    )
    return [name for name in names if name in shown], note


def _ordered(names: Iterable[str]) -> list[str]:
    """Each class once, in the order that figures have."""
    found = list(dict.fromkeys(names))
    return [found[place] for place in naming.ordered(found)]


def _width(text: str, size: float = SMALL) -> float:
    """How many inches a text is wide."""
    font = FontProperties(size=size)
    return float(text_to_path.get_text_width_height_descent(text, font, False)[0]) / 72


def _fitted(names: Iterable[str], inches: float, size: float = SMALL) -> dict[str, str]:
    """Each name → what of it has room in a line; names that differ stay different."""
    return naming.shortened(names, inches, lambda text: _width(text, size))


def _lines(names: Iterable[str], inches: float, size: float = 8) -> dict[str, str]:
    """Each name → the same in one line or two; cut where it needs more."""
    short = _fitted(names, 1.7 * inches, size)
    return {name: _folded(text, inches, size) for name, text in short.items()}


def _folded(text: str, inches: float, size: float) -> str:
    """A text in two lines where it is too wide for one: broken at a space if it can be."""
    middle = len(text) / 2
    for place in [0, *sorted(range(len(text)), key=lambda k: (text[k] != " ", abs(k - middle)))]:
        lines = text[:place].rstrip(), text[place:].lstrip()
        if all(_width(line, size) <= inches for line in lines):
            return "\n".join(filter(None, lines))
    return text


class _Powers(LogFormatterSciNotation):
    """Labels of a log axis as characters; as mathtext, names with a dollar sign would be so too."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        return _plain(super().__call__(x, pos))


def _plain(mathtext: str) -> str:
    """10⁻³ for $10^{-3}$."""
    text = re.sub(r"\$|\\mathdefault", "", mathtext).replace(r"\times", "×")
    raised = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
    text = re.sub(r"\^\{(.*?)\}", lambda power: power[1].translate(raised), text)
    return re.sub("[{}]", "", text)


def _row_labels(names: Iterable[str], inches: float, pitch: float) -> tuple[dict[str, str], float]:
    """What stands beside rows, and their pitch in inches: rows of many are as low as a line."""
    names = list(names)
    if len(names) <= MOST_ROWS:
        return _lines(names, inches, SMALL), pitch
    return _fitted(names, 1.5 * inches), 0.6 * pitch


def _rows(names: Sequence[str]) -> tuple[Figure, Axes]:
    """Axes with a named row per item, first on top, as tall as they need."""
    short, pitch = _row_labels(names, LABEL, 0.28)
    figure = _figure(WIDTH, 0.75 + pitch * max(1, len(names)), "constrained")
    axes = figure.subplots()
    axes.set_yticks(range(len(names)), [short[name] for name in names])
    axes.set_ylim(max(1, len(names)) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    return figure, axes


def _beside(names: Sequence[str], panels: Sequence[str]) -> tuple[Figure, list[Axes]]:
    """Titled axes side by side that share their named rows, first on top."""
    short, pitch = _row_labels(map(title, names), 1.0, 0.5)
    figure = _figure(WIDTH, 0.95 + pitch * len(names), "constrained")
    axes = list(figure.subplots(1, len(panels), sharey=True, squeeze=False)[0])
    axes[0].set_yticks(range(len(names)), [short[title(name)] for name in names])
    axes[0].set_ylim(len(names) - 0.5, -0.5)
    for one, name in zip(axes, panels, strict=True):
        one.set_title(name)
        one.tick_params(axis="y", length=0)
        one.grid(axis="x")
        one.xaxis.set_major_locator(MaxNLocator(4))
    return figure, axes


def _stacked(names: Sequence[str], panels: Sequence[str]) -> tuple[Figure, list[Axes]]:
    """Titled axes with all named rows and an axis each, one below the other or side by side."""
    short, pitch = _row_labels(map(title, names), 1.2, 0.3)
    across, width, height = _arranged(
        len(panels), 3.6, 0.5 + pitch * len(names), beside=0.8, above=0.6
    )
    figure = _figure(max(WIDTH, width), height, "constrained")
    down = -(-len(panels) // across)
    axes = list(figure.subplots(down, across, sharey=True, squeeze=False).flat)
    for unused in axes[len(panels) :]:
        unused.set_visible(False)
    for one, name in zip(axes, panels, strict=False):
        one.set_title(title(name), loc="left")
        one.set_yticks(range(len(names)), [short[title(each)] for each in names])
        one.set_ylim(len(names) - 0.5, -0.5)
        one.tick_params(axis="y", length=0)
        one.grid(axis="x")
        one.xaxis.set_major_locator(MaxNLocator(8 if across == 1 else 4))
    return figure, axes[: len(panels)]


def _with_legend(
    names: Sequence[str], wide: float, high: float
) -> tuple[Figure, Axes, dict[str, str], int]:
    """Axes with room for a legend beside them; its labels, and in how many columns they are."""
    labels = _fitted(names, 1.5)
    columns = max(1, math.ceil(0.16 * len(labels) / (high - 0.2)))
    entry = 0.5 + max(map(_width, labels.values()), default=0)
    figure = _figure(wide + columns * entry, high, "constrained")
    return figure, figure.subplots(), labels, columns


def _seeds(axes: Axes, models: pd.DataFrame, column: str, names: Sequence[str]) -> None:
    """A row per augmentation: its seeds as dots, their mean and standard deviation above."""
    colour = colours(names)
    for row, name in enumerate(names):
        seeds = models.loc[models["augmentation"] == name, column].to_numpy()
        spread = seeds.std(ddof=1) if len(seeds) > 1 else 0
        axes.plot(seeds, row + np.linspace(0.2, 0.38, len(seeds)), "o", color="0.5", markersize=1.5)
        axes.errorbar(
            seeds.mean(), row, xerr=spread, fmt="o", color=colour[name], markersize=5, capsize=2.5,
            elinewidth=1.4, markeredgecolor="0.2", markeredgewidth=0.5,
        )  # fmt: skip


def _gain(mean: float, low: float, high: float) -> str:
    """A difference with its interval, signed; nothing where there is none."""
    if np.isnan(mean):
        return ""
    return f"{mean:+.3f}" + ("" if np.isnan(low) else f" ({low:+.3f}, {high:+.3f})")


def _panels(
    figure: Figure | SubFigure, names: Sequence[str], across: int, wide: float
) -> list[Axes]:
    """A titled panel of `wide` inches per name, `across` in a row, all with the same axes."""
    down = -(-len(names) // across)
    grid = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
    for place, panel in enumerate(grid.flat):
        panel.set_visible(place < len(names))
        panel.tick_params(labelbottom=place + across >= len(names))
    panels = list(grid.flat[: len(names)])
    short = _fitted(names, 0.9 * wide, STYLE["font.size"])
    for panel, name in zip(panels, names, strict=True):
        panel.set_title(short[name])
    return panels


def _columns(axes: Axes, columns: Mapping[str, Sequence[str]]) -> None:
    """Columns of text right of the axes, under their headers, a line per row of the axes."""
    edge = 2.0
    for header, texts in columns.items():
        widest = max(map(len, (*header.split("\n"), *texts)))
        edge += 6 + 4.4 * widest  # points; a digit is 4.4 wide
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


def _sizes(groups: Sequence[Floats]) -> list[str]:
    return [f"{len(group):,}" for group in groups]


def _missing(groups: Sequence[Floats]) -> list[str]:
    return [f"{np.isnan(group).sum():,}" for group in groups]


def _boxes(axes: Axes, groups: Sequence[Floats], fills: Sequence[str]) -> None:
    """Horizontal box plots of the defined values, one per row.

    As a handful of artists: matplotlib's own makes seven per box, slow where boxes are many.
    """
    defined = [group[np.isfinite(group)] for group in groups]
    marks = [
        np.percentile(group, (2.5, 25, 50, 75, 97.5)) if group.size else np.full(5, np.nan)
        for group in defined
    ]
    low, q1, median, q3, high = np.transpose(marks)
    rows = np.arange(len(groups))
    twice, ends = np.tile(rows, 2), np.concatenate([low, high])
    axes.hlines(twice, ends, np.concatenate([q1, q3]), color="black", linewidth=0.7)
    axes.vlines(ends, twice - 0.15, twice + 0.15, color="black", linewidth=0.7)
    boxes = axes.barh(rows, q3 - q1, 0.6, left=q1, edgecolor="black", linewidth=0.7)
    for box, fill in zip(boxes, fills, strict=True):
        box.set_facecolor((fill, 0.6))
    axes.vlines(median, rows - 0.3, rows + 0.3, color="black", linewidth=1.2)
    beyond = [
        group[(group < left) | (group > right)]
        for group, left, right in zip(defined, low, high, strict=True)
    ]
    counts = [len(dots) for dots in beyond]
    # As pixels: ten thousand dots as vectors would make an SVG of megabytes.
    axes.scatter(
        np.concatenate(beyond), np.repeat(rows, counts), s=3, alpha=0.5, linewidths=0,
        color=np.repeat(fills, counts), rasterized=True,
    )  # fmt: skip


def _metric_axis(axes: Axes, metric: str, values: Floats, ticks: int) -> str:
    """Scale and limits of an x axis that shows a metric, a line at identical maps; its label."""
    entry = registry.metric(metric)
    axes.grid(axis="x")
    finite = values[np.isfinite(values)]
    if entry.same is not None:
        axes.axvline(entry.same, color="0.3", linewidth=0.8, dashes=(4, 3), zorder=1)
        finite = np.append(finite, entry.same)
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
    if entry.bounds[1] is not None or entry.same is None or not finite.any():
        margin = 0.03 * (high - low) or 0.05
        axes.set_xlim(low - margin, high + margin)
        axes.xaxis.set_major_locator(MaxNLocator(ticks, steps=[1, 2, 5, 10]))
        return entry.label
    linear = math.floor(math.log10(np.quantile(np.abs(finite[finite != 0]), 0.05)))
    axes.set_xscale("symlog", linthresh=10.0**linear, linscale=0.5)
    axes.set_xlim(1.5 * low - 0.2 * 10.0**linear, max(1.5 * high, 10.0**linear))
    powers = range(math.floor(math.log10(axes.get_xlim()[1])), linear - 1, -1)
    stride = -(-len(powers) // ticks)
    axes.set_xticks(
        [0, *(10.0**power for power in powers[::stride] if power >= linear + stride - 1)]
    )
    axes.xaxis.set_major_formatter(_Powers(linthresh=10.0**linear))
    axes.minorticks_off()
    return f"{entry.label}, log axis (linear below {_plain(f'10^{{{linear}}}')})"


def _matrix(
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
    short = _fitted([names[place] for place in named], 1.4)
    labels = [short[names[place]] for place in named]
    long = max(map(_width, labels), default=0)
    turned = 90 if not few else 45 if long > cell - 0.05 else 0
    width = side + long + 1.4
    more = max(map(_width, beside.split("\n"))) + 0.3 if beside else 0
    height = side + {0: 0.15, 45: 0.75 * long, 90: long}[turned] + 0.7
    figure = _figure(max(width + more, 3.6), height)
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


def _canvas(width: float, height: float) -> tuple[Figure, Axes]:
    """Axes over a whole figure, with inches from the upper left corner as data units."""
    figure = _figure(width, height)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, figure.get_figwidth()), ylim=(height, 0))
    axes.set_axis_off()
    return figure, axes


def _tile(
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


def _heat_bar(
    figure: Figure, axes: Axes, x: float, y: float, label: str, *, alone: bool = False
) -> None:
    """The colours of maps, on a canvas."""
    width, height = figure.get_size_inches()
    bar = axes.inset_axes((x / width, 1 - (y + 0.08) / height, BAR / width, 0.08 / height))
    figure.colorbar(
        ScalarMappable(Normalize(0, 1), HEAT), bar, orientation="horizontal",
        alpha=1 if alone else OVERLAID, ticks=(0, 0.5, 1), label=label,
    )  # fmt: skip


def _square(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """A picture (H, W, C) in the middle of a white square."""
    height, width, channels = image.shape
    side = max(height, width)
    square = np.full((side, side, channels), 255, np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = image
    return square


def _probability(value: float) -> str:
    """A probability in per cent; never 100 % where it is only near it."""
    return f"{min(100 * value, 99.99):.2f} %" if value < 1 else "100 %"
