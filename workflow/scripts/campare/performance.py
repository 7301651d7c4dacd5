"""Scores of a classifier: accuracy, and macro-averaged precision, recall and F1."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

ALL = "all"  # classes
SCORES = ("accuracy", "precision", "recall", "f1")
# Classes are unequal if the largest has more than this many times the images of the smallest.
UNEQUAL = 1.5


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


def unequal(images: ArrayLike) -> bool:
    """Whether classes are unequal (`UNEQUAL`); images: number of each class (K,), zeros left out.

    Then accuracy is mostly that of the large classes, and is reported with balanced accuracy.
    """
    numbers = np.asarray(images)
    numbers = numbers[numbers > 0]
    return bool(numbers.size and numbers.max() > UNEQUAL * numbers.min())


def balanced(correct: NDArray[np.bool_], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """A value per image (N,) whose mean is the balanced accuracy, the mean recall of the classes.

    N/(K n) for a correct prediction and 0 for an incorrect one, if n of the N images are of the
    image's class, and K classes have images (as scikit-learn's `balanced_accuracy_score`).
    """
    numbers = np.bincount(labels)
    weights = len(labels) / ((numbers > 0).sum() * numbers[labels])
    return np.asarray(correct * weights)


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
