"""How far augmentations shift maps beyond retraining variability: tables of pairs of models.

Three kinds of pairs say it: an augmented model with a reference, two of one augmentation, two
references. Tables are tidy; NaN is what is undefined, left out of every mean and counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from campare import registry, shift, statistics
from campare.clustering import Clusters, Counts
from campare.design import BASELINE, Model
from campare.registry import MATCHED
from campare.statistics import Interval, Test

Doubles = NDArray[np.float64]

MODEL_PAIR = ["a", "seed_a", "b", "seed_b"]
# Of which pairs of maps: all, or those of two models that predict the same class.
PREDICTIONS = ANY, EQUAL = "any", "equal"


def kinds(pairs: Mapping[str, pd.DataFrame], metrics: Sequence[str]) -> pd.DataFrame:
    """Mean of every metric over each kind of pairs.

    Parameters
    ----------
    pairs
        Augmentation, control or "baseline" → its pairs as measure_pairs writes them.

    Returns
    -------
    DataFrame
        metric, augmentation, kind (with_<reference>, within; baselines, of the baseline), mean,
        models (that are in such pairs), pairs (of models), images, undefined (pairs of maps without
        a value), constant (maps that are zero everywhere, of models × images).
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
    """The pairs of an arm with each reference, and those within it."""
    for reference in (BASELINE, *MATCHED):
        member = (table["a"] == reference) & (table["b"] != reference)
        if member.any():
            yield f"with_{reference}", table[member]
    within = (table["a"] == name) & (table["b"] == name)
    if within.any():
        yield "baselines" if name == BASELINE else "within", table[within]


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


def shifts(
    pairs: Mapping[str, pd.DataFrame],
    models: Sequence[Model],
    metrics: Sequence[str],
    incomparable: str,
    seed: int,
) -> pd.DataFrame:
    """How far every augmentation shifts the maps beyond retraining variability (`shift.shift`).

    The reference is the baselines and, where a study has them, step-matched networks: trained
    without augmentation in as many steps. These are set against the baselines too. Each comparison
    is made for all images, and for those alone in which the two models of a pair predict the same
    class, since other maps explain different classes.

    Parameters
    ----------
    pairs
        Augmentation, control or "baseline" → its pairs as measure_pairs writes them.
    models
        (augmentation, seed) of all, baselines included. Where two arms have the same seeds, and
        enough of them, labels are swapped within seeds.
    incomparable
        Why distances to and among baselines do not compare with those among augmented models; ""
        where they do.

    Returns
    -------
    DataFrame
        metric, augmentation, reference, predictions ("any", or "equal" of those images alone);
        between, within, floor: mean distances AB, AA, BB; net, tightening, shift, similarity, each
        with _low and _high; share, the shift over the floor; shift_p, shift_p_holm, tightening_p,
        tightening_p_holm (corrected over the augmentations of a metric, reference and kind of
        predictions, controls apart), note (why there is no p); superiority, superiority_low,
        superiority_high (of any predictions); agreement, the share of maps of AB with equal
        predictions; models, reference_models, images.
    """
    arms = {name: [model for model in models if model[0] == name] for name in (BASELINE, *pairs)}
    matched = [name for name in MATCHED if name in pairs]
    rows: list[dict[str, Any]] = []
    for metric, reference, predictions in product(metrics, (BASELINE, *matched), PREDICTIONS):
        taken = (BASELINE,) if reference == BASELINE else (BASELINE, *matched)
        names = [name for name in pairs if name not in taken]
        start, tests = len(rows), []
        for name in names:
            tables = [pairs[arm] for arm in (reference, name) if arm in pairs]
            two = _two_arms(tables, arms[reference], arms[name], metric, predictions)
            paired = _paired(arms[reference], arms[name], len(names))
            same = registry.metric(metric).same
            compared = shift.shift(*two, seed, identical=same or None, paired=paired)
            if reference == BASELINE and incomparable:
                compared = shift.refused(compared.kinds, incomparable)
            tests.append(compared)
            better = Interval(np.nan, np.nan, np.nan)
            if predictions == ANY and not np.isnan(compared.shift.mean):
                better = shift.superiority(*two, seed)
            floor, between, within = compared.kinds
            rows.append(
                {"metric": metric, "augmentation": name, "reference": reference}
                | {"predictions": predictions}
                | {"between": between, "within": within, "floor": floor}
                | compared.net.columns("net")
                | compared.tightening.columns("tightening")
                | compared.shift.columns("shift")
                | compared.similarity.columns("similarity")
                | {"share": compared.shift.mean / floor if floor > 0 else np.nan}
                | {"shift_p": compared.shift_test.p, "shift_p_holm": np.nan}
                | {"tightening_p": compared.tightening_test.p, "tightening_p_holm": np.nan}
                | {"note": ""}
                | better.columns("superiority")
                | {"agreement": _agreement(tables[-1], reference)}
                | {"models": len(arms[name]), "reference_models": len(arms[reference])}
                | {"images": two[0].shape[1]}
            )
        _correct(rows[start:], [one.tightening_test for one in tests], "tightening_p")
        _correct(rows[start:], [one.shift_test for one in tests], "shift_p")
    return pd.DataFrame(rows)


def _paired(first: Sequence[Model], second: Sequence[Model], tests: int) -> list[tuple[int, int]]:
    """Places of the models of each seed, where two arms have the same, enough for so many tests."""
    places = {seed: k for k, (_, seed) in enumerate(first)}
    seeds = [seed for _, seed in second]
    if places.keys() != set(seeds) or not statistics.enough_pairs(len(seeds), tests):
        return []
    return [(places[seed], len(first) + k) for k, seed in enumerate(seeds)]


def _agreement(table: pd.DataFrame, reference: str) -> float:
    """Share of pairs of maps with a reference model in which both models predict one class."""
    across = table[(table["a"] == reference) & (table["b"] != reference)]
    return float((across["prediction_a"] == across["prediction_b"]).mean())


def mixed_models(
    pairs: Mapping[str, pd.DataFrame], models: Sequence[Model], metric: str, seed: int
) -> pd.DataFrame:
    """The shift of one metric from the baselines, by a mixed-effects model (`mixed.shift`).

    Parameters
    ----------
    pairs, models
        As in `shifts`.

    Returns
    -------
    DataFrame
        metric, augmentation; shift, low, high; image, pair, rest (variances); images (it is fitted
        to), note (why there was no fit).
    """
    from campare import mixed  # statsmodels takes long to import

    baselines = [model for model in models if model[0] == BASELINE]
    rows: list[dict[str, Any]] = []
    for name in (name for name in pairs if name != BASELINE):
        own = [model for model in models if model[0] == name]
        tables = [pairs[arm] for arm in (BASELINE, name) if arm in pairs]
        fit = mixed.shift(*_two_arms(tables, baselines, own, metric), seed)
        rows.append(
            {"metric": metric, "augmentation": name}
            | fit.estimate.columns("shift", "")
            | {"image": fit.image, "pair": fit.pair, "rest": fit.rest}
            | {"images": fit.images, "note": fit.words}
        )
    return pd.DataFrame(rows)


def between(
    pairs: Mapping[str, pd.DataFrame],
    models: Sequence[Model],
    metrics: Sequence[str],
    seed: int,
) -> pd.DataFrame:
    """How far apart the models of two augmentations are, with no baseline between them.

    Parameters
    ----------
    pairs
        Augmentation → its pairs, those with the augmentations after it included.
    models
        (augmentation, seed) of all.

    Returns
    -------
    DataFrame
        metric, augmentation_a, augmentation_b; between, within_a, within_b: mean distances; shift
        between the two, low, high (`shift.shift`); p, p_holm (over the pairs of a metric), note;
        pairs (of models), images.
    """
    couples = list(combinations(pairs, 2))
    rows: list[dict[str, Any]] = []
    for metric in metrics:
        tests = []
        for a, b in couples:
            first, last = ([model for model in models if model[0] == name] for name in (a, b))
            far, places, second = _two_arms([pairs[a], pairs[b]], first, last, metric)
            paired = _paired(first, last, len(couples))
            compared = shift.shift(far, places, second, seed, paired=paired)
            within_a, mean, within_b = compared.kinds
            tests.append(compared.shift_test)
            across = second[places].sum(axis=1) == 1
            rows.append(
                {"metric": metric, "augmentation_a": a, "augmentation_b": b}
                | {"between": mean, "within_a": within_a, "within_b": within_b}
                | compared.shift.columns("shift", "")
                | {"p": tests[-1].p, "p_holm": np.nan, "note": ""}
                | {"pairs": int((~np.isnan(far[across]).all(axis=1)).sum())}
                | {"images": far.shape[1]}
            )
        for row, test in zip(rows[-len(tests) :], statistics.corrected(tests), strict=True):
            row |= {"p_holm": test.p, "note": test.words}
    return pd.DataFrame(rows)


def _two_arms(
    tables: Sequence[pd.DataFrame],
    first: Sequence[Model],
    second: Sequence[Model],
    metric: str,
    predictions: str = ANY,
) -> tuple[Doubles, NDArray[np.int64], NDArray[np.bool_]]:
    """What `shift` takes: distances, pairs, and which models are of the second arm."""
    far, places = distances(tables, [*first, *second], metric, predictions)
    return far, places, np.arange(len(first) + len(second)) >= len(first)


def summary(gains: pd.DataFrame, shifts: pd.DataFrame, metric: str) -> pd.DataFrame:
    """The answer on one page: accuracy change and map shift, both from one reference.

    The reference of the augmentations is the first step-matched control by which any of them can be
    tested, so that a change is not that of more steps; else the baselines. Controls follow, against
    the baselines.

    Parameters
    ----------
    gains, shifts
        What the functions of these names give.
    metric
        The one that stands for all.

    Returns
    -------
    DataFrame
        augmentation, reference; accuracy, reference_accuracy, gain, gain_low, gain_high,
        gain_p_holm; metric, then the columns of `shifts` of any predictions; equal_shift,
        equal_shift_low, equal_shift_high, equal_shift_p_holm, the same of equal predictions;
        significant: in how many metrics shift_p_holm ≤ 0.05, of how many tested; note (why there is
        no test of the shift), gain_note.
    """
    chosen = shifts[shifts["metric"] == metric]
    chosen = chosen.sort_values(
        "augmentation", key=lambda names: names.isin(MATCHED), kind="stable"
    )
    of_augmentations = ~chosen["augmentation"].isin(MATCHED)
    testable = chosen[of_augmentations & chosen["shift_p_holm"].notna()]["reference"]
    reference = next((name for name in MATCHED if name in set(testable)), BASELINE)
    of_reference = chosen["reference"].eq(reference).where(of_augmentations, True)
    key = ["augmentation", "reference"]
    ours = chosen[of_reference & (chosen["predictions"] == ANY)].set_index(key)
    equal = chosen[chosen["predictions"] == EQUAL].set_index(key)[
        ["shift", "shift_low", "shift_high", "shift_p_holm"]
    ]
    of_gain = gains.set_index(key)[
        ["accuracy", "reference_accuracy", "gain", "gain_low", "gain_high", "gain_p_holm", "note"]
    ]
    p = shifts[shifts["predictions"] == ANY].groupby(key, sort=False)["shift_p_holm"]
    counts = pd.DataFrame({"significant": p.agg(_significant), "tested": p.count()})
    parts: list[pd.DataFrame] = [
        of_gain.rename(columns={"note": "gain_note"}), ours, equal.add_prefix("equal_"), counts,
    ]  # fmt: skip
    table = pd.concat([part.reindex(ours.index) for part in parts], axis=1)
    return table.drop(columns="predictions").reset_index()


def _significant(p: pd.Series) -> float:
    """How many are significant; NaN where none could be: zero of none is no finding."""
    return float((p <= statistics.ALPHA).sum()) if p.notna().any() else np.nan


def accuracy_changes(
    correct: Mapping[Model, NDArray[np.bool_]], matched: Sequence[str], seed: int
) -> pd.DataFrame:
    """How much higher the test accuracy of an augmentation's models is than without it.

    Parameters
    ----------
    correct
        Model → whether its prediction is correct, (images,); the baselines included. Where two arms
        have the same seeds, models of one seed are paired: in the mean and its interval, and where
        they are enough of them in the test.
    matched
        The step-matched controls, which are a reference beside the baselines.

    Returns
    -------
    DataFrame
        augmentation, reference; accuracy, reference_accuracy (means over models); gain, gain_low,
        gain_high (95 %, over models and images); gain_p, gain_p_holm
        (`statistics.difference_test`), note (why there is none); g, g_low, g_high (Hedges's, over
        models); models, reference_models, images.
    """
    arms: dict[str, dict[int, NDArray[np.bool_]]] = {}
    for (name, number), values in correct.items():
        arms.setdefault(name, {})[number] = values
    rows: list[dict[str, Any]] = []
    for reference in (BASELINE, *matched):
        taken = (BASELINE,) if reference == BASELINE else (BASELINE, *matched)
        others, tests, start = arms[reference], [], len(rows)
        names = [name for name in arms if name not in taken]
        for name in names:
            own = arms[name]
            paired = own.keys() == others.keys()
            gain = statistics.gained(own, others, seed, paired=paired)
            base = {k: others[k] for k in own} if paired else others
            ours, theirs = (np.array([v.mean() for v in arm.values()]) for arm in (own, base))
            size = statistics.standardised(ours, theirs)
            if paired:
                size = statistics.standardised_paired(ours - theirs)
            swapped = paired and statistics.enough_pairs(len(own), len(names))
            tests.append(statistics.difference_test(ours, theirs, seed, paired=swapped))
            rows.append(
                {"augmentation": name, "reference": reference}
                | {"accuracy": ours.mean(), "reference_accuracy": theirs.mean()}
                | gain.columns("gain")
                | {"gain_p": tests[-1].p, "gain_p_holm": np.nan, "note": ""}
                | size.columns("g")
                | {"models": len(ours), "reference_models": len(theirs)}
                | {"images": len(next(iter(own.values())))}
            )
        _correct(rows[start:], tests, "gain_p")
    return pd.DataFrame(rows)


def _correct(rows: Sequence[dict[str, Any]], tests: Sequence[Test], column: str) -> None:
    """Fill in the corrected column and note; controls are a family of their own."""
    for matched in (False, True):
        family = [k for k, row in enumerate(rows) if (row["augmentation"] in MATCHED) == matched]
        corrected = statistics.corrected([tests[k] for k in family])
        for k, test in zip(family, corrected, strict=True):
            rows[k] |= {f"{column}_holm": test.p, "note": test.words}


def distances(
    tables: Sequence[pd.DataFrame], models: Sequence[Model], metric: str, predictions: str = ANY
) -> tuple[Doubles, NDArray[np.int64]]:
    """How far the maps of each two models are apart, image by image.

    Parameters
    ----------
    tables
        Pairs of models, as measure_pairs writes them: the same images in one order.

    Returns
    -------
    distances
        float64 (pairs, images), as `distance` says. NaN where the metric is undefined, for two
        models that share a seed and so are not in the tables and, of "equal" predictions, where
        the two models predict different classes.
    pairs
        int64 (pairs, 2): places in `models`, all combinations of two.
    """
    pairs = np.array(list(combinations(range(len(models)), 2)), np.int64).reshape(-1, 2)
    row_of = {frozenset((models[i], models[j])): row for row, (i, j) in enumerate(pairs)}
    images = tables[0]["index"].nunique()
    far_apart = np.full((len(pairs), images), np.nan)
    for table in tables:
        values = distance(table[metric].to_numpy(), metric)
        if predictions == EQUAL:
            values = np.where(table["prediction_a"] == table["prediction_b"], values, np.nan)
        values = values.reshape(-1, images)
        ends = table[MODEL_PAIR].iloc[::images].itertuples(index=False, name=None)
        for (a, seed_a, b, seed_b), far in zip(ends, values, strict=True):
            row = row_of.get(frozenset(((a, seed_a), (b, seed_b))))
            if row is not None:
                far_apart[row] = far
    return far_apart, pairs


def distance(values: Any, metric: str) -> Any:
    """A metric as a distance: 0 for equal maps, more the farther they are apart."""
    same = registry.metric(metric).same
    assert same is not None
    return same - values if same > 0 else values - same


def measured(
    models: Sequence[Model], tables: Sequence[pd.DataFrame], metrics: Sequence[str]
) -> Doubles:
    """Similarity tables as `clustering` takes them: (metrics, augmentations, seeds, images).

    Parameters
    ----------
    models, tables
        (augmentation, seed) and similarity table of each: for every augmentation the same seeds. An
        image with several baselines has its mean over them.
    """
    names = list(dict.fromkeys(name for name, _ in models))
    values = np.stack(
        [table.groupby("index", sort=False)[[*metrics]].mean().to_numpy().T for table in tables]
    )
    shape = (len(names), len(models) // len(names), *values.shape[1:])
    return np.moveaxis(values.reshape(shape), 2, 0)


def clusters(trees: Mapping[str, Clusters], augmentations: Sequence[str]) -> pd.DataFrame:
    """The clusters of augmentations, in the order in which they are joined.

    Parameters
    ----------
    trees
        Metric → its profile.

    Returns
    -------
    DataFrame
        metric; first, second (what is joined, names held together by " + ") and members (both, in
        the order of the leaves of a tree); distance, the mean 1 − r between the two; support, the
        share of resamples in which the cluster appears, member for member, of resamples.
    """
    rows: list[tuple[Any, ...]] = []
    for metric, profile in trees.items():
        parts = [name for name, kept in zip(augmentations, profile.kept, strict=True) if kept]
        for (i, j, distance, _), support in zip(profile.linkage, profile.support, strict=True):
            first, second = parts[int(i)], parts[int(j)]
            parts.append(f"{first} + {second}")
            rows.append((metric, first, second, parts[-1], distance, support, profile.resamples))
    columns = ["metric", "first", "second", "members", "distance", "support", "resamples"]
    return pd.DataFrame(rows, columns=columns)


def correlations(maps: Doubles, names: Sequence[str], augmentations: Sequence[str]) -> pd.DataFrame:
    """Correlation maps (maps, augmentations, augmentations) as a table, a row per cell.

    Returns
    -------
    DataFrame
        metric (of `names`, one per map), augmentation_a, augmentation_b, pearson.
    """
    return pd.DataFrame(
        [
            (name, a, b, r)
            for name, values in zip(names, maps, strict=True)
            for a, row in zip(augmentations, values, strict=True)
            for b, r in zip(augmentations, row, strict=True)
        ],
        columns=["metric", "augmentation_a", "augmentation_b", "pearson"],
    )


def counted(by_chance: Mapping[str, Counts], augmentations: Sequence[str]) -> pd.DataFrame:
    """How often pairs of augmentations are among the strongest or weakest, beside chance.

    Parameters
    ----------
    by_chance
        "strongest" and "weakest" → what `clustering.by_chance` gives.

    Returns
    -------
    DataFrame
        pairs ("strongest" or "weakest"), augmentation_a, augmentation_b, count, expected, p (that
        this pair reaches the count by chance), p_any (that any pair does).
    """
    return pd.DataFrame(
        [
            (which, *pair, count, counts.expected, p, p_any)
            for which, counts in by_chance.items()
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
