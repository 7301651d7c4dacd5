"""From similarity tables to what the study says (thesis, chapters 4 and 5, appendices A and C).

Tables are tidy; augmentations and metrics keep the order in which they come in. Throughout, NaN is
a metric that is undefined for a pair of maps: it is left out of every mean, and counted. `std` is
the sample standard deviation (n − 1), NaN for a single value, except where `extremes` says
otherwise. Correlations compare by their signed value: the weakest is the lowest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from campare import performance, registry
from campare.design import BASELINE, Model
from campare.statistics import QUANTILE

# What a table of pairs says besides index, label and metrics.
PAIR = (
    *("a", "seed_a", "b", "seed_b"),
    *("prediction_a", "prediction_b", "constant_a", "constant_b"),
    *("baseline_prediction", "prediction"),
)
PER_IMAGE = ["index", "label", "augmentation"]
# What a similarity table says of an image besides its metrics.
IMAGE = ["index", "label", "baseline_prediction", "prediction"]
# What divides test images → its segments, with what a figure calls them.
SEGMENTS = {
    "correctness": {
        "both_right": "Both right",
        "only_baseline_right": "Only baseline right",
        "only_augmented_right": "Only augmented right",
        "both_wrong": "Both wrong",
    },
    "agreement": {"agree": "Predictions agree", "disagree": "They disagree"},
}


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


def validation(models: Sequence[Model], histories: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The epoch whose weights a model keeps, and its accuracy on the validation images.

    Parameters
    ----------
    models, histories
        (augmentation, seed) of each, and its history as `train.train` gives it.

    Returns
    -------
    DataFrame
        augmentation, seed, epoch (the first of equals), accuracy.
    """
    kept = [
        history.iloc[int(history["validation_accuracy"].to_numpy().argmax())]
        for history in histories
    ]
    return pd.DataFrame(
        [
            (*model, int(best["epoch"]), best["validation_accuracy"])
            for model, best in zip(models, kept, strict=True)
        ],
        columns=["augmentation", "seed", "epoch", "accuracy"],
    )


def published(
    claims: Mapping[str, Mapping[str, float]],
    scores: Mapping[str, pd.DataFrame],
    references: Mapping[int, int],
) -> pd.DataFrame:
    """What a paper gives, beside what this study finds.

    A paper that trains once gives one draw from what our seeds are a sample of. Its value counts as
    inside where one more seed of ours would fall 95 times in 100: mean ± t·s·√(1 + 1/n), the
    prediction interval of a normal sample (t at 0.975 with n − 1 degrees of freedom).

    Parameters
    ----------
    claims
        Augmentation (or "baseline") → "validation", "test" or both → accuracy.
    scores
        "validation" and "test" → augmentation, seed, accuracy: a row per model.
    references
        Seed → the seed of the baseline that its models are compared with.

    Returns
    -------
    DataFrame
        score, augmentation; published, and its rank among what is published (1 the highest, equals
        share the better one); mean, std, seeds, and the mean's rank among the same; low, high
        (NaN for one seed), inside ("yes", "no", or NaN); best: the seeds in which no other
        augmentation of them is better; above_baseline: those in which it is better than the
        seed's baseline.
    """
    parts = []
    for score, accuracies in scores.items():
        # Further baselines are of no seed of the study.
        table = accuracies[accuracies["seed"].isin([*references])]
        given = {name: claim[score] for name, claim in claims.items() if score in claim}
        wide = table.pivot_table("accuracy", "seed", "augmentation")
        if not given:
            continue
        # A study with one baseline has it for every seed.
        wide[BASELINE] = wide[BASELINE].reindex([references[seed] for seed in wide.index]).array
        ours = wide[list(given)]
        models = table[table["augmentation"].isin(given)].groupby("augmentation")["accuracy"]
        rows = pd.DataFrame({"score": score, "published": pd.Series(given)})
        rows["published_rank"] = rows["published"].rank(method="min", ascending=False).astype(int)
        rows = rows.join(models.agg(mean="mean", std="std", seeds="size"))
        rows["rank"] = rows["mean"].rank(method="min", ascending=False).astype(int)
        n = rows["seeds"]
        reach = special.stdtrit(n - 1, QUANTILE) * rows["std"] * np.sqrt(1 + 1 / n)
        rows["low"], rows["high"] = rows["mean"] - reach, rows["mean"] + reach
        inside = rows["published"].between(rows["low"], rows["high"])
        rows["inside"] = inside.map({True: "yes", False: "no"}).where(reach.notna())
        rows["best"] = ours.eq(ours.max(axis=1), axis=0).sum()
        rows["above_baseline"] = ours.gt(wide[BASELINE], axis=0).sum()
        parts.append(rows.rename_axis("augmentation").reset_index())
    table = pd.concat(parts, ignore_index=True)
    return table[["score", *table.columns.drop("score")]]


def model_means(
    models: Sequence[Model], tables: Sequence[pd.DataFrame], performances: pd.DataFrame
) -> pd.DataFrame:
    """Each model's accuracy, and its metrics averaged over the test images that define them.

    Parameters
    ----------
    models, tables
        (augmentation, seed) and similarity table of each.
    performances
        What the function of that name gives.

    Returns
    -------
    DataFrame
        augmentation, seed, accuracy, then the metrics and what is recorded beside them.
    """
    accuracy = performances.set_index(["augmentation", "seed"])["accuracy"]
    return pd.DataFrame(
        {"augmentation": augmentation, "seed": seed, "accuracy": accuracy[augmentation, seed]}
        | dict(table.drop(columns=IMAGE).mean())
        for (augmentation, seed), table in zip(models, tables, strict=True)
    )


def accuracy_correlation(means: pd.DataFrame, metrics: Sequence[str]) -> pd.DataFrame:
    """How a metric's mean goes together with accuracy, over models.

    Three questions, a row each. `models`: over all models, which are not independent, since those
    of an augmentation are alike. `within`: over models less the mean of their augmentation, what
    seeds of one augmentation do. `augmentations`: over the means of the augmentations, what a study
    that trains each of them once would see. Intervals are Fisher's,
    tanh(artanh r ± 1.96/√(n − 3)), with one less for every mean beyond the first that was taken
    out.

    Parameters
    ----------
    means
        What `model_means` gives.

    Returns
    -------
    DataFrame
        metric, over, pearson, low, high (95 %), n. NaN where a correlation or, for so few, its
        interval is undefined.
    """
    rows: list[tuple[Any, ...]] = []
    groups = means.groupby("augmentation", sort=False)
    for metric in metrics:
        columns = ["accuracy", metric]
        sets = {
            "models": (means[columns], 0),
            "within": (means[columns] - groups[columns].transform("mean"), len(groups) - 1),
            "augmentations": (groups[columns].mean(), 0),
        }
        for over, (points, spent) in sets.items():
            r, n = _pearson(points["accuracy"], points[metric])
            rows.append((metric, over, r, *_fisher(r, n - spent), n))
    return pd.DataFrame(rows, columns=["metric", "over", "pearson", "low", "high", "n"])


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
    return image_means(_pool(models, tables))


def across_seeds(
    pairs: Mapping[str, pd.DataFrame],
    like: Sequence[tuple[Model, Model]],
    single: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Metrics of augmentations beside the noise floor: means over pairs that differ alike.

    A model is more like the baseline of its own seed, with which it shares initial weights and
    batch order, than like others. So that augmentations compare with two baselines, each image's
    mean is over pairs of a model with a baseline of another seed alone.

    Parameters
    ----------
    pairs
        Augmentation, control or "baseline" → its pairs as measure_pairs writes them.
    like
        The pairs of models to take, (baseline, other).
    single
        What `aggregate` gives, for quantities of one map, which pairs do not have.

    Returns
    -------
    DataFrame
        index, label, augmentation ("baseline" for two baselines), then the metrics: a row per image
        of each.
    """
    models = pd.MultiIndex.from_tuples([(*first, *second) for first, second in like])
    parts = []
    for name, table in pairs.items():
        taken = pd.MultiIndex.from_frame(table[["a", "seed_a", "b", "seed_b"]]).isin(models)
        parts.append(image_means(table[taken].assign(augmentation=name)))
    rows = pd.concat(parts, ignore_index=True)
    if single is not None:
        further = [name for name in single if name in PER_IMAGE or name not in rows]
        rows = rows.merge(single[further], "left", PER_IMAGE)
    return rows


def image_means(pairs: pd.DataFrame) -> pd.DataFrame:
    """Mean of every metric over pairs of models: index, label, augmentation, then the metrics."""
    values = pairs.drop(columns=[name for name in pairs if name in PAIR])
    means = values.groupby(PER_IMAGE[::-1], sort=False).mean().reset_index()
    return means[PER_IMAGE + [name for name in means if name not in PER_IMAGE]]


def uninformative(measured: pd.DataFrame, metrics: Sequence[str]) -> pd.DataFrame:
    """What a metric is for a model's map and one that knows nothing (`uninformative.LEVELS`).

    Parameters
    ----------
    measured
        level, augmentation and the metrics, a row per test image: uninformative.parquet.

    Returns
    -------
    DataFrame
        metric, level, augmentation (of the model), images, undefined, mean, std, minimum, q1,
        median, q3, maximum. A level without a metric, such as edges, which predict nothing, has no
        row of it.
    """
    return pd.DataFrame(
        {"metric": metric, "level": level, "augmentation": augmentation}
        | _describe(group[metric], "images")
        for metric in metrics
        for (level, augmentation), group in measured.groupby(["level", "augmentation"], sort=False)
        if registry.metric(metric).of == "maps" or group[metric].notna().any()
    )


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
    counts = sorted(
        ((*pair, len(metrics), ", ".join(metrics)) for pair, metrics in counted.items() if metrics),
        key=lambda row: -row[2],
    )
    return pd.DataFrame(counts, columns=["augmentation_a", "augmentation_b", "count", "metrics"])


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


def segment(table: pd.DataFrame, by: str = "correctness") -> NDArray[np.str_]:
    """Where the image of each row of a similarity table belongs: names of `SEGMENTS[by]`.

    By "correctness" of the two predictions, or by their "agreement" with each other.
    """
    label, baseline, augmented = (
        table[name].to_numpy() for name in ("label", "baseline_prediction", "prediction")
    )
    place = baseline != augmented
    if by == "correctness":
        place = 2 * (baseline != label) + (augmented != label)
    names: NDArray[np.str_] = np.array([*SEGMENTS[by]])[place.astype(int)]
    return names


def segments(
    models: Sequence[Model],
    tables: Sequence[pd.DataFrame],
    metrics: Sequence[str],
    divisions: Sequence[str] = ("correctness",),
) -> pd.DataFrame:
    """Each metric by segment (thesis, appendix C), the seeds of an augmentation pooled.

    Parameters
    ----------
    divisions
        Keys of `SEGMENTS`; every image is in one segment of each.

    Returns
    -------
    DataFrame
        metric, augmentation, segment (all of a division), pairs (with or without a value),
        undefined (pairs without), mean, std, minimum, q1, median, q3, maximum.
    """
    pooled = _pool(models, tables)
    member = {
        name: members == name
        for by in divisions
        for members in [segment(pooled, by)]
        for name in SEGMENTS[by]
    }
    rows = []
    for metric in metrics:
        for augmentation, group in pooled.groupby("augmentation", sort=False):
            for name, inside in member.items():
                values = group.loc[inside[group.index], metric]
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


def _fisher(r: float, n: int) -> tuple[float, float]:
    """95 % confidence interval of a correlation over n pairs; NaN for fewer than 4."""
    if n < 4 or not abs(r) < 1:
        return np.nan, np.nan
    reach = special.ndtri(QUANTILE) / np.sqrt(n - 3)
    return float(np.tanh(np.arctanh(r) - reach)), float(np.tanh(np.arctanh(r) + reach))


def _pearson(a: ArrayLike, b: ArrayLike) -> tuple[float, int]:
    """Pearson correlation where both are defined, and over how many."""
    pairs = np.stack([a, b])
    pairs = pairs[:, ~np.isnan(pairs).any(axis=0)]
    if pairs.shape[1] < 2 or (np.ptp(pairs, axis=1) == 0).any():
        return np.nan, pairs.shape[1]
    return float(np.corrcoef(pairs)[0, 1]), pairs.shape[1]
