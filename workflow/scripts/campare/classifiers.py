"""Scores of several classifiers on the same images: networks and SVMs.

All intervals are over the test images, for these networks: they do not cover retraining.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from campare import performance
from campare.statistics import mean_interval, share_interval

# What figures call the models of these stages.
NAMES = {
    "cnn": "CNN",
    "network": "Deeper CNN",
    "cnn-svm": "CNN+SVM",
    "unmasked": "SVM, all pixels",
    "masked": "SVM+Mask",
    "mask-same-class": "SVM, mask of another image taken for the same class",
    "mask-any-class": "SVM, mask of another image of any class",
    "mask-alone": "SVM, the mask alone",
}


def scores(
    predictions: Mapping[str, pd.DataFrame], classes: int, reference: str | None
) -> pd.DataFrame:
    """How right several models are on the same images, and how much more than one of them.

    Parameters
    ----------
    predictions
        Name → index, label, prediction: the same images in each.
    reference
        The model the others are compared with, image by image; None for no comparison.

    Returns
    -------
    DataFrame
        model, accuracy, low, high, precision, recall, f1 (macro), images; then difference,
        difference_low, difference_high in accuracy from the reference, paired.
    """
    rows = []
    right = {
        name: (table["prediction"] == table["label"]).to_numpy()
        for name, table in predictions.items()
    }
    for name, table in predictions.items():
        counts = performance.confusion(table["label"], table["prediction"], classes)
        averages = performance.scores(counts)
        _, low, high = share_interval(int(right[name].sum()), len(table))
        row = {
            "model": name,
            "accuracy": averages.pop("accuracy"),
            "low": low,
            "high": high,
            **averages,
        }
        row["images"] = len(table)
        if reference is not None:
            gained = right[name].astype(float) - right[reference]
            row |= mean_interval(gained).columns("difference")
        rows.append(row)
    return pd.DataFrame(rows)


def class_scores(predictions: Mapping[str, pd.DataFrame], classes: Sequence[str]) -> pd.DataFrame:
    """Precision, recall, F1 and support of every class under every model."""
    parts = []
    for name, table in predictions.items():
        counts = performance.confusion(table["label"], table["prediction"], len(classes))
        parts.append(performance.by_class(counts, classes).assign(model=name))
    table = pd.concat(parts, ignore_index=True)
    return table[["model", *table.columns.drop("model")]]
