"""Tables of a study from its predictions and similarity tables (thesis, chapters 4, 5, A and C).

Tables are tidy; augmentations and metrics keep the order of the arguments. A metric that is
undefined for a pair of maps is NaN; it is left out of every mean, and counted. `std` is the sample
standard deviation (n − 1), NaN for a single value; only `extremes` uses n. Correlations are ordered
by their signed value: the weakest is the lowest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, combinations, groupby
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from campare import performance, registry
from campare.design import BASELINE, Model
from campare.labels import SEGMENTS as SEGMENTS
from campare.statistics import QUANTILE

ALL_CELLS = 100  # classes up to which tables have all cells of a confusion matrix
MOST_PAIRS = 40  # most frequent confusions of an augmentation
# Columns of a table of pairs besides index, label and metrics.
PAIR = (
    *("a", "seed_a", "b", "seed_b"),
    *("prediction_a", "prediction_b", "constant_a", "constant_b"),
    *("baseline_prediction", "prediction"),
)
PER_IMAGE = ["index", "label", "augmentation"]
# Columns of a similarity table besides its metrics.
IMAGE = ["index", "label", "baseline_prediction", "prediction"]
# Those that decide the segment of a row.
DECISIVE = IMAGE[1:]


def performances(models: Sequence[Model], confusions: Sequence[NDArray[np.int64]]) -> pd.DataFrame:
    """Accuracy, precision, recall and F1 of every model.

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
        Result of `performances`.

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
        augmentation, label, prediction (names of the classes), images: a row for every cell; with
        more than `ALL_CELLS` classes, for every cell of the diagonal and every other with images.
    """
    few = len(classes) <= ALL_CELLS
    parts = []
    for augmentation, total in _over_seeds(models, confusions).items():
        label, prediction = np.nonzero((total > 0) | np.eye(len(total), dtype=bool) | few)
        parts.append(_cells(augmentation, total, label, prediction, classes))
    return pd.concat(parts, ignore_index=True)


def confused_pairs(
    models: Sequence[Model], confusions: Sequence[NDArray[np.int64]], classes: Sequence[str]
) -> pd.DataFrame:
    """The most frequent confusions of two classes, summed over seeds.

    Returns
    -------
    DataFrame
        augmentation, label, prediction (names of the classes), images, share (of the predictions
        for images of the true class); of each augmentation up to `MOST_PAIRS` rows, the most
        frequent first, equal ones in the order of the classes.
    """
    parts = []
    for augmentation, total in _over_seeds(models, confusions).items():
        errors = total * (1 - np.eye(len(total), dtype=np.int64))
        places = np.argsort(-errors, axis=None, kind="stable")[:MOST_PAIRS]
        label, prediction = np.divmod(places[errors.flat[places] > 0], len(total))
        part = _cells(augmentation, total, label, prediction, classes)
        parts.append(part.assign(share=part["images"].to_numpy() / total.sum(axis=1)[label]))
    return pd.concat(parts, ignore_index=True)


def _over_seeds(
    models: Sequence[Model], confusions: Sequence[NDArray[np.int64]]
) -> dict[str, NDArray[np.int64]]:
    """Augmentation → confusion matrix (K, K), summed over seeds."""
    totals: dict[str, NDArray[np.int64]] = {}
    for (augmentation, _), confusion in zip(models, confusions, strict=True):
        totals[augmentation] = totals.get(augmentation, np.zeros_like(confusion)) + confusion
    return totals


def _cells(
    augmentation: str,
    total: NDArray[np.int64],
    label: NDArray[np.intp],
    prediction: NDArray[np.intp],
    classes: Sequence[str],
) -> pd.DataFrame:
    """Some cells of a confusion matrix (K, K): augmentation, label, prediction, images."""
    names = np.array(classes, dtype=object)
    return pd.DataFrame(
        {
            "augmentation": augmentation,
            "label": names[label],
            "prediction": names[prediction],
            "images": total[label, prediction],
        }
    )


def validation(
    models: Sequence[Model], histories: Sequence[pd.DataFrame], keep: str = "best"
) -> pd.DataFrame:
    """The epoch whose weights a model keeps, and its validation accuracy.

    Parameters
    ----------
    models, histories
        (augmentation, seed) and history (`train.train`) of each model.
    keep
        "best": the epoch with the highest validation accuracy, the first of equals; "last".

    Returns
    -------
    DataFrame
        augmentation, seed, epoch, accuracy (on the validation images).
    """
    kept = [
        history.iloc[-1 if keep == "last" else history["validation_accuracy"].to_numpy().argmax()]
        for history in histories
    ]
    return pd.DataFrame(
        [
            (*model, int(best["epoch"]), best["validation_accuracy"])
            for model, best in zip(models, kept, strict=True)
        ],
        columns=["augmentation", "seed", "epoch", "accuracy"],
    )


def architectures(names: Sequence[str], histories: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Validation accuracy and test scores of candidate architectures after every epoch.

    Training times are left out, because no two runs agree in them.

    Parameters
    ----------
    names, histories
        Architectures, and the history (`train.train`) of each, with test scores.

    Returns
    -------
    DataFrame
        architecture, epoch, validation_accuracy; accuracy, precision, recall, f1 (test images).
    """
    rows = pd.concat(
        [history.assign(architecture=name) for name, history in zip(names, histories, strict=True)],
        ignore_index=True,
    ).rename(columns={f"test_{score}": score for score in performance.SCORES})
    return rows[["architecture", "epoch", "validation_accuracy", *performance.SCORES]]


def published(
    claims: Mapping[str, Mapping[str, float]],
    scores: Mapping[str, pd.DataFrame],
    references: Mapping[int, int],
) -> pd.DataFrame:
    """Published accuracies compared with those of this study.

    A paper that trains each network once reports a single draw from the distribution of which this
    study's seeds are a sample. `inside` says whether the published value lies in the 95 %
    prediction interval for one further seed, mean ± t·s·√(1 + 1/n), assuming normal values (t: the
    0.975 quantile with n − 1 degrees of freedom).

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
        score, augmentation; published, published_rank (among the published values, 1 the highest,
        ties have the better rank); mean, std, seeds, rank (of the mean among the same
        augmentations); low, high (NaN for one seed), inside ("yes", "no", or NaN); best: number of
        seeds in which none of these augmentations is better; above_baseline: number of seeds in
        which it is better than the baseline of the seed.
    """
    parts = []
    for score, accuracies in scores.items():
        # Leave out further baselines, which belong to no seed of the study.
        table = accuracies[accuracies["seed"].isin([*references])]
        values = {name: claim[score] for name, claim in claims.items() if score in claim}
        wide = table.pivot_table("accuracy", "seed", "augmentation")
        if not values:
            continue
        # A single baseline is that of every seed.
        wide[BASELINE] = wide[BASELINE].reindex([references[seed] for seed in wide.index]).array
        ours = wide[list(values)]
        models = table[table["augmentation"].isin(values)].groupby("augmentation")["accuracy"]
        rows = pd.DataFrame({"score": score, "published": pd.Series(values)})
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
    models: Sequence[Model], tables: Iterable[pd.DataFrame], performances: pd.DataFrame
) -> pd.DataFrame:
    """Accuracy of each model, and its metrics averaged over the test images that define them.

    Parameters
    ----------
    models, tables
        (augmentation, seed) and similarity table of each.
    performances
        Result of `performances`.

    Returns
    -------
    DataFrame
        augmentation, seed, accuracy, then the metrics and their further columns.
    """
    accuracy = performances.set_index(["augmentation", "seed"])["accuracy"]
    return pd.DataFrame(
        {"augmentation": augmentation, "seed": seed, "accuracy": accuracy[augmentation, seed]}
        | dict(table.drop(columns=IMAGE).mean())
        for (augmentation, seed), table in zip(models, tables, strict=True)
    )


def accuracy_correlation(means: pd.DataFrame, metrics: Sequence[str]) -> pd.DataFrame:
    """Pearson correlation between the mean of a metric and accuracy, over models.

    There is a row for each of three estimands. "models": over all models, which are not
    independent, because models of one augmentation are similar. "within": over models after
    subtracting the mean of their augmentation, the correlation between seeds of one augmentation.
    "augmentations": over the means of the augmentations. The 95 % intervals are Fisher's,
    tanh(artanh r ± 1.96/√(n − 3)), for independent points; "within" takes n − (g − 1) for n, with g
    augmentations.

    Parameters
    ----------
    means
        Result of `model_means`.

    Returns
    -------
    DataFrame
        metric, over, pearson, low, high, n (points). NaN if the correlation is undefined, or there
        are too few points for an interval.
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


def aggregate(models: Sequence[Model], tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Mean over seeds of every metric, per augmentation and image (thesis, chapter 4, step 12).

    The mean is over the seeds for which the metric is defined, NaN if there are none.

    Parameters
    ----------
    models, tables
        As in `pooled`.

    Returns
    -------
    DataFrame
        index, label, augmentation, then the metrics and their further columns.
    """
    parts = [image_means(table.assign(augmentation=name)) for name, table in pooled(models, tables)]
    return pd.concat(parts, ignore_index=True)


def across_seeds(
    pairs: Mapping[str, pd.DataFrame],
    like: Sequence[tuple[Model, Model]],
    single: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Metrics of augmentations and of the noise floor: means over comparable pairs of models.

    A model's maps are more similar to those of the baseline of its own seed, with which it shares
    initial weights and batch order, than to those of other baselines. To be comparable with
    distances between two baselines, means are only over the pairs `like`, which differ in the same
    streams of randomness as two baselines do (`Design.pairs_like_floor`).

    Parameters
    ----------
    pairs
        Augmentation, control or "baseline" → its pairs as measure_pairs writes them.
    like
        The pairs of models that are used, (baseline, other).
    single
        Result of `aggregate`, from which metrics of one map are taken, which tables of pairs lack.

    Returns
    -------
    DataFrame
        index, label, augmentation ("baseline": two baselines), then the metrics; a row per image of
        each augmentation.
    """
    models = pd.MultiIndex.from_tuples([(*first, *second) for first, second in like])
    parts = []
    for name, table in pairs.items():
        used = pd.MultiIndex.from_frame(table[["a", "seed_a", "b", "seed_b"]]).isin(models)
        parts.append(image_means(table[used].assign(augmentation=name)))
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
    """Distribution of metrics of a model's map and an uninformative map (`uninformative.LEVELS`).

    Parameters
    ----------
    measured
        level, augmentation and the metrics, a row per test image: uninformative.parquet.

    Returns
    -------
    DataFrame
        metric, level, augmentation (of the model), images, undefined, mean, std, minimum, q1,
        median, q3, maximum. There is no row for a metric that a level does not have: edges, for
        instance, have no predictions.
    """
    return pd.DataFrame(
        {"metric": metric, "level": level, "augmentation": augmentation}
        | _describe(group[metric], "images")
        for metric in metrics
        for (level, augmentation), group in measured.groupby(["level", "augmentation"], sort=False)
        if registry.metric(metric).of == "maps" or group[metric].notna().any()
    )


def distribution(aggregate: pd.DataFrame) -> pd.DataFrame:
    """Distribution of every metric over the test images: the numbers of the boxplots.

    Returns
    -------
    DataFrame
        metric (or a further column of one, such as overlap_20_area), augmentation, images (all),
        undefined (images without a value), mean, std, minimum, q1, median, q3, maximum. Quartiles
        are interpolated linearly.
    """
    return pd.DataFrame(
        {"metric": metric, "augmentation": augmentation} | _describe(group[metric], "images")
        for metric in aggregate.columns.drop(["index", "label", "augmentation"])
        for augmentation, group in aggregate.groupby("augmentation", sort=False)
    )


def correlation(aggregate: pd.DataFrame, metrics: Sequence[str]) -> pd.DataFrame:
    """Pearson correlation over test images between the values of a metric in two augmentations.

    Images without a value in either augmentation are left out. NaN for fewer than two images, or
    constant values.

    Returns
    -------
    DataFrame
        metric, augmentation_a, augmentation_b, pearson, images; a row for every ordered pair,
        including each augmentation with itself.
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
    """Number of metrics in which a pair of augmentations is among the most correlated ones.

    With `strongest` false: among the least correlated ones (thesis, tables 5.1 and 5.2). In each
    metric the `top` pairs with the highest (lowest) defined correlations count. Ties are broken by
    the order of the study.

    Parameters
    ----------
    correlation
        Result of `correlation`.

    Returns
    -------
    DataFrame
        augmentation_a, augmentation_b, count, metrics (names joined by ", "), the largest count
        first; without pairs that have no count.
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
    """The test images with the most extreme values of every metric (thesis, appendix A).

    For every metric, the image with the highest mean, and the one with the highest standard
    deviation, over the augmentations for which it is defined. The standard deviation has the
    divisor n, so that it is defined for one augmentation. The first of equals; the first image,
    with the value NaN, if the metric is defined for no image.

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


def members(table: pd.DataFrame, by: str = "correctness") -> dict[str, NDArray[np.bool_]]:
    """The rows of a similarity table in each segment of `SEGMENTS[by]`.

    by: "correctness" of the two predictions, or their "agreement" with each other.
    """
    label, baseline, augmented = (table[name].to_numpy() for name in DECISIVE)
    number = (baseline != augmented).astype(np.int8)
    if by == "correctness":
        number = 2 * (baseline != label).astype(np.int8) + (augmented != label)
    return {name: number == place for place, name in enumerate(SEGMENTS[by])}


def pooled(
    models: Sequence[Model], tables: Iterable[pd.DataFrame]
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Each augmentation with the similarity tables of its models in one.

    Parameters
    ----------
    models, tables
        (augmentation, seed) and similarity table of each; the models of an augmentation follow one
        another, so that only their tables are held at a time.
    """
    of_models = zip(models, tables, strict=True)
    for augmentation, group in groupby(of_models, key=lambda item: item[0][0]):
        yield augmentation, pd.concat([table for _, table in group], ignore_index=True)


def segments(
    models: Sequence[Model],
    tables: Iterable[pd.DataFrame],
    metrics: Sequence[str],
    divisions: Sequence[str] = ("correctness",),
) -> pd.DataFrame:
    """Distribution of every metric in each segment (thesis, appendix C), seeds pooled.

    Parameters
    ----------
    models, tables
        As in `pooled`; of a table the columns `DECISIVE` and the metrics are used.
    divisions
        Keys of `SEGMENTS`; every image belongs to one segment of each division.

    Returns
    -------
    DataFrame
        metric, augmentation, segment, pairs (all pairs of maps), undefined (pairs without a value),
        mean, std, minimum, q1, median, q3, maximum.
    """
    rows: dict[str, list[dict[str, Any]]] = {metric: [] for metric in metrics}
    for augmentation, table in pooled(models, tables):
        for name, inside in ((k, v) for by in divisions for k, v in members(table, by).items()):
            for metric in metrics:
                about = {"metric": metric, "augmentation": augmentation, "segment": name}
                rows[metric].append(about | _describe(table.loc[inside, metric], "pairs"))
    return pd.DataFrame(chain(*rows.values()))


def _describe(values: pd.Series, counted: str) -> dict[str, Any]:
    """Counts, mean, std and quartiles of the defined values; NaN if there are none."""
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
    """Fisher's 95 % confidence interval of a correlation over n points; NaN for fewer than 4."""
    if n < 4 or not abs(r) < 1:
        return np.nan, np.nan
    reach = special.ndtri(QUANTILE) / np.sqrt(n - 3)
    return float(np.tanh(np.arctanh(r) - reach)), float(np.tanh(np.arctanh(r) + reach))


def _pearson(a: ArrayLike, b: ArrayLike) -> tuple[float, int]:
    """Pearson correlation over the values that both define, and their number."""
    pairs = np.stack([a, b])
    pairs = pairs[:, ~np.isnan(pairs).any(axis=0)]
    if pairs.shape[1] < 2 or (np.ptp(pairs, axis=1) == 0).any():
        return np.nan, pairs.shape[1]
    return float(np.corrcoef(pairs)[0, 1]), pairs.shape[1]
