"""Two ways to do the same work, timed in turns, and how much faster one is than the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

Work = Callable[[], float]  # does some of the work; items, or items a second where it says so


@dataclass(frozen=True)
class Row:
    """How much better campare is than what it is compared with.

    ratio: median over `n` rounds; low, high: the least and the greatest of them. goal: the ratio
    to reach. ours, theirs: median rates in `unit`, on this machine.
    """

    name: str
    ratio: float
    low: float
    high: float
    goal: float | None
    unit: str
    n: int
    ours: float
    theirs: float


def timed(work: Work) -> Work:
    """Items a second of something that returns how many items it did."""

    def rate() -> float:
        start = time.perf_counter()
        items = work()
        return items / (time.perf_counter() - start)

    return rate


def interleaved(sides: Mapping[str, Work], rounds: int) -> dict[str, np.ndarray]:
    """Rates of every side, (rounds,) each.

    A first round warms up and does not count. Each round runs all sides once, every other round in
    the opposite order, so that what else the machine does meets all of them alike.
    """
    rates: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(1 + rounds):
        for name in list(sides)[:: 1 if turn % 2 else -1]:
            rates[name].append(sides[name]())
    return {name: np.array(found[1:]) for name, found in rates.items()}


def row(
    name: str,
    rates: Mapping[str, np.ndarray],
    ours: str,
    theirs: str,
    goal: float | None,
    unit: str,
) -> Row:
    """Two of the sides compared, round by round."""
    ratios = rates[ours] / rates[theirs]
    return Row(
        name,
        float(np.median(ratios)),
        float(ratios.min()),
        float(ratios.max()),
        goal,
        unit,
        len(ratios),
        float(np.median(rates[ours])),
        float(np.median(rates[theirs])),
    )
