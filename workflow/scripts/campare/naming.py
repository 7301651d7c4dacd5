"""Order and abbreviation of the names of classes and augmentations in figures."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray


def ordered(names: Sequence[str]) -> list[int]:
    """The places of `names` in the order of figures, with numbers by value: 1, 2, 10.

    Names that are sorted as text (1, 10, 2), such as class folders, are reordered; others keep
    their order.
    """
    places = list(range(len(names)))
    if list(names) != sorted(names):
        return places
    return sorted(places, key=lambda place: _natural(names[place]))


def ranks(names: Sequence[str]) -> NDArray[np.intp]:
    """The rank of each of `names` in the order of `ordered`: intp (N,)."""
    return np.argsort(ordered(names))


def _natural(name: str) -> tuple[list[str | int], str]:
    """Sort key of a name with its numbers by value."""
    parts: list[str | int] = list(re.split("([0-9]+)", name))
    parts[1::2] = map(int, parts[1::2])
    return parts, name


def shortened(
    names: Iterable[str], room: float, width: Callable[[str], float] = len
) -> dict[str, str]:
    """Each name → itself or, if it is wider than `room`, an abbreviation that no other name has.

    Names are cut in the middle. If abbreviations are equal, the common beginning of the names is
    cut instead; abbreviations that are still equal are numbered. White space, including line ends,
    becomes single spaces.

    Parameters
    ----------
    width
        Function that returns the width of a text, in the unit of `room`.
    """
    plain = {name: " ".join(name.split()) for name in names}
    cut: dict[str, str] = {}
    waiting = [(list(dict.fromkeys(plain.values())), 0)]
    while waiting:
        group, start = waiting.pop()
        by_cut: dict[str, list[str]] = {}
        for text in group:
            by_cut.setdefault(_cut(text, start, room, width), []).append(text)
        for short, same in by_cut.items():
            columns = zip(*same, strict=False)
            begin = sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, columns))
            if len(same) > 1 and begin > start:
                waiting.append((same, begin))
            else:
                cut |= dict.fromkeys(same, short)
    shown: dict[str, str] = {}
    used: set[str] = set()
    for name, text in plain.items():
        short, number = cut[text], 2
        while short in used:
            end = f" ({number})"
            short, number = _cut(cut[text], 0, room - width(end), width) + end, number + 1
        shown[name] = short
        used.add(short)
    return shown


def isolated(text: str) -> str:
    """The text between Unicode isolates (FSI, PDI) if it has letters written from right to left.

    Without them, an Arabic or Hebrew name would change places with the words and numbers next to
    it, such as the other class of "true → predicted".
    """
    mixed = any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in text)
    return f"\u2068{text}\u2069" if mixed else text


def _cut(name: str, start: int, room: float, width: Callable[[str], float]) -> str:
    """A name from the place `start` on, cut in the middle if it is wider than `room`."""
    text, before = name[start:].lstrip(), "…" if start else ""
    if width(before + text) <= room:
        return before + text

    def kept(characters: int) -> str:
        head, tail = (characters + 1) // 2, characters // 2
        return f"{before}{text[:head].rstrip()}…{text[len(text) - tail :].lstrip()}"

    most = bisect_left(range(len(text)), True, key=lambda count: width(kept(count)) > room)
    return kept(max(most - 1, 0))
