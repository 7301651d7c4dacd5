"""How far augmentations move maps beyond what moves them without an augmentation.

Three kinds of pairs of models say it: an augmented one with a baseline, two of one augmentation,
two baselines. Tables are tidy; NaN is what is undefined, left out of every mean and counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from campare import excess, registry, statistics
from campare.profiles import Counts, Profile
from campare.statistics import Interval, Test

Model = tuple[str, int]
Doubles = NDArray[np.float64]

BASELINE = "baseline"
MATCHED = ("identity", "baseline_long")
WITH, WITHIN, FLOOR = "with_baseline", "within", "baselines"
MODEL_PAIR = ["a", "seed_a", "b", "seed_b"]


def kinds(pairs: Mapping[str, pd.DataFrame], metrics: Sequence[str]) -> pd.DataFrame:
    """Mean of every metric over each kind of pairs.

    Parameters
    ----------
    pairs
        Augmentation, control or "baseline" → its pairs as measure_pairs writes them.

    Returns
    -------
    DataFrame
        metric, augmentation, kind (`WITH`, `WITHIN`; `FLOOR`, of the baseline), mean, models (that
        are in such pairs), pairs (of models), images, undefined (pairs of maps without a value),
        constant (maps that are zero everywhere, of models × images).
    """
    rows = [
        {"metric": metric, "augmentation": name, "kind": kind, "mean": group[metric].mean()}
        | _counts(group)
        | {"undefined": int(group[metric].isna().sum())}
        for metric in metrics
        for name, table in pairs.items()
        for kind, group in _by_kind(name, table)
    ]
    columns = ["metric", "augmentation", "kind", "mean", "models", "pairs", "images", "undefined"]
    return pd.DataFrame(rows, columns=[*columns, "constant"])


def _by_kind(name: str, table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """The pairs of an arm with the baselines, and those within it."""
    within = (table["a"] == name) & (table["b"] == name)
    groups = {WITH: table["a"] == BASELINE, WITHIN: within}
    for kind, member in ({FLOOR: within} if name == BASELINE else groups).items():
        if member.any():
            yield kind, table[member]


def _counts(table: pd.DataFrame) -> dict[str, int]:
    """Models, pairs of them, images and constant maps of some pairs."""
    sides = [
        table[[side, f"seed_{side}", "index", f"constant_{side}"]].set_axis(
            ["model", "seed", "index", "constant"], axis=1
        )
        for side in ("a", "b")
    ]
    maps = pd.concat(sides).drop_duplicates(["model", "seed", "index"])
    return {
        "models": len(maps[["model", "seed"]].drop_duplicates()),
        "pairs": len(table[MODEL_PAIR].drop_duplicates()),
        "images": int(table["index"].nunique()),
        "constant": int(maps["constant"].sum()),
    }


def excesses(
    pairs: Mapping[str, pd.DataFrame],
    models: Sequence[Model],
    metrics: Sequence[str],
    incomparable: str,
    seed: int,
) -> pd.DataFrame:
    """How much farther from the baselines an augmentation's models are than the floor.

    The excess divergence (`excess.excess`), its test by permuting the models' labels, and how often
    an augmented model's map is the farther one (`excess.superiority`).

    Parameters
    ----------
    pairs
        Augmentation, control or "baseline" → its pairs as measure_pairs writes them.
    models
        (augmentation, seed) of all, baselines included.
    incomparable
        Why distances between and within the two kinds of models do not compare; "" where they do.

    Returns
    -------
    DataFrame
        metric, augmentation; with_baseline, within, baselines: mean distance of each kind of pairs
        (`farness`); excess, low, high in the same unit; share, the excess over that of baselines;
        p, p_holm (over the augmentations of a metric, controls apart), note (why there is no p);
        superiority, superiority_low, superiority_high; models, baseline_models, images.
    """
    baselines = [model for model in models if model[0] == BASELINE]
    rows: list[dict[str, Any]] = []
    for metric in metrics:
        tests = []
        for name in (name for name in pairs if name != BASELINE):
            own = [model for model in models if model[0] == name]
            tables = [pairs[arm] for arm in (BASELINE, name) if arm in pairs]
            far, places, second = _two_arms(tables, baselines, own, metric)
            found = excess.excess(far, places, second, seed)
            floor, with_baseline, within = (kind.mean for kind in found.kinds)
            if incomparable:
                beyond = better = Interval(np.nan, np.nan, np.nan)
                tests.append(Test(np.nan, np.nan, incomparable))
            else:
                beyond, better = found.excess, excess.superiority(far, places, second, seed)
                tests.append(found.test)
            rows.append(
                {"metric": metric, "augmentation": name}
                | {"with_baseline": with_baseline, "within": within, "baselines": floor}
                | beyond.columns("excess", "")
                | {"share": beyond.mean / floor if floor > 0 else np.nan}
                | {"p": tests[-1].p, "p_holm": np.nan, "note": ""}
                | better.columns("superiority")
                | {"models": len(own), "baseline_models": len(baselines), "images": far.shape[1]}
            )
        _correct(rows[len(rows) - len(tests) :], tests)
    return pd.DataFrame(rows)


def second_readings(
    pairs: Mapping[str, pd.DataFrame], models: Sequence[Model], metric: str, seed: int
) -> pd.DataFrame:
    """The excess divergence of one metric again, by a mixed-effects model (`mixed.excess`).

    Parameters
    ----------
    pairs, models
        As in `excesses`.

    Returns
    -------
    DataFrame
        metric, augmentation; excess, low, high; image, pair, rest (variances); images (it is fitted
        to), note (why there was no fit).
    """
    from campare import mixed  # statsmodels takes long to import

    baselines = [model for model in models if model[0] == BASELINE]
    rows: list[dict[str, Any]] = []
    for name in (name for name in pairs if name != BASELINE):
        own = [model for model in models if model[0] == name]
        tables = [pairs[arm] for arm in (BASELINE, name) if arm in pairs]
        found = mixed.excess(*_two_arms(tables, baselines, own, metric), seed)
        rows.append(
            {"metric": metric, "augmentation": name}
            | found.estimate.columns("excess", "")
            | {"image": found.image, "pair": found.pair, "rest": found.rest}
            | {"images": found.images, "note": found.words}
        )
    return pd.DataFrame(rows)


def between(
    pairs: Mapping[str, pd.DataFrame],
    models: Sequence[Model],
    metrics: Sequence[str],
    seed: int,
) -> pd.DataFrame:
    """How far the models of two augmentations are apart, with no baseline between them.

    Parameters
    ----------
    pairs
        Augmentation → its pairs, those with the augmentations after it included.
    models
        (augmentation, seed) of all.

    Returns
    -------
    DataFrame
        metric, augmentation_a, augmentation_b; between, within_a, within_b: mean distances
        (`farness`); excess of the first over the mean of the others, low, high; p, p_holm (over the
        pairs of a metric), note; pairs (of models), images.
    """
    rows: list[dict[str, Any]] = []
    for metric in metrics:
        tests = []
        for a, b in combinations(pairs, 2):
            first, last = ([model for model in models if model[0] == name] for name in (a, b))
            far, places, second = _two_arms([pairs[a], pairs[b]], first, last, metric)
            found = excess.excess(far, places, second, seed)
            within_a, mean, within_b = (kind.mean for kind in found.kinds)
            tests.append(found.test)
            across = second[places].sum(axis=1) == 1
            rows.append(
                {"metric": metric, "augmentation_a": a, "augmentation_b": b}
                | {"between": mean, "within_a": within_a, "within_b": within_b}
                | found.excess.columns("excess", "")
                | {"p": tests[-1].p, "p_holm": np.nan, "note": ""}
                | {"pairs": int((~np.isnan(far[across]).all(axis=1)).sum())}
                | {"images": far.shape[1]}
            )
        for row, test in zip(rows[-len(tests) :], statistics.corrected(tests), strict=True):
            row |= {"p_holm": test.p, "note": test.words}
    return pd.DataFrame(rows)


def _two_arms(
    tables: Sequence[pd.DataFrame], first: Sequence[Model], second: Sequence[Model], metric: str
) -> tuple[Doubles, NDArray[np.int64], NDArray[np.bool_]]:
    """What `excess` takes: distances, pairs, and which models are of the second arm."""
    far, places = distances(tables, [*first, *second], metric)
    return far, places, np.arange(len(first) + len(second)) >= len(first)


def summary(gains: pd.DataFrame, excesses: pd.DataFrame, metric: str) -> pd.DataFrame:
    """The answer on one page: accuracy gained, and how much farther the maps are than the floor.

    Parameters
    ----------
    gains, excesses
        What the functions of these names give.
    metric
        The one that stands for all.

    Returns
    -------
    DataFrame
        augmentation; accuracy, baseline, gain, gain_low, gain_high; metric, excess, excess_low,
        excess_high, baselines (the floor), share, p_holm, note; farther, of metrics: in how many
        the excess is above zero with p_holm ≤ 0.05, of how many with a p; models, baseline_models,
        images.
    """
    of_gain = gains.set_index("augmentation").rename(
        columns={"low": "gain_low", "high": "gain_high"}
    )
    chosen = excesses[excesses["metric"] == metric].set_index("augmentation")
    chosen = chosen.rename(columns={"low": "excess_low", "high": "excess_high"})
    tested = excesses.groupby("augmentation", sort=False)
    farther = (excesses["excess"] > 0) & (excesses["p_holm"] <= statistics.ALPHA)
    table = pd.concat(
        [
            of_gain[["accuracy", "baseline", "gain", "gain_low", "gain_high"]],
            chosen[["metric", "excess", "excess_low", "excess_high", "baselines", "share"]],
            chosen[["p_holm", "note"]],
            farther.groupby(excesses["augmentation"], sort=False).sum().rename("farther"),
            tested["p_holm"].count().rename("metrics"),
            chosen[["models", "baseline_models", "images"]],
        ],
        axis=1,
    ).loc[chosen.index]
    return table.rename_axis("augmentation").reset_index()


def gains(right: Mapping[Model, NDArray[np.bool_]], *, paired: bool, seed: int) -> pd.DataFrame:
    """How much more often an augmentation's models are right than the baselines.

    Parameters
    ----------
    right
        Model → whether it is right, (images,), the baselines included.
    paired
        Whether seeds pair a model with a baseline; the gain then is the mean of the differences,
        and is tested by flipping their signs.

    Returns
    -------
    DataFrame
        augmentation; accuracy, baseline (means over models); gain, low, high; p, p_holm, note; g,
        g_low, g_high (Hedges's, over models); models, baseline_models, images.
    """
    baselines = {seed: values for (name, seed), values in right.items() if name == BASELINE}
    rows: list[dict[str, Any]] = []
    tests = []
    for name in dict.fromkeys(name for name, _ in right if name != BASELINE):
        own = {seed: values for (arm, seed), values in right.items() if arm == name}
        gain = statistics.gained(own, baselines, seed, paired=paired)
        base = {k: baselines[k] for k in own} if paired else baselines
        ours, theirs = (np.array([np.mean(found) for found in arm.values()]) for arm in (own, base))
        if paired:
            size = statistics.standardised_paired(ours - theirs)
            tests.append(statistics.sign_flip(ours - theirs, seed))
        else:
            size = statistics.standardised(ours, theirs)
            tests.append(Test(np.nan, np.nan, "seeds are not paired: see the interval"))
        rows.append(
            {"augmentation": name, "accuracy": ours.mean(), "baseline": theirs.mean()}
            | gain.columns("gain", "")
            | {"p": tests[-1].p, "p_holm": np.nan, "note": ""}
            | size.columns("g")
            | {"models": len(ours), "baseline_models": len(theirs)}
            | {"images": len(next(iter(own.values())))}
        )
    _correct(rows, tests)
    return pd.DataFrame(rows)


def _correct(rows: Sequence[dict[str, Any]], tests: Sequence[Test]) -> None:
    """Fill in p_holm and note; controls are a family of their own."""
    for matched in (False, True):
        family = [k for k, row in enumerate(rows) if (row["augmentation"] in MATCHED) == matched]
        found = statistics.corrected([tests[k] for k in family])
        for k, test in zip(family, found, strict=True):
            rows[k] |= {"p_holm": test.p, "note": test.words}


def distances(
    tables: Sequence[pd.DataFrame], models: Sequence[Model], metric: str
) -> tuple[Doubles, NDArray[np.int64]]:
    """How far the maps of each two models are apart, image by image.

    Parameters
    ----------
    tables
        Pairs of models, as measure_pairs writes them: the same images in one order.

    Returns
    -------
    distances
        float64 (pairs, images), as `farness` says. NaN where the metric is undefined, and for two
        models that share a seed and so are not in the tables.
    pairs
        int64 (pairs, 2): places in `models`, all combinations of two.
    """
    pairs = np.array(list(combinations(range(len(models)), 2)), np.int64).reshape(-1, 2)
    row_of = {frozenset((models[i], models[j])): row for row, (i, j) in enumerate(pairs)}
    images = tables[0]["index"].nunique()
    found = np.full((len(pairs), images), np.nan)
    for table in tables:
        values = farness(table[metric].to_numpy(), metric).reshape(-1, images)
        ends = table[MODEL_PAIR].iloc[::images].itertuples(index=False, name=None)
        for (a, seed_a, b, seed_b), far in zip(ends, values, strict=True):
            row = row_of.get(frozenset(((a, seed_a), (b, seed_b))))
            if row is not None:
                found[row] = far
    return found, pairs


def farness(values: Any, metric: str) -> Any:
    """A metric as a distance: 0 for equal maps, more the farther they are apart."""
    same = registry.metric(metric).same
    assert same is not None
    return same - values if same > 0 else values - same


def measured(
    models: Sequence[Model], tables: Sequence[pd.DataFrame], metrics: Sequence[str]
) -> Doubles:
    """Similarity tables as `profiles` takes them: float64 (metrics, augmentations, seeds, images).

    Parameters
    ----------
    models, tables
        (augmentation, seed) and similarity table of each: for every augmentation the same seeds. An
        image with several baselines has its mean over them.
    """
    names = list(dict.fromkeys(name for name, _ in models))
    found = np.stack(
        [table.groupby("index", sort=False)[[*metrics]].mean().to_numpy().T for table in tables]
    )
    shape = (len(names), len(models) // len(names), *found.shape[1:])
    return np.moveaxis(found.reshape(shape), 2, 0)


def clusters(found: Mapping[str, Profile], augmentations: Sequence[str]) -> pd.DataFrame:
    """The clusters of augmentations, in the order in which they are joined.

    Parameters
    ----------
    found
        Metric → its profile.

    Returns
    -------
    DataFrame
        metric; first, second (what is joined, names held together by " + ") and members (both, in
        the order of the leaves of a tree); distance, the mean 1 − r between the two; support, the
        share of resamples in which the cluster appears, member for member, of resamples.
    """
    rows: list[tuple[Any, ...]] = []
    for metric, profile in found.items():
        parts = [name for name, kept in zip(augmentations, profile.kept, strict=True) if kept]
        for (i, j, distance, _), support in zip(profile.linkage, profile.support, strict=True):
            first, second = parts[int(i)], parts[int(j)]
            parts.append(f"{first} + {second}")
            rows.append((metric, first, second, parts[-1], distance, support, profile.resamples))
    columns = ["metric", "first", "second", "members", "distance", "support", "resamples"]
    return pd.DataFrame(rows, columns=columns)


def correlations(
    found: Doubles, names: Sequence[str], augmentations: Sequence[str]
) -> pd.DataFrame:
    """Correlation maps (maps, augmentations, augmentations) as a table, a row per cell.

    Returns
    -------
    DataFrame
        metric (of `names`, one per map), augmentation_a, augmentation_b, pearson.
    """
    return pd.DataFrame(
        [
            (name, a, b, r)
            for name, values in zip(names, found, strict=True)
            for a, row in zip(augmentations, values, strict=True)
            for b, r in zip(augmentations, row, strict=True)
        ],
        columns=["metric", "augmentation_a", "augmentation_b", "pearson"],
    )


def counted(found: Mapping[str, Counts], augmentations: Sequence[str]) -> pd.DataFrame:
    """How often pairs of augmentations are among the strongest or weakest, beside chance.

    Parameters
    ----------
    found
        "strongest" and "weakest" → what `profiles.by_chance` gives.

    Returns
    -------
    DataFrame
        pairs ("strongest" or "weakest"), augmentation_a, augmentation_b, count, expected, p (that
        this pair reaches the count by chance), p_any (that any pair does).
    """
    return pd.DataFrame(
        [
            (which, *pair, count, counts.expected, p, p_any)
            for which, counts in found.items()
            for pair, count, p, p_any in zip(
                combinations(augmentations, 2), counts.counts, counts.p, counts.p_any, strict=True
            )
        ],
        columns=[
            *("pairs", "augmentation_a", "augmentation_b", "count", "expected", "p", "p_any"),
        ],
    )


def shared(
    pairs: Mapping[str, pd.DataFrame], baselines: Sequence[int], metrics: Sequence[str]
) -> pd.DataFrame:
    """What `analysis.aggregate` gives, had all augmentations been compared with these baselines.

    Parameters
    ----------
    pairs
        Augmentation → its pairs as measure_pairs writes them.
    baselines
        Seeds of the baselines that all share.

    Returns
    -------
    DataFrame
        index, label, augmentation, then the metrics: means over seeds and these baselines.
    """
    parts = []
    for name, table in pairs.items():
        chosen = table[(table["a"] == BASELINE) & table["seed_a"].isin(baselines)]
        means = chosen.groupby(["index", "label"], sort=False)[[*metrics]].mean().reset_index()
        means.insert(2, "augmentation", name)
        parts.append(means)
    return pd.concat(parts, ignore_index=True)
