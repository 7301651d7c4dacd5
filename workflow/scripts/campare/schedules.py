"""The learning rate of each step: torch's schedules in closed form, with the same rates.

torch computes some of them by recursion, whose rounding errors add up; differences are below
1e-12 of the rate.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from campare import recipes
from campare.settings import Settings

# `OneCycleLR`'s defaults: share of the steps in which the rate rises; the highest rate by the
# first; the first by the last.
RISING = 0.3
FIRST = 25.0
LAST = 1e4


@dataclass(frozen=True)
class Schedule:
    """Learning rates by step.

    Attributes
    ----------
    name
        "constant": the rate itself. "linear", "cosine": from the rate to 0, in a straight line or
        along half a cosine. "steps": the rate, multiplied by `decay` at each milestone.
        "one_cycle": from 1/25 of the rate to the rate and to 1/250,000 of it, along half a cosine
        each; the momentum does not change.
    steps
        Number of steps of the training.
    warmup
        The first steps, in which the rate rises linearly: rate · 1/warmup, rate · 2/warmup, …;
        "linear" and "cosine" take the other steps. "one_cycle": steps in which the rate rises.
    milestones
        Steps, counted from the beginning.
    """

    name: str
    steps: int
    warmup: float
    milestones: Sequence[float] = ()
    decay: float = 0.1

    @classmethod
    def of(cls, settings: Settings, steps_per_epoch: int) -> Schedule:
        """The schedule of a training, whose settings are in epochs."""
        total = settings.epochs * steps_per_epoch
        if settings.schedule == "one_cycle":
            rising = RISING if settings.warmup is None else settings.warmup / settings.epochs
            warmup: float = rising * total
        else:
            warmup = round((settings.warmup or 0) * steps_per_epoch)
        milestones = [epoch * steps_per_epoch for epoch in settings.milestones]
        return cls(settings.schedule, total, warmup, milestones, settings.decay)

    @property
    def changes(self) -> bool:
        """Whether the rate changes."""
        return recipes.changes_rate(self.name, self.warmup)

    def rate(self, highest: float, step: int) -> float:
        """The rate of a step, 0 for the first, if the highest one is `highest`."""
        if self.name == "one_cycle":
            return self._one_cycle(highest, step)
        if step < self.warmup:
            return highest * (step + 1) / self.warmup
        if self.name in ("linear", "cosine"):
            share = (step - self.warmup) / (self.steps - self.warmup)
            if self.name == "linear":
                return highest * (1 - share)
            return highest * (1 + math.cos(math.pi * share)) / 2
        for milestone in self.milestones:
            if step >= milestone:
                highest *= self.decay
        return highest

    def _one_cycle(self, highest: float, step: int) -> float:
        first, top, end = highest / FIRST, self.warmup - 1, self.steps - 1
        if step == top:
            return highest
        if step < top:
            return _between(first, highest, step / top)
        return _between(highest, first / LAST, (step - top) / (end - top))


def _between(start: float, end: float, share: float) -> float:
    """From start to end along half a cosine."""
    return end + (start - end) / 2.0 * (math.cos(math.pi * share) + 1)
