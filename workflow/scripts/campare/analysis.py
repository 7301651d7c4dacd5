"""From similarity tables to what the study says (thesis, chapters 4 and 5, appendices A and C).

Tables are tidy; augmentations and metrics keep the order in which they come in. Throughout, NaN is
a metric that is undefined for a pair of maps: it is left out of every mean, and counted. `std` is
the sample standard deviation (n − 1), NaN for a single value, except where `extremes` says
otherwise. Correlations compare by their signed value: the weakest is the lowest.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from campare import performance

Model = tuple[str, int]

SEGMENTS = ("both_right", "only_baseline_right", "only_augmented_right", "both_wrong")


def performances(models: Sequence[Model], confusions: Sequence[NDArray[np.int64]]) -> pd.DataFrame:
    """The scores of every model.

    Parameters
    ----------
    models, confusions
        (augmentation, seed) and counts (K, K) of each, from `performance.confusion`.

    Returns
    -------
    DataFrame
        augmentation, seed, accuracy, precision, recall, f1, images.
    """
    return pd.DataFrame(
        {"augmentation": augmentation, "seed": seed}
        | performance.scores(confusion)
        | {"images": confusion.sum()}
        for (augmentation, seed), confusion in zip(models, confusions, strict=True)
    )


def performance_summary(models: pd.DataFrame) -> pd.DataFrame:
    """Each score averaged over seeds.

    Parameters
    ----------
    models
        What `performances` gives.

    Returns
    -------
    DataFrame
        augmentation, score, mean, std, seeds.
    """
    return pd.DataFrame(
        [
            (augmentation, score, group[score].mean(), group[score].std(), len(group))
            for augmentation, group in models.groupby("augmentation", sort=False)
            for score in performance.SCORES
        ],
        columns=["augmentation", "score", "mean", "std", "seeds"],
    )


def confusions(
    models: Sequence[Model], confusions: Sequence[NDArray[np.int64]], classes: Sequence[str]
) -> pd.DataFrame:
    """Confusion matrices, summed over seeds.

    Returns
    -------
    DataFrame
        augmentation, label, prediction (names of the classes), images: a row for every cell.
    """
    totals: dict[str, NDArray[np.int64]] = {}
    for (augmentation, _), confusion in zip(models, confusions, strict=True):
        totals[augmentation] = totals.get(augmentation, np.zeros_like(confusion)) + confusion
    return pd.DataFrame(
        [
            (augmentation, label, prediction, images)
            for augmentation, total in totals.items()
            for label, row in zip(classes, total, strict=True)
            for prediction, images in zip(classes, row, strict=True)
        ],
        columns=["augmentation", "label", "prediction", "images"],
    )


def aggregate(models: Sequence[Model], tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Mean over seeds of every metric, per augmentation and image (thesis, chapter 4, step 12).

    An image's mean is over the seeds for which the metric is defined, NaN where it is for none.

    Parameters
    ----------
    models, tables
        (augmentation, seed) and similarity table of each.

    Returns
    -------
    DataFrame
        index, label, augmentation, then the metrics and what is recorded beside them.
    """
    image = ["index", "label", "augmentation"]
    rows = _pool(models, tables).drop(columns=["baseline_prediction", "prediction"])
    means = rows.groupby(image[::-1], sort=False).mean().reset_index()
    return means[image + [name for name in means if name not in image]]


def distribution(aggregate: pd.DataFrame) -> pd.DataFrame:
    """How a metric is spread over the test images: the numbers behind the boxplots.

    Returns
    -------
    DataFrame
        metric (or what is recorded beside it, such as overlap_20_area), augmentation, images
        (with or without a value), undefined (images without), mean, std, minimum, q1, median,
        q3, maximum. Quartiles are interpolated linearly.
    """
    return pd.DataFrame(
        {"metric": metric, "augmentation": augmentation} | _describe(group[metric], "images")
        for metric in aggregate.columns.drop(["index", "label", "augmentation"])
        for augmentation, group in aggregate.groupby("augmentation", sort=False)
    )


def correlation(aggregate: pd.DataFrame, metrics: Sequence[str]) -> pd.DataFrame:
    """How a metric goes together in two augmentations: Pearson over the test images.

    Over the images for which both are defined; NaN for fewer than two, or a constant.

    Returns
    -------
    DataFrame
        metric, augmentation_a, augmentation_b, pearson, images: every ordered pair, each
        augmentation with itself as well.
    """
    images = {
        augmentation: group.set_index("index")
        for augmentation, group in aggregate.groupby("augmentation", sort=False)
    }
    rows = []
    for metric in metrics:
        values = pd.DataFrame({name: group[metric] for name, group in images.items()})
        rows += [(metric, a, b, *_pearson(values[a], values[b])) for a in values for b in values]
    return pd.DataFrame(
        rows, columns=["metric", "augmentation_a", "augmentation_b", "pearson", "images"]
    )


def top_pairs(correlation: pd.DataFrame, top: int, *, strongest: bool) -> pd.DataFrame:
    """How often a pair of augmentations is among the most (least) correlated (tables 5.1, 5.2).

    From each metric the `top` pairs of highest (lowest) correlation are taken, all of them where
    there are fewer, none whose correlation is undefined. Between equal correlations the pair
    that comes first in the study goes first, and so it does between equal counts.

    Parameters
    ----------
    correlation
        What the function of that name gives.

    Returns
    -------
    DataFrame
        augmentation_a, augmentation_b, count, metrics (names joined by ", "), most counted first;
        pairs that are never counted are left out.
    """
    order = list(combinations(dict.fromkeys(correlation["augmentation_a"]), 2))
    counted: dict[tuple[str, str], list[str]] = {pair: [] for pair in order}
    for metric, rows in correlation.groupby("metric", sort=False):
        pairs = zip(rows["augmentation_a"], rows["augmentation_b"], strict=True)
        values = dict(zip(pairs, rows["pearson"], strict=True))
        defined = [pair for pair in order if not np.isnan(values[pair])]
        defined.sort(key=values.__getitem__, reverse=strongest)
        for pair in defined[:top]:
            counted[pair].append(str(metric))
    found = sorted(
        ((*pair, len(metrics), ", ".join(metrics)) for pair, metrics in counted.items() if metrics),
        key=lambda row: -row[2],
    )
    return pd.DataFrame(found, columns=["augmentation_a", "augmentation_b", "count", "metrics"])


def extremes(aggregate: pd.DataFrame, metrics: Sequence[str]) -> pd.DataFrame:
    """The test image whose values stand out most (thesis, appendix A).

    For every metric, the image with the highest mean and the one with the highest standard
    deviation over the augmentations for which it is defined; the deviation is the population's
    (n), so that one augmentation has one. The first of equals; the first image, with the value
    NaN, where the metric is defined for none.

    Returns
    -------
    DataFrame
        metric, statistic (mean or std), index, value.
    """
    rows = []
    for metric in metrics:
        groups = aggregate.groupby("index", sort=False)[metric]
        for statistic, values in (("mean", groups.mean()), ("std", groups.std(ddof=0))):
            place = int(values.fillna(-np.inf).argmax())
            rows.append((metric, statistic, values.index[place], values.iloc[place]))
    return pd.DataFrame(rows, columns=["metric", "statistic", "index", "value"])


def segment(table: pd.DataFrame) -> NDArray[np.str_]:
    """Who is right about the image of each row of a similarity table: names of `SEGMENTS`."""
    label = table["label"].to_numpy()
    baseline = table["baseline_prediction"].to_numpy() == label
    augmented = table["prediction"].to_numpy() == label
    names: NDArray[np.str_] = np.array(SEGMENTS)[2 * ~baseline + ~augmented]
    return names


def segments(
    models: Sequence[Model], tables: Sequence[pd.DataFrame], metrics: Sequence[str]
) -> pd.DataFrame:
    """Each metric by who is right (thesis, appendix C), the seeds of an augmentation pooled.

    Returns
    -------
    DataFrame
        metric, augmentation, segment (`SEGMENTS`, all four), pairs (with or without a value),
        undefined (pairs without), mean, std, minimum, q1, median, q3, maximum.
    """
    pooled = _pool(models, tables)
    pooled["segment"] = segment(pooled)
    rows = []
    for metric in metrics:
        for augmentation, group in pooled.groupby("augmentation", sort=False):
            for name in SEGMENTS:
                values = group.loc[group["segment"] == name, metric]
                about = {"metric": metric, "augmentation": augmentation, "segment": name}
                rows.append(about | _describe(values, "pairs"))
    return pd.DataFrame(rows)


def _pool(models: Sequence[Model], tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """All similarity tables in one, with a column `augmentation`."""
    return pd.concat(
        [
            table.assign(augmentation=augmentation)
            for (augmentation, _), table in zip(models, tables, strict=True)
        ],
        ignore_index=True,
    )


def _describe(values: pd.Series, counted: str) -> dict[str, Any]:
    """Counts, moments and quartiles of the defined values; NaN where there are none."""
    defined = values.dropna()
    low, q1, median, q3, high = defined.quantile([0, 0.25, 0.5, 0.75, 1])
    return {
        counted: len(values),
        "undefined": len(values) - len(defined),
        "mean": defined.mean(),
        "std": defined.std(),
        "minimum": low,
        "q1": q1,
        "median": median,
        "q3": q3,
        "maximum": high,
    }


def _pearson(a: ArrayLike, b: ArrayLike) -> tuple[float, int]:
    """Pearson correlation where both are defined, and over how many."""
    pairs = np.stack([a, b])
    pairs = pairs[:, ~np.isnan(pairs).any(axis=0)]
    if pairs.shape[1] < 2 or (np.ptp(pairs, axis=1) == 0).any():
        return np.nan, pairs.shape[1]
    return float(np.corrcoef(pairs)[0, 1]), pairs.shape[1]
