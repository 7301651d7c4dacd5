"""Tables of the stages beside the comparison of augmentations: other models, patches, chance.

All intervals are 95 % intervals over the test images, for the models as they are: they say nothing
of what another training would give.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from campare import naming, performance
from campare.statistics import QUANTILE
from campare.store import Store

ALL, SAME, DIFFERENT = "all", "same prediction", "different predictions"
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
Interval = tuple[float, float, float]
Z = float(special.ndtri(QUANTILE))


def mean_interval(values: ArrayLike) -> Interval:
    """Mean of the defined values and its interval by Student's t; NaN where there are too few."""
    from scipy.stats import t

    defined = np.asarray(values, np.float64)
    defined = defined[~np.isnan(defined)]
    n = len(defined)
    if n < 2:
        return (float(defined.mean()) if n else np.nan), np.nan, np.nan
    mean, half = defined.mean(), t.ppf(QUANTILE, n - 1) * defined.std(ddof=1) / np.sqrt(n)
    return float(mean), float(mean - half), float(mean + half)


def share_interval(hits: int, n: int) -> Interval:
    """A share and Wilson's interval (1927, equation 4), which stays inside [0, 1]."""
    share, centre = hits / n, (hits + Z**2 / 2) / (n + Z**2)
    half = Z / (n + Z**2) * np.sqrt(n * share * (1 - share) + Z**2 / 4)
    return share, float(centre - half), float(centre + half)


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
            columns = ("difference", "difference_low", "difference_high")
            row |= dict(zip(columns, mean_interval(gained), strict=True))
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


def first_of_each(labels: NDArray[np.int64], classes: Sequence[str]) -> NDArray[np.int64]:
    """The first row of every class that there is, in the order that figures have."""
    present, rows = np.unique(labels, return_index=True)
    ordered: NDArray[np.int64] = rows[np.argsort(naming.ranks(classes)[present])]
    return ordered


def confident_mistakes(store: Store, count: int) -> NDArray[np.int64]:
    """Rows of the images misclassified with the highest probability, highest first."""
    wrong = np.flatnonzero(store.predicted != store.label)
    # Probabilities near 1 round to the same number: by logits, −log p of the highest score.
    logit = store.logit[wrong].astype(np.float64)
    doubt = np.log(np.exp(logit - logit.max(axis=1, keepdims=True)).sum(axis=1))
    return wrong[np.argsort(doubt, kind="stable")[:count]]


def swapped(store: Store, partner: NDArray[np.int64]) -> Store:
    """The store with every image's map, scores and target taken from its partner's row."""
    return replace(
        store,
        maps=store.maps[partner],
        prediction=store.prediction[partner],
        logit=store.logit[partner],
        target=store.target[partner],
    )


def agreement(
    pairs: pd.DataFrame, chance: pd.DataFrame, metrics: Sequence[str], classes: Sequence[str]
) -> pd.DataFrame:
    """How alike two models' maps are, by class, and how alike those of two images would be.

    Parameters
    ----------
    pairs
        A similarity table of the two models.
    chance
        The same with the second model's map of another image of the same class; it has a row
        for every image that is not alone in its class.

    Returns
    -------
    DataFrame
        metric, class (`ALL`, `SAME` and `DIFFERENT` first), pairs, undefined (pairs without a
        value), mean, low, high; chance, chance_low, chance_high; difference, difference_low,
        difference_high, paired by image.
    """
    beside = chance.set_index("index")
    rows = []
    for metric in metrics:
        values = pairs[metric]
        other = beside[metric].reindex(pairs["index"]).reset_index(drop=True)
        for name, member in _groups(pairs, classes).items():
            compared = {
                "": values[member],
                "chance": other[member],
                "difference": (values - other)[member],
            }
            row = {
                "metric": metric,
                "class": name,
                "pairs": int(member.sum()),
                "undefined": int(values[member].isna().sum()),
            }
            for what, numbers in compared.items():
                row |= _named(what, mean_interval(numbers))
            rows.append(row)
    return pd.DataFrame(rows)


def _groups(pairs: pd.DataFrame, classes: Sequence[str]) -> dict[str, pd.Series]:
    """Which rows of a similarity table belong to what is averaged."""
    same = pairs["baseline_prediction"] == pairs["prediction"]
    groups = {ALL: pairs["label"] >= 0, SAME: same, DIFFERENT: ~same}
    return groups | {name: pairs["label"] == place for place, name in enumerate(classes)}


def occlusion(
    tables: Mapping[int, pd.DataFrame], metrics: Sequence[str], classes: Sequence[str]
) -> pd.DataFrame:
    """Accuracy and likeness to the map of the whole picture, by class and size of the patch.

    Parameters
    ----------
    tables
        Size in pixels → similarity table, the baseline being the pictures with nothing covered.

    Returns
    -------
    DataFrame
        size, class (`ALL` first), measure (accuracy or a metric), images, undefined, mean, low,
        high. Size 0 is the picture as it is: it has an accuracy, and no metric.
    """
    whole = next(iter(tables.values()))
    rows = []
    for size, table in {0: whole.assign(prediction=whole["baseline_prediction"]), **tables}.items():
        right = table["prediction"] == table["label"]
        members = {ALL: table["label"] >= 0} | {
            name: table["label"] == place for place, name in enumerate(classes)
        }
        for name, member in members.items():
            about = {"size": size, "class": name}
            n = int(member.sum())
            if n:
                interval = _named("", share_interval(int(right[member].sum()), n))
                rows.append(about | {"measure": "accuracy", "images": n, "undefined": 0} | interval)
            for metric in metrics if size else ():
                values = table.loc[member, metric]
                counts = {"images": n, "undefined": int(values.isna().sum())}
                interval = _named("", mean_interval(values))
                rows.append(about | {"measure": metric} | counts | interval)
    return pd.DataFrame(rows)


def _named(what: str, interval: Interval) -> dict[str, float]:
    """An interval as columns: mean, low, high, or <what>, <what>_low, <what>_high."""
    names = (what, f"{what}_low", f"{what}_high") if what else ("mean", "low", "high")
    return dict(zip(names, interval, strict=True))
