"""The map shift between networks of equal validation accuracy, by epochs of training.

Every augmented network, with the weights that training keeps, is compared with the reference
networks after the epoch in which their validation accuracy is closest to its own, if the difference
is half a percentage point at most. Two reference networks that are matched to the same augmented
network give its noise floor. Accuracy is that of the validation images, so that epochs are not
chosen by the images whose maps are compared.

Unlike the regression of `equal_accuracy`, this needs no model of how accuracy acts on maps. It
compares a finished network with an unfinished one, so that what changes maps during training
besides accuracy becomes part of the shift.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import special

from campare import statistics
from campare.design import Model
from campare.equal_accuracy import CLOSE

# A network after an epoch: (augmentation, seed), name of the epoch.
State = tuple[Model, str]
Accuracies = Mapping[State, float]


class Matches(NamedTuple):
    """Augmented network → its matched reference networks, each after an epoch; and the arm."""

    of: dict[Model, list[State]]
    kept: str

    def pairs(self) -> list[tuple[State, State]]:
        """The pairs of states whose maps are compared, each once."""
        found: list[tuple[State, State]] = []
        for model, states in self.of.items():
            found += [(state, (model, self.kept)) for state in states]
            found += [(a, b) for place, a in enumerate(states) for b in states[place + 1 :]]
        models = list(self.of)
        for place, model in enumerate(models):
            found += [((model, self.kept), (m, self.kept)) for m in models[place + 1 :]]
        return list(dict.fromkeys(found))


def match(
    augmented: Sequence[Model],
    references: Sequence[Model],
    accuracies: Accuracies,
    kept: str,
    independent: Callable[[tuple[Model, Model]], bool],
) -> Matches:
    """The epoch of every reference network that matches every augmented network in accuracy.

    Of equally close epochs the last one is taken; `accuracies` are in the order of training, the
    kept weights last.

    Parameters
    ----------
    accuracies
        Validation accuracy of every network after every epoch with maps, and of the kept weights.
    kept
        Name of the epoch of the kept weights.
    independent
        Whether two networks share no seed.
    """
    matches: dict[Model, list[State]] = {}
    for model in augmented:
        own = accuracies[model, kept]
        matches[model] = []
        for reference in references:
            if not independent((reference, model)):
                continue
            gaps = {state: abs(a - own) for state, a in accuracies.items() if state[0] == reference}
            closest = min(reversed(gaps), key=lambda state: round(gaps[state], 9))
            if gaps[closest] <= CLOSE + 1e-9:
                matches[model].append(closest)
    return Matches(matches, kept)


def shift(matches: Matches, distances: Mapping[tuple[State, State], float]) -> dict[str, float]:
    """Mean distances, and the map shift with its 90 % interval.

    The shift is the mean over augmented networks with two or more matched reference networks of
    AB − BB/2, minus AA/2. The interval is t·SE with a jackknife over the networks of both arms.

    Returns
    -------
    dict
        between, within, floor, shift, shift_low, shift_high; NaN if they are not defined.
    """

    def estimate(without: Model | None) -> tuple[float, float, float]:
        between: list[float] = []
        floor: list[float] = []
        for model, states in matches.of.items():
            used = [state for state in states if state[0] != without]
            if model == without or len(used) < 2:
                continue
            between.append(_mean([distances[s, (model, matches.kept)] for s in used]))
            pairs = [(a, b) for place, a in enumerate(used) for b in used[place + 1 :]]
            floor.append(_mean([distances[pair] for pair in pairs]))
        models = [model for model in matches.of if model != without]
        within = [
            distances[(a, matches.kept), (b, matches.kept)]
            for place, a in enumerate(models)
            for b in models[place + 1 :]
        ]
        return _mean(floor), _mean(between), _mean(within)

    def contrast(means: tuple[float, float, float]) -> float:
        floor, between, within = means
        return between - (floor + within) / 2

    means = estimate(None)
    references = dict.fromkeys(state[0] for states in matches.of.values() for state in states)
    parts = []
    for arm in (list(matches.of), list(references)):
        without = np.array([contrast(estimate(model)) for model in arm])
        without = without[~np.isnan(without)]
        if len(without) > 2:
            parts.append((float((len(without) - 1) * without.var()), len(without)))
    reach = np.nan
    if len(parts) == 2:
        freedom = statistics.satterthwaite(parts)
        t = special.stdtrit(freedom, 1 - statistics.ALPHA)
        reach = float(t * np.sqrt(sum(part for part, _ in parts)))
    floor, between, within = means
    value = contrast(means)
    return {
        **{"between": between, "within": within, "floor": floor, "shift": value},
        **{"shift_low": value - reach, "shift_high": value + reach},
    }


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else np.nan


def table(
    arms: Mapping[str, Matches],
    references: Mapping[str, str],
    accuracies: Accuracies,
    distances: Mapping[tuple[State, State], float],
    metric: str,
) -> pd.DataFrame:
    """The map shift of every augmentation between networks matched in validation accuracy.

    Parameters
    ----------
    arms
        Augmentation → its matches.
    references
        Augmentation → the kind of its reference networks.

    Returns
    -------
    DataFrame
        augmentation, reference, metric; models, matched_models (with two or more matched reference
        networks), matched_pairs; accuracy_gap (mean difference of the validation accuracies of
        matched pairs, augmented minus reference); epochs (of the matched reference networks, with
        their numbers of pairs); between, within, floor, shift, shift_low, shift_high,
        relative_shift.
    """
    rows: list[dict[str, Any]] = []
    for name, matches in arms.items():
        pairs = [(m, s) for m, states in matches.of.items() for s in states]
        gaps = [accuracies[m, matches.kept] - accuracies[s] for m, s in pairs]
        order = dict.fromkeys(epoch for _, epoch in accuracies)
        counts = {epoch: sum(s[1] == epoch for _, s in pairs) for epoch in order}
        found = shift(matches, distances)
        floor = found["floor"]
        rows.append(
            {"augmentation": name, "reference": references[name], "metric": metric}
            | {"models": len(matches.of)}
            | {"matched_models": sum(len(states) > 1 for states in matches.of.values())}
            | {
                "matched_pairs": len(pairs),
                "accuracy_gap": float(np.mean(gaps)) if gaps else np.nan,
            }
            | {"epochs": "; ".join(f"{epoch}: {n}" for epoch, n in counts.items() if n)}
            | found
            | {"relative_shift": found["shift"] / floor if floor > 0 else np.nan}
        )
    return pd.DataFrame(rows)
