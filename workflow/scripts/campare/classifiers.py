"""Scores of several classifiers on the same images: networks and SVMs.

All intervals are 95 % intervals over test images for the given networks; they do not include
retraining variability.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from campare import performance
from campare.statistics import mean_interval, share_interval


def scores(
    predictions: Mapping[str, pd.DataFrame], classes: int, reference: str | None
) -> pd.DataFrame:
    """Scores of several models on the same images, and differences from one of them.

    Parameters
    ----------
    predictions
        Name → table of index, label, prediction, with the same images in each.
    reference
        The model with which the others are compared, image by image; None: no comparison.

    Returns
    -------
    DataFrame
        model, accuracy, low, high (Wilson's interval), precision, recall, f1 (macro), images;
        difference, difference_low, difference_high: accuracy minus that of the reference, with
        Student's t interval over images.
    """
    rows = []
    correct = {
        name: (table["prediction"] == table["label"]).to_numpy()
        for name, table in predictions.items()
    }
    for name, table in predictions.items():
        counts = performance.confusion(table["label"], table["prediction"], classes)
        averages = performance.scores(counts)
        _, low, high = share_interval(int(correct[name].sum()), len(table))
        row = {
            "model": name,
            "accuracy": averages.pop("accuracy"),
            "low": low,
            "high": high,
            **averages,
        }
        row["images"] = len(table)
        if reference is not None:
            gains = correct[name].astype(float) - correct[reference]
            row |= mean_interval(gains).columns("difference")
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
