"""Save figures as files, always with the same bytes; use the fonts that a user names."""

from __future__ import annotations

import logging
import math
import sys
import textwrap
import unicodedata
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import groupby
from pathlib import Path

import matplotlib.style
import numpy as np
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from campare import registry
from campare.atomic import replacing
from campare.errors import CampareError
from campare.plots import page
from campare.plots.fitting import text_width
from campare.plots.style import FONT, SMALL, STYLE, TALLEST

MOST_PIXELS = 100_000_000
MARGIN = 0.06  # around a caption, inches
LINE = 0.13  # inches of a line of a caption
# Metadata left out of files: software, and dates, which would change the bytes from run to run.
METADATA: dict[str, dict[str, None]] = {
    ".png": {"Software": None},
    ".svg": {"Date": None},
    ".pdf": {"CreationDate": None},
}


def save(figure: Figure, path: str | Path, dpi: float = 300, whole: Bbox | None = None) -> None:
    """Write a figure as PNG, SVG or PDF, by the suffix of `path`; same bytes for the same figure.

    Parameters
    ----------
    figure
        The figure.
    path
        File to write.
    dpi
        Resolution of PNG files and of rasterised parts of SVG and PDF files; reduced if the image
        would have more than `MOST_PIXELS`.
    whole
        What is written, inches; None: the figure.

    Raises
    ------
    CampareError
        The suffix is not one of the three, or the file cannot be written.
    """
    suffix = Path(path).suffix
    if suffix not in METADATA:
        raise CampareError(f"{path}: no such figure format; known: {', '.join(METADATA)}")
    size = figure.get_size_inches() if whole is None else whole.size
    dpi = min(dpi, math.sqrt(MOST_PIXELS / np.prod(size)))
    with matplotlib.style.context(STYLE, after_reset=True), replacing(path) as aside:
        figure.savefig(aside, dpi=dpi, metadata=METADATA[suffix], bbox_inches=whole)


def captioned(figure: Figure, caption: str) -> Bbox | None:
    """Write a caption above a figure; return the part that holds both, in inches of the figure.

    The layout of the figure does not change: what is written is higher than the figure by the lines
    of the caption, and wider if it would be too tall. Without a caption it is None, the figure.
    """
    if not caption:
        return None
    width, height = figure.get_size_inches()
    room = int(width / text_width("n")) - 4
    lines = textwrap.wrap(caption, room, break_on_hyphens=False)
    with matplotlib.style.context(STYLE, after_reset=True):
        figure.text(
            MARGIN, height + MARGIN, "\n".join(lines), size=SMALL, va="bottom",
            transform=figure.dpi_scale_trans,
        )  # fmt: skip
    for legend in figure.legends:
        if legend.get_bbox_to_anchor() is figure.bbox:  # else it would move to the edge of the page
            legend.set_bbox_to_anchor((0, 0, 1, 1), figure.transFigure)
    top = height + 2 * MARGIN + LINE * len(lines)
    beside = max(0.0, top / TALLEST - width) / 2
    return Bbox([(-beside, 0), (width + beside, top)])


def save_each(
    paths: Iterable[str | Path],
    draw: Callable[[str], Figure],
    dpi: float = 300,
    fonts: Sequence[str] = (),
    caption: str = "",
) -> None:
    """Draw a figure for each file stem among `paths`, and save it in each of its formats.

    Parameters
    ----------
    paths
        Files to write.
    draw
        Name of the figure → figure. The name is the file stem; in files for a paper it is followed
        by the width of the page (`page.named`).
    dpi
        See `save`.
    fonts
        Fonts tried in turn for every character before `FONT`: names or files. Characters that
        neither has are drawn with an installed font that has them.
    caption
        Printed above each figure.
    """
    missing: dict[str, None] = {}
    with _fonts(fonts) as absent:
        for stem, formats in groupby(sorted(map(Path, paths)), key=lambda path: path.stem):
            name, width = page.named(stem)
            with page.printed(width):
                figure = draw(name)
                if more := _covering(_without_glyph(figure)):
                    STYLE["font.family"] = [*STYLE["font.family"], *more]
                    print(
                        f"figures.font: {', '.join(more)}, for characters that {FONT} lacks"
                        + "".join(f"; {font} is not installed" for font in absent)
                    )
                    figure = draw(name)  # the layout depends on the widths of the characters
            whole = captioned(figure, caption)
            missing |= dict.fromkeys(_without_glyph(figure))
            for path in formats:
                save(figure, path, dpi, whole)
    if missing:
        some = " ".join([*missing][:20]) + (" …" if len(missing) > 20 else "")
        print(
            f"figures.font: no font for {some}, drawn as boxes; name an installed font with these "
            "characters (such as Noto Sans CJK SC, Noto Emoji), or give the path of its file"
            + "".join(f"; {font} is not installed" for font in absent),
            file=sys.stderr,
        )


@contextmanager
def _fonts(fonts: Sequence[str]) -> Iterator[list[str]]:
    """Draw with these fonts, without a warning for each missing character.

    Yields the fonts that are not installed.
    """
    usual, log = STYLE["font.family"], logging.getLogger("matplotlib.font_manager")
    level = log.level
    try:
        log.setLevel(logging.ERROR)
        families = {font: _family(font) for font in fonts}
        STYLE["font.family"] = [*filter(None, families.values()), *usual]
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", r"Glyph \d+ ")
            yield [font for font, family in families.items() if not family]
    finally:
        STYLE["font.family"] = usual
        log.setLevel(level)


def _family(font: str) -> str | None:
    """Matplotlib's name of a font, given its name or its file; None if it is not installed."""
    if Path(font).suffix.lower() in registry.FONT_FILES:
        path = Path(font).expanduser()
        try:
            font_manager.fontManager.addfont(path)
            return font_manager.get_font(path).family_name
        except (OSError, RuntimeError) as error:
            raise CampareError(
                f"figures.font: {font} is not a usable font file ({error}); give an "
                "outline font (TrueType or OpenType), or the name of an installed font"
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
    """Add fonts to matplotlib that were installed after it wrote its list of fonts."""
    known = {entry.fname for entry in font_manager.fontManager.ttflist}
    for path in sorted(set(font_manager.findSystemFonts()) - known):
        with suppress(OSError, RuntimeError):
            font_manager.fontManager.addfont(path)


def _without_glyph(figure: Figure) -> list[str]:
    """The characters in a figure's texts that are missing from all fonts."""
    fonts = [font_manager.get_font(font_manager.findfont(name)) for name in STYLE["font.family"]]
    printed = "".join(text.get_text() for text in figure.findobj(Text))
    return sorted(
        char
        for char in set(printed)
        if not char.isspace()
        and unicodedata.category(char) != "Cf"  # marks of direction are not drawn
        and not any(font.get_char_index(ord(char)) for font in fonts)
    )


def _covering(characters: Sequence[str]) -> list[str]:
    """Names of installed fonts that together have as many of the characters as possible.

    The font with most of them is the first, and of equal ones the first by name.
    """
    chosen: list[str] = []
    if characters:
        _find_new_fonts()
        waiting, having = set(characters), _installed_with(characters)
        while waiting and having:
            name = min(having, key=lambda font: (-len(having[font] & waiting), font))
            if not having[name] & waiting:
                break
            chosen.append(name)
            waiting -= having[name]
    return chosen


def _installed_with(characters: Sequence[str]) -> dict[str, set[str]]:
    """Name of each installed font → those of the characters that it has."""
    having: dict[str, set[str]] = {}
    for name in {entry.name for entry in font_manager.fontManager.ttflist}:
        if "last resort" in name.lower() or name.startswith("."):
            continue  # its characters are boxes
        with suppress(OSError, RuntimeError):
            font = font_manager.get_font(font_manager.findfont(name))
            if has := {char for char in characters if font.get_char_index(ord(char))}:
                having[name] = has
    return having
