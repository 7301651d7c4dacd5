"""Scores of a classifier: accuracy, and macro-averaged precision, recall and F1."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

ALL = "all"  # classes
SCORES = ("accuracy", "precision", "recall", "f1")


def confusion(labels: ArrayLike, predictions: ArrayLike, classes: int) -> NDArray[np.int64]:
    """Confusion matrix: number of images of every class with every prediction.

    Parameters
    ----------
    labels, predictions
        Integers (N,) in [0, classes).

    Returns
    -------
    int64 (classes, classes): row = label, column = prediction.
    """
    cells = np.asarray(labels, np.int64) * classes + np.asarray(predictions, np.int64)
    return np.bincount(cells, minlength=classes**2).reshape(classes, classes)


def scores(confusion: NDArray[np.int64]) -> dict[str, float]:
    """Accuracy, and precision, recall and F1 averaged over the classes with equal weight.

    As in scikit-learn with `average="macro", zero_division=0`: the precision of a class that is
    never predicted, and the recall of a class without images, are 0; a class that is neither
    predicted nor has images is left out of the means.

    Parameters
    ----------
    confusion
        Result of `confusion`, (K, K), of at least one image.

    Returns
    -------
    dict
        Score of `SCORES` → value in [0, 1].
    """
    support, predicted, correct = confusion.sum(1), confusion.sum(0), confusion.diagonal()
    present = support + predicted > 0
    support, predicted, hits = support[present], predicted[present], correct[present]
    return {
        "accuracy": float(correct.sum() / confusion.sum()),
        "precision": float(np.mean(hits / np.maximum(predicted, 1))),
        "recall": float(np.mean(hits / np.maximum(support, 1))),
        "f1": float(np.mean(2 * hits / (support + predicted))),
    }


def by_class(confusion: NDArray[np.int64], classes: Sequence[str]) -> pd.DataFrame:
    """Precision, recall and F1 of every class, as in scikit-learn's `classification_report`.

    Parameters
    ----------
    confusion
        Result of `confusion`, (K, K).
    classes
        K names.

    Returns
    -------
    DataFrame
        class, precision, recall, f1 in [0, 1] (0 if a class is never predicted, or has no images),
        support (number of images of the class).
    """
    support, predicted, correct = confusion.sum(1), confusion.sum(0), confusion.diagonal()
    return pd.DataFrame(
        {
            "class": list(classes),
            "precision": correct / np.maximum(predicted, 1),
            "recall": correct / np.maximum(support, 1),
            "f1": 2 * correct / np.maximum(support + predicted, 1),
            "support": support,
        }
    )
