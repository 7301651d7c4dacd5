"""When, during training, the map shift of every augmentation appears (`cam.epochs`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from campare import controls, statistics
from campare.design import Model
from campare.statistics import ALPHA

Correct = Mapping[Model, NDArray[np.bool_]]
OF_SUMMARY = (
    *("accuracy_change", "accuracy_change_low", "accuracy_change_high", "accuracy_change_p_holm"),
    *("metric", "between", "within", "floor", "net", "tightening"),
    *("shift", "shift_low", "shift_high"),
)
COUNTS = ("models", "reference_models", "images")


def table(
    correct: Mapping[str, Correct],
    pairs: Mapping[str, Mapping[str, pd.DataFrame]],
    matched: Sequence[str],
    metric: str,
    seed: int,
) -> pd.DataFrame:
    """Accuracy and map shift of every augmentation after several epochs of training.

    Models of an epoch are compared with reference models of the same epoch and with the noise floor
    of that epoch, as in the summary (`controls.summary`). p-values are corrected over the
    augmentations of an epoch, not over epochs.

    Parameters
    ----------
    correct
        Epoch → model → bool (images,), whether its prediction is correct. The last epoch is that of
        the weights that training keeps.
    pairs
        Epoch → augmentation, control or "baseline" → its pairs as measure_pairs writes them.
    matched
        The step-matched controls.

    Returns
    -------
    DataFrame
        epoch, augmentation, reference; accuracy and reference_accuracy, each with _low and _high
        (95 %, over models and images); accuracy_change with _low, _high and _p_holm; metric,
        between, within, floor, net, tightening; shift and relative_shift (share of the noise floor
        of the epoch), each with _low and _high (90 %); shift_p_holm; models, reference_models,
        images.
    """
    parts = []
    for epoch, of_models in correct.items():
        models = list(of_models)
        changes = controls.accuracy_changes(of_models, matched, seed)
        shifts = controls.shifts(pairs[epoch], models, [metric], "", seed)
        found = controls.summary(changes, shifts, metric)
        part = found[["augmentation", "reference"]].copy()
        part.insert(0, "epoch", epoch)
        for column, arms in (
            ("accuracy", found["augmentation"]),
            ("reference_accuracy", found["reference"]),
        ):
            of_arms = {arm: _accuracy(of_models, arm, seed) for arm in dict.fromkeys(arms)}
            for place, name in enumerate((column, f"{column}_low", f"{column}_high")):
                part[name] = [of_arms[arm][place] for arm in arms]
        part[[*OF_SUMMARY]] = found[[*OF_SUMMARY]]
        for end in ("", "_low", "_high"):
            part[f"relative_shift{end}"] = found[f"shift{end}"] / found["floor"]
        part[["shift_p_holm", *COUNTS]] = found[["shift_p_holm", *COUNTS]]
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _accuracy(correct: Correct, arm: str, seed: int) -> statistics.Interval:
    """Mean accuracy of the models of an arm."""
    own = [values for (name, _), values in correct.items() if name == arm]
    return statistics.mean(np.stack(own), seed)


def onset(shifts: pd.DataFrame) -> pd.DataFrame:
    """The first epoch from which on an augmentation has an effect at every later epoch.

    An effect is a significant map shift, or a significant accuracy change. Requiring it at all
    later epochs of the table, that of the kept weights included, makes a chance result of a single
    epoch no onset. The true onset is between this epoch of the table and the one before.

    Parameters
    ----------
    shifts
        Result of `table`.

    Returns
    -------
    DataFrame
        augmentation, reference, metric; epochs (number), tested (number with a test of the shift);
        shift_from, accuracy_from: epoch, None if there is no significant effect at the end.
    """
    rows = []
    for name, group in shifts.groupby("augmentation", sort=False):
        shifted = (group["shift"] > 0) & (group["shift_p_holm"] <= ALPHA)
        changed = group["accuracy_change_p_holm"] <= ALPHA
        first = group.iloc[-1]
        rows.append(
            {"augmentation": name, "reference": first["reference"], "metric": first["metric"]}
            | {"epochs": len(group), "tested": int(group["shift_p_holm"].notna().sum())}
            | {"shift_from": _from(group["epoch"], shifted)}
            | {"accuracy_from": _from(group["epoch"], changed)}
        )
    return pd.DataFrame(rows)


def _from(epochs: pd.Series, effect: pd.Series) -> str | None:
    """The first epoch of the run of effects that lasts until the end."""
    none = np.flatnonzero(~effect.to_numpy(bool))
    start = none[-1] + 1 if len(none) else 0
    return str(epochs.iloc[start]) if start < len(epochs) else None
