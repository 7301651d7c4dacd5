"""Scores are scikit-learn's, also for classes that are absent or never predicted."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support

from campare import performance


def expected(labels: list[int], predictions: list[int]) -> dict[str, float]:
    precision, recall, f1, _ = precision_recall_fscore_support(
        labels, predictions, average="macro", zero_division=0
    )
    accuracy = accuracy_score(labels, predictions)
    return {"accuracy": accuracy, "precision": precision, "recall": recall, "f1": f1}


CASES = {
    "all right": ([0, 1, 2, 3], [0, 1, 2, 3]),
    "all wrong": ([0, 1, 2, 3], [1, 2, 3, 0]),
    "one class predicted for all": ([0, 1, 2, 3], [2, 2, 2, 2]),
    "class 1 never predicted": ([0, 1, 2, 3, 1], [0, 2, 2, 3, 0]),
    "class 1 without images": ([0, 2, 2, 3], [0, 1, 2, 3]),
    "class 1 nowhere": ([0, 2, 2, 3], [0, 3, 2, 3]),
    "one image": ([3], [1]),
}


@pytest.mark.parametrize(("labels", "predictions"), CASES.values(), ids=CASES.keys())
def test_scores_of_degenerate_predictions_are_scikit_learns(
    labels: list[int], predictions: list[int]
) -> None:
    found = performance.scores(performance.confusion(labels, predictions, 4))
    assert found == pytest.approx(expected(labels, predictions), abs=1e-15)


@pytest.mark.parametrize("classes", [2, 5, 40])
def test_scores_of_random_predictions_are_scikit_learns(classes: int) -> None:
    random = np.random.default_rng(classes)
    for images in (1, 3, 30, 1000):
        labels = random.integers(0, classes, images)
        predictions = np.where(random.random(images) < 0.5, labels, random.integers(classes))
        found = performance.scores(performance.confusion(labels, predictions, classes))
        assert found == pytest.approx(expected(labels, predictions), abs=1e-14)
        assert tuple(found) == performance.SCORES


def test_confusion_has_labels_in_rows_and_predictions_in_columns() -> None:
    labels, predictions = [0, 0, 2, 1, 2], [0, 1, 0, 1, 2]
    found = performance.confusion(labels, predictions, 3)
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, confusion_matrix(labels, predictions, labels=range(3)))
    assert found[0, 1] == 1
    assert found[1, 0] == 0
