"""How much fits into a figure: shortened names, arrangement of panels, what is left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import pandas as pd
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from campare import naming, registry
from campare.design import BASELINE, MOST_SETS
from campare.plots import page
from campare.plots.style import SMALL, TALLEST

Item = TypeVar("Item")
# The most that a figure shows; MOST_SETS: augmentations as panels, or as rows of images.
MOST_ROWS = 40  # augmentations as rows
MOST_SEEDS = 6  # side by side
MOST_CLASSES = 40  # names of classes in a column
MOST_COLUMNS = 12  # classes side by side, as images
MOST_IMAGES = 60
# No figure is taller than `TALLEST` of its width, so that the narrowest arrangement may leave much
# of the width empty; the lowest that is at most this many times as wide is chosen instead.
WIDER = 1.1


def text_width(text: str, size: float = SMALL) -> float:
    """The width of a line of text, inches."""
    font = FontProperties(size=size)
    return float(text_to_path.get_text_width_height_descent(text, font, False)[0]) / 72


def fitted(names: Iterable[str], inches: float, size: float = SMALL) -> dict[str, str]:
    """Each name → the name shortened to a width in inches; different names stay different."""
    short = naming.shortened(names, inches, lambda text: text_width(text, size))
    return {name: naming.isolated(text) for name, text in short.items()}


def two_lines(names: Iterable[str], inches: float, size: float = 8) -> dict[str, str]:
    """Each name → the name in one line or two, shortened if it needs more."""
    short = fitted(names, 1.7 * inches, size)
    return {name: _folded(text, inches, size) for name, text in short.items()}


def _folded(text: str, inches: float, size: float) -> str:
    """A text in two lines if it is too wide for one, broken at a space if possible."""
    middle = len(text) / 2
    for place in [0, *sorted(range(len(text)), key=lambda k: (text[k] != " ", abs(k - middle)))]:
        lines = text[:place].rstrip(), text[place:].lstrip()
        if all(text_width(line, size) <= inches for line in lines):
            return "\n".join(filter(None, lines))
    return text


def arranged(
    count: int, wide: float, high: float, *, margin_width: float = 0, margin_height: float = 0
) -> tuple[int, float, float]:
    """The number of columns of a figure; the figure's width and height, inches.

    The lowest figure that is at most `WIDER` times as wide as the narrowest. On a page as many
    columns as fit.

    Parameters
    ----------
    count
        Number of panels.
    wide, high
        Size of a panel, inches.
    margin_width, margin_height
        Width left and right of all panels, and height above and below them, inches.
    """

    def size(columns: int) -> tuple[float, float]:
        height = margin_height + high * -(-max(count, 1) // columns)
        return max(margin_width + wide * columns, height / TALLEST), height

    if page.printing():
        columns = int((page.width() - margin_width) / wide)
        columns = min(max(columns, 1), max(count, 1))
        return columns, page.width(), size(columns)[1]
    sizes = {columns: size(columns) for columns in range(1, max(count, 1) + 1)}
    widest = WIDER * min(width for width, _ in sizes.values())
    columns = min(
        (columns for columns, (width, _) in sizes.items() if width <= widest),
        key=lambda columns: sizes[columns][::-1],
    )
    return columns, *sizes[columns]


def row_places(count: int, blocks: int, wide: float) -> Iterator[tuple[float, int]]:
    """For each of `count` rows in `blocks` side by side: left edge in inches, row in its block."""
    down = -(-count // blocks)
    return ((place // down * wide, place % down) for place in range(count))


def first(items: Iterable[Item], most: int, what: str) -> tuple[list[Item], str]:
    """The first items, at most `most`, and a note if there are more: `what` names them."""
    all_items = list(items)
    note = f"The first {most} of {len(all_items):,} {what}." if len(all_items) > most else ""
    return all_items[:most], note


_rankings: list[list[str]] = []


@contextmanager
def ranked(summary: pd.DataFrame | None) -> Iterator[None]:
    """Let figures with room for some augmentations show those with the largest map shift.

    Parameters
    ----------
    summary
        `augmentation`, `shift`: summary.csv. None: figures show the first augmentations.
    """
    if summary is None:
        yield
        return
    _rankings.append(list(summary.sort_values("shift", ascending=False)["augmentation"]))
    try:
        yield
    finally:
        _rankings.pop()


def sets_shown(names: Iterable[str], most: int = MOST_SETS) -> tuple[list[str], str]:
    """Result of `chosen`, with the note on a line of its own."""
    shown, note = chosen(names, most)
    return shown, f"\n{note}" if note else ""


def chosen(names: Iterable[str], most: int = MOST_SETS) -> tuple[list[str], str]:
    """The training sets that a figure shows, in their order, and a note if there are more.

    If there are more than `most` augmentations, those with the largest map shift are shown (within
    `ranked`), otherwise the first. The baseline and step-matched sets are always shown.
    """
    names = list(names)
    kept = (BASELINE, *registry.RESERVED.values())
    augmentations = [name for name in names if name not in kept]
    if len(augmentations) <= most:
        return names, ""
    note = f"The first {most} of {len(augmentations)} augmentations."
    if _rankings:
        places = {name: place for place, name in enumerate(_rankings[-1])}
        augmentations.sort(key=lambda name: places.get(name, len(places)))
        note = f"The {most} of {len(augmentations)} augmentations with the largest map shift."
    shown = {*kept, *augmentations[:most]}
    return [name for name in names if name in shown], note


def models_shown(models: Iterable[tuple[str, int]]) -> tuple[list[tuple[str, int]], str]:
    """The models (augmentation, seed) that a figure shows, and a note if there are more."""
    all_models = list(models)
    names, fewer_sets = chosen(dict.fromkeys(name for name, _ in all_models))
    seeds, fewer_seeds = first(dict.fromkeys(seed for _, seed in all_models), MOST_SEEDS, "seeds")
    shown = [(name, seed) for name, seed in all_models if name in names and seed in seeds]
    return shown, " ".join(filter(None, (fewer_sets, fewer_seeds)))


def lowest_and_highest(names: Sequence[str], values: pd.Series, most: int) -> tuple[list[str], str]:
    """All classes, or those with the lowest and the highest values and a note that says so."""
    if len(names) <= most:
        return list(names), ""
    ranked = values[values.index.isin(names)].dropna().sort_values(kind="stable").index
    half = most // 2
    shown = {*ranked[:half], *ranked[-half:]}
    note = f"\nOf {len(names):,} classes: the {half} lowest and the {half} highest means"
    return [name for name in names if name in shown], note


def ordered(names: Iterable[str]) -> list[str]:
    """Each class once, in the order of all figures."""
    classes = list(dict.fromkeys(names))
    return [classes[place] for place in naming.ordered(classes)]
