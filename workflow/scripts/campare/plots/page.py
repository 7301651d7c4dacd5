"""Figures at the width of a printed column, or of a page with two columns.

Usually a figure is as large as its content needs. Within `printed(width)` it has exactly this
width; text keeps its size (7 to 8 pt), so panels become smaller, are stacked, or show fewer images,
and what the caption says is not repeated in the figure.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from contextlib import contextmanager

from matplotlib.figure import Figure
from matplotlib.text import Text

# End of the name of a file → width of the figure, inches: a column and a page of IEEE journals,
# close to those of most others.
COLUMNS = {"_one_column": 3.5, "_two_columns": 7.16}
USUAL = 7.0  # inches, without a page
NARROW = 5.0  # figures below this width stack their panels
LABEL = 38  # characters of a line below axes of a narrow page
EDGE = 0.03  # least distance of text from the edge, inches

_widths: list[float] = []


@contextmanager
def printed(width: float | None) -> Iterator[None]:
    """Draw figures of this width in inches; None: of their usual size."""
    if width is None:
        yield
        return
    _widths.append(width)
    try:
        yield
    finally:
        _widths.pop()


def printing() -> bool:
    """Whether the width of the page is given."""
    return bool(_widths)


def width() -> float:
    """The width of the page, inches; without a page the usual width of a figure."""
    return _widths[-1] if _widths else USUAL


def narrow() -> bool:
    """Whether figures are as wide as one of two columns."""
    return printing() and width() < NARROW


def named(stem: str) -> tuple[str, float | None]:
    """The figure, and its width, that the stem of a file names: summary_one_column."""
    for end, inches in COLUMNS.items():
        if stem.endswith(end):
            return stem.removesuffix(end), inches
    return stem, None


def columns_of_key(most: int, inches: float) -> int:
    """Columns of a legend: `most`, but on a page as many as fit.

    inches: width of the longest label.
    """
    if not printing():
        return most
    return max(1, min(most, int(width() / (inches + 0.45))))


def wrap_long_labels(figure: Figure) -> None:
    """Break labels below axes of a narrow page, for which the layout would leave no axes."""
    if not narrow():
        return
    for axes in figure.axes:
        label = axes.xaxis.label
        lines = [textwrap.fill(line, LABEL) for line in label.get_text().split("\n")]
        label.set_text("\n".join(lines))


def wrap_labels(figure: Figure) -> bool:
    """Break titles and axis labels that do not fit into the figure; whether any was broken."""
    size = figure.get_size_inches() * figure.dpi
    whole = ("_supxlabel", "_supylabel", "_suptitle")
    texts = [getattr(figure, name) for name in whole]
    for axes in figure.axes:
        texts += [axes.xaxis.label, axes.yaxis.label]
        texts += [axes.title, axes._left_title, axes._right_title]  # type: ignore[attr-defined]
    broken = [_wrap(text, size[0], size[1], figure.dpi) for text in texts if text is not None]
    return any(broken)


def _wrap(text: Text, wide: float, high: float, dpi: float) -> bool:
    """Break the lines of a text that ends outside of the figure; all in pixels."""
    words = text.get_text()
    if not words or not text.get_visible():
        return False
    box = text.get_window_extent()
    upright = text.get_rotation() == 90
    low, top, end = (box.y0, box.y1, high) if upright else (box.x0, box.x1, wide)
    edge = EDGE * dpi
    if low >= edge and top <= end - edge:
        return False
    if text.get_horizontalalignment() == "left" and not upright:
        room = end - edge - low
    else:
        room = 2 * min((low + top) / 2, end - (low + top) / 2) - 2 * edge
    longest = max(words.split("\n"), key=len)
    characters = max(int(0.95 * len(longest) * room / (top - low)), 8)  # widths differ
    lines = [textwrap.fill(line, characters) for line in words.split("\n")]
    text.set_text("\n".join(lines))
    return text.get_text() != words
