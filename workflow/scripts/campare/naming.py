"""Names that users give to classes and augmentations, as figures show them: ordered, and cut."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray


def ordered(names: Sequence[str]) -> list[int]:
    """The places of `names` in the order that figures have: 1, 2, 10, where text is 1, 10, 2.

    Only names that are sorted as text, as those of class folders are, get another order.
    """
    places = list(range(len(names)))
    if list(names) != sorted(names):
        return places
    return sorted(places, key=lambda place: _natural(names[place]))


def ranks(names: Sequence[str]) -> NDArray[np.intp]:
    """Where each of `names` comes in that order: intp (N,)."""
    return np.argsort(ordered(names))


def _natural(name: str) -> tuple[list[str | int], str]:
    """Sorts numbers in a name by their value."""
    parts: list[str | int] = list(re.split("([0-9]+)", name))
    parts[1::2] = map(int, parts[1::2])
    return parts, name


def shortened(
    names: Iterable[str], room: float, width: Callable[[str], float] = len
) -> dict[str, str]:
    """Each name → itself, or where it is wider than `room` a cut form that no other name has.

    Names are cut in the middle. Those that are alike then lose what they begin with in common,
    and what is still alike is numbered. White space, line ends too, becomes single spaces.

    Parameters
    ----------
    width
        Of a text, in the unit of `room`.
    """
    plain = {name: " ".join(name.split()) for name in names}
    cut: dict[str, str] = {}
    waiting = [(list(dict.fromkeys(plain.values())), 0)]
    while waiting:
        group, start = waiting.pop()
        alike: dict[str, list[str]] = {}
        for text in group:
            alike.setdefault(_cut(text, start, room, width), []).append(text)
        for short, same in alike.items():
            columns = zip(*same, strict=False)
            begin = sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, columns))
            if len(same) > 1 and begin > start:
                waiting.append((same, begin))
            else:
                cut |= dict.fromkeys(same, short)
    shown: dict[str, str] = {}
    taken: set[str] = set()
    for name, text in plain.items():
        short, number = cut[text], 2
        while short in taken:
            end = f" ({number})"
            short, number = _cut(cut[text], 0, room - width(end), width) + end, number + 1
        shown[name] = short
        taken.add(short)
    return shown


def _cut(name: str, start: int, room: float, width: Callable[[str], float]) -> str:
    """A name from a place on, without its middle where that is too wide."""
    text, before = name[start:].lstrip(), "…" if start else ""
    if width(before + text) <= room:
        return before + text

    def kept(characters: int) -> str:
        head, tail = (characters + 1) // 2, characters // 2
        return f"{before}{text[:head].rstrip()}…{text[len(text) - tail :].lstrip()}"

    most = bisect_left(range(len(text)), True, key=lambda count: width(kept(count)) > room)
    return kept(max(most - 1, 0))
