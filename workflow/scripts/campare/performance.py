"""How right a classifier is: accuracy, and macro precision, recall and F1."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

ALL = "all"  # classes
SCORES = ("accuracy", "precision", "recall", "f1")


def confusion(labels: ArrayLike, predictions: ArrayLike, classes: int) -> NDArray[np.int64]:
    """Count the images of every class under every prediction.

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

    As scikit-learn's with `average="macro", zero_division=0`: the precision of a class that is
    never predicted and the recall of one without images count as 0; a class that is neither
    predicted nor there is left out of the means.

    Parameters
    ----------
    confusion
        Counts (K, K) as `confusion` gives them, of at least one image.

    Returns
    -------
    dict
        Of `SCORES`, each in [0, 1].
    """
    there, predicted, right = confusion.sum(1), confusion.sum(0), confusion.diagonal()
    seen = there + predicted > 0
    there, predicted, hits = there[seen], predicted[seen], right[seen]
    return {
        "accuracy": float(right.sum() / confusion.sum()),
        "precision": float(np.mean(hits / np.maximum(predicted, 1))),
        "recall": float(np.mean(hits / np.maximum(there, 1))),
        "f1": float(np.mean(2 * hits / (there + predicted))),
    }


def by_class(confusion: NDArray[np.int64], classes: Sequence[str]) -> pd.DataFrame:
    """Precision, recall and F1 of every class, as scikit-learn's `classification_report`.

    Parameters
    ----------
    confusion
        Counts (K, K) as `confusion` gives them.
    classes
        K names.

    Returns
    -------
    DataFrame
        class, precision, recall, f1 in [0, 1] (0 where a class is never predicted, or has no
        images), support (images of the class).
    """
    there, predicted, right = confusion.sum(1), confusion.sum(0), confusion.diagonal()
    return pd.DataFrame(
        {
            "class": list(classes),
            "precision": right / np.maximum(predicted, 1),
            "recall": right / np.maximum(there, 1),
            "f1": 2 * right / np.maximum(there + predicted, 1),
            "support": there,
        }
    )
