"""Calibration of predicted probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from campare import statistics
from campare.design import BASELINE
from campare.registry import MATCHED
from campare.statistics import Interval
from campare.store import Store

BINS = 15
# Columns of `table`: measures of calibration.
MEASURES = ("confidence", "ece", "brier", "nll")


def expected_error(probabilities: ArrayLike, labels: ArrayLike, bins: int = BINS) -> float:
    """Expected calibration error: mean |accuracy − confidence| over bins of confidence.

    Bins are of equal width, (i/bins, (i + 1)/bins], and weighted by their number of images (Guo et
    al. 2017, equation 3, with 15 bins). Confidence is the probability of the predicted class.

    Parameters
    ----------
    probabilities
        float (n, classes).
    labels
        int (n,).
    """
    p, label = np.asarray(probabilities, np.float64), np.asarray(labels)
    confidence = p.max(axis=1)
    correct = p.argmax(axis=1) == label
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gaps = np.bincount(place, weights=correct - confidence, minlength=bins)
    return float(np.abs(gaps).sum() / len(p))


def brier(probabilities: ArrayLike, labels: ArrayLike) -> NDArray[np.float64]:
    """Squared distance of the probabilities from the one-hot label, 0 to 2 (Brier 1950): (n,)."""
    p, label = np.asarray(probabilities, np.float64), np.asarray(labels)
    chosen = p[np.arange(len(p)), label]
    return np.asarray((p**2).sum(axis=1) - 2 * chosen + 1)


def log_loss(logits: ArrayLike, labels: ArrayLike) -> NDArray[np.float64]:
    """Negative log probability of the label, nats: (n,)."""
    z, label = np.asarray(logits, np.float64), np.asarray(labels)
    z = z - z.max(axis=1, keepdims=True)
    return np.asarray(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(z)), label])


def of_model(scores: Store) -> dict[str, float]:
    """Accuracy and calibration of a network on its test images."""
    return {
        "accuracy": float((scores.predicted == scores.label).mean()),
        "confidence": float(scores.prediction.max(axis=1).astype(np.float64).mean()),
        "ece": expected_error(scores.prediction, scores.label),
        "brier": float(brier(scores.prediction, scores.label).mean()),
        "nll": float(log_loss(scores.logit, scores.label).mean()),
    }


def table(rows: dict[tuple[str, int], dict[str, float]]) -> pd.DataFrame:
    """augmentation, seed, accuracy, confidence, ece, brier, nll; a row per model."""
    return pd.DataFrame(
        [{"augmentation": name, "seed": seed} | values for (name, seed), values in rows.items()]
    )


def changes(models: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Difference in calibration between the models of every arm and the baselines.

    If an arm has the seeds of the baselines, models of one seed are paired in the interval, and
    also in the test if there are enough seeds (`statistics.enough_pairs`).

    Parameters
    ----------
    models
        Result of `table`; baselines are among the models.

    Returns
    -------
    DataFrame
        measure, augmentation; mean, baseline (means over models); change with its ends _low and
        _high (95 % by Student's t over models; Welch's if unpaired, NaN for a single model), _p
        (`statistics.difference_test`) and _p_holm (over the augmentations of a measure;
        step-matched controls are a family of their own); note (why there is none); models,
        baselines (numbers).
    """
    arms = {name: arm.set_index("seed") for name, arm in models.groupby("augmentation", sort=False)}
    others = arms.pop(BASELINE)
    rows: list[dict[str, Any]] = []
    for measure in MEASURES:
        for matched in (False, True):
            family = [name for name in arms if (name in MATCHED) == matched]
            start, tests = len(rows), []
            for name in family:
                paired = set(arms[name].index) == set(others.index)
                base = others.reindex(arms[name].index) if paired else others
                a, b = (arm[measure].to_numpy(np.float64) for arm in (arms[name], base))
                swapped = paired and statistics.enough_pairs(len(a), len(family))
                tests.append(statistics.difference_test(a, b, seed, paired=swapped))
                rows.append(
                    {"measure": measure, "augmentation": name}
                    | {"mean": a.mean(), "baseline": b.mean()}
                    | _difference(a, b, paired=paired).columns("change")
                    | {"change_p": tests[-1].p, "models": len(a), "baselines": len(b)}
                )
            for row, test in zip(rows[start:], statistics.corrected(tests), strict=True):
                row |= {"change_p_holm": test.p, "note": test.words}
    columns = ["measure", "augmentation", "mean", "baseline", "change", "change_low", "change_high"]
    columns += ["change_p", "change_p_holm", "note", "models", "baselines"]
    return pd.DataFrame(rows, columns=columns)


def _difference(a: NDArray[np.float64], b: NDArray[np.float64], *, paired: bool) -> Interval:
    """Mean of `a` less mean of `b`, with its 95 % interval by Student's t over models."""
    from scipy import stats

    change = float(a.mean() - b.mean())
    if min(len(a), len(b)) < 2:
        return Interval(change, np.nan, np.nan)
    test = stats.ttest_rel(a, b) if paired else stats.ttest_ind(a, b, equal_var=False)
    low, high = test.confidence_interval(statistics.LEVEL)
    return Interval(change, float(low), float(high))
