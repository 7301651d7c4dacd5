"""Tables of the map shift beyond retraining variability, from distances of pairs of models.

There are three kinds of pairs: an augmented model with a reference model (AB), two models of one
augmentation (AA), two reference models (BB). Tables are tidy. Undefined values are NaN; they are
left out of every mean, and counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, combinations, product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from campare import performance, registry, shift, statistics
from campare.clustering import Clusters, Counts
from campare.design import BASELINE, Model
from campare.registry import MATCHED
from campare.statistics import Interval, Test

Doubles = NDArray[np.float64]

# Arms with which others are compared.
REFERENCES = (BASELINE, *MATCHED)
MODEL_PAIR = ["a", "seed_a", "b", "seed_b"]
# Columns of pairs that `kinds` and `shifts` use, besides the metrics.
PAIR = (*MODEL_PAIR, "index", "prediction_a", "prediction_b", "constant_a", "constant_b")
# Pairs of maps that are used: all, or those for which both models predict the same class.
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
        metric, augmentation, kind ("with_<reference>" or "within"; "baselines" for two baselines),
        mean, models (number in these pairs), pairs (of models), images, undefined (pairs of maps
        without a value), constant (maps that are zero everywhere, of models × images).
    """
    rows: dict[str, list[dict[str, Any]]] = {metric: [] for metric in metrics}
    for name, table in pairs.items():
        for kind, group in _by_kind(name, table):
            counts = _counts(group)
            for metric in metrics:
                about = {"metric": metric, "augmentation": name, "kind": kind}
                undefined = int(group[metric].isna().sum())
                rows[metric].append(
                    about | {"mean": group[metric].mean()} | counts | {"undefined": undefined}
                )
    columns = ["metric", "augmentation", "kind", "mean", "models", "pairs", "images", "undefined"]
    return pd.DataFrame(chain(*rows.values()), columns=[*columns, "constant"])


def _by_kind(name: str, table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """The kinds of pairs of an arm, with their rows: with each reference, and within the arm."""
    for reference in REFERENCES:
        member = (table["a"] == reference) & (table["b"] != reference)
        if member.any():
            yield f"with_{reference}", table[member]
    within = (table["a"] == name) & (table["b"] == name)
    if within.any():
        yield "baselines" if name == BASELINE else "within", table[within]


def _counts(table: pd.DataFrame) -> dict[str, int]:
    """Numbers of models, pairs of models, images and constant maps in some pairs."""
    members = [
        table[[which, f"seed_{which}", "index", f"constant_{which}"]].set_axis(
            ["model", "seed", "index", "constant"], axis=1
        )
        for which in ("a", "b")
    ]
    maps = pd.concat(members).drop_duplicates(["model", "seed", "index"])
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
    """The map shift of every augmentation beyond retraining variability (`shift.shift`).

    The reference models are the baselines and, if the study has them, step-matched models: trained
    without augmentation for the same number of steps. Step-matched models are themselves compared
    with the baselines. Each comparison is made twice: for all images, and for those for which both
    models of a pair predict the same class, because other pairs of maps explain different classes.

    Parameters
    ----------
    pairs
        Augmentation, control or "baseline" → its pairs as measure_pairs writes them.
    models
        (augmentation, seed) of all models, baselines included. If two arms have the same seeds, and
        enough of them (`statistics.enough_pairs`), labels are permuted within seeds.
    incomparable
        Why distances to and among baselines are not comparable with those among augmented models;
        "" if they are.

    Returns
    -------
    DataFrame
        metric, augmentation, reference, predictions ("any": all images; "equal": both models
        predict the same class); between, within, floor: mean distances AB, AA, BB; net,
        tightening, shift, noise_corrected_similarity, each with _low and _high; relative_shift:
        shift/floor; shift_p, shift_p_holm, tightening_p, tightening_p_holm (Holm's correction over
        the augmentations of a metric, reference and kind of predictions; controls are a family of
        their own), note (why there is no p); superiority, superiority_low, superiority_high (for
        "any" only); agreement: share of the pairs of maps of AB with equal predictions; models,
        reference_models, images (numbers).
    """
    names = list(pairs)
    found = uncorrected_shifts(pairs, models, metrics, incomparable, seed, arms=names, among=names)
    return corrected_shifts(found, metrics, names)


def uncorrected_shifts(
    pairs: Mapping[str, pd.DataFrame],
    models: Sequence[Model],
    metrics: Sequence[str],
    incomparable: str,
    seed: int,
    *,
    arms: Sequence[str],
    among: Sequence[str],
) -> pd.DataFrame:
    """Rows of `shifts` of some arms, before the correction over all arms.

    Parameters
    ----------
    pairs, models, metrics, incomparable, seed
        As in `shifts`; the pairs of these arms and of the references are used.
    arms
        The arms whose rows are made.
    among
        All arms with pairs.

    Returns
    -------
    DataFrame
        The columns of `shifts`, and shift_least, shift_words, tightening_least, tightening_words:
        the other parts of the two tests (`statistics.Test`).
    """
    members = {name: [model for model in models if model[0] == name] for name in (BASELINE, *among)}
    matched = [name for name in MATCHED if name in among]
    rows: list[dict[str, Any]] = []
    for name, reference in product(arms, (BASELINE, *matched)):
        references = (BASELINE,) if reference == BASELINE else (BASELINE, *matched)
        if name in references:
            continue
        tables = [pairs[arm] for arm in (reference, name) if arm in pairs]
        ours, theirs = members[name], members[reference]
        agreement = _agreement(pairs[name], reference)
        paired = sharing_seeds(theirs, ours, sum(other not in references for other in among))
        for metric, predictions in product(metrics, PREDICTIONS):
            two_arms = _two_arms(tables, theirs, ours, metric, predictions)
            same = registry.measure(metric).same
            compared = shift.shift(*two_arms, seed, identical=same or None, paired=paired)
            if reference == BASELINE and incomparable:
                compared = shift.refused(compared.kinds, incomparable)
            superiority = Interval(np.nan, np.nan, np.nan)
            if predictions == ANY and not np.isnan(compared.shift.mean):
                superiority = shift.superiority(*two_arms, seed)
            floor, between, within = compared.kinds
            rows.append(
                {"metric": metric, "augmentation": name, "reference": reference}
                | {"predictions": predictions}
                | {"between": between, "within": within, "floor": floor}
                | compared.net.columns("net")
                | compared.tightening.columns("tightening")
                | compared.shift.columns("shift")
                | compared.noise_corrected_similarity.columns("noise_corrected_similarity")
                | {"relative_shift": compared.shift.mean / floor if floor > 0 else np.nan}
                | {"shift_p": compared.shift_test.p, "shift_p_holm": np.nan}
                | {"tightening_p": compared.tightening_test.p, "tightening_p_holm": np.nan}
                | {"note": ""}
                | superiority.columns("superiority")
                | {"agreement": agreement}
                | {"models": len(ours), "reference_models": len(theirs)}
                | {"images": two_arms[0].shape[1]}
                | compared.shift_test.others("shift")
                | compared.tightening_test.others("tightening")
            )
    return pd.DataFrame(rows)


def corrected_shifts(
    found: pd.DataFrame, metrics: Sequence[str], names: Sequence[str]
) -> pd.DataFrame:
    """`shifts` from the rows of all arms.

    Parameters
    ----------
    found
        Results of `uncorrected_shifts`, one below the other.
    metrics, names
        The order of the metrics and of the arms.
    """
    place = {name: number for number, name in enumerate(names)}
    families: dict[Any, list[dict[Any, Any]]] = {
        key: group.sort_values("augmentation", key=lambda arms: arms.map(place)).to_dict("records")
        for key, group in found.groupby(["metric", "reference", "predictions"], sort=False)
    }
    rows: list[dict[Any, Any]] = []
    for key in product(metrics, REFERENCES, PREDICTIONS):
        family = families.get(key, [])
        for what in ("tightening", "shift"):  # the note is that of the shift
            tests = [
                Test(row[f"{what}_p"], row.pop(f"{what}_least"), row.pop(f"{what}_words"))
                for row in family
            ]
            correct_rows(family, tests, f"{what}_p")
        rows += family
    return pd.DataFrame(rows)


def sharing_seeds(
    first: Sequence[Model], second: Sequence[Model], tests: int
) -> list[tuple[int, int]]:
    """Pairs of places of the models with the same seed in two arms.

    Empty if the arms have different seeds, or too few for so many tests.
    """
    places = {seed: k for k, (_, seed) in enumerate(first)}
    seeds = [seed for _, seed in second]
    if places.keys() != set(seeds) or not statistics.enough_pairs(len(seeds), tests):
        return []
    return [(places[seed], len(first) + k) for k, seed in enumerate(seeds)]


def _agreement(table: pd.DataFrame, reference: str) -> float:
    """Share of the pairs of maps AB for which both models predict the same class."""
    across = table[(table["a"] == reference) & (table["b"] != reference)]
    return float((across["prediction_a"] == across["prediction_b"]).mean())


def mixed_models(
    pairs: Mapping[str, pd.DataFrame], models: Sequence[Model], metric: str, seed: int
) -> pd.DataFrame:
    """The map shift from the baselines in one metric, by a mixed-effects model (`mixed.shift`).

    Parameters
    ----------
    pairs, models
        As in `shifts`.

    Returns
    -------
    DataFrame
        metric, augmentation; shift, low, high; image, pair, rest (variances); images (number in the
        fit), note (why there is no fit).
    """
    from campare import mixed  # statsmodels takes long to import

    baselines = [model for model in models if model[0] == BASELINE]
    rows: list[dict[str, Any]] = []
    for name in (name for name in pairs if name != BASELINE):
        augmented = [model for model in models if model[0] == name]
        tables = [pairs[arm] for arm in (BASELINE, name) if arm in pairs]
        fit = mixed.shift(*_two_arms(tables, baselines, augmented, metric), seed)
        rows.append(
            {"metric": metric, "augmentation": name}
            | fit.estimate.columns("shift", "")
            | {"image": fit.image, "pair": fit.pair, "rest": fit.rest}
            | {"images": fit.images, "note": fit.words}
        )
    return pd.DataFrame(rows)


def by_class(
    pairs: Mapping[str, pd.DataFrame],
    models: Sequence[Model],
    metrics: Sequence[str],
    classes: Sequence[str],
    reference: str,
    seed: int,
) -> pd.DataFrame:
    """The map shift of every augmentation on the test images of each class (`shift.shift`).

    Parameters
    ----------
    pairs, models
        As in `shifts`; pairs of an augmentation have those with the reference models.
    classes
        Names of the classes, by label.
    reference
        "baseline", or the step-matched control with which augmentations are compared.

    Returns
    -------
    DataFrame
        metric, augmentation, reference, class (ALL for all images, then those with images); images
        (number); between, within, floor; net, tightening and shift, each with _low and _high (as in
        `shift.shift`; NaN for a class of one image); relative_shift: shift/floor of the class.
    """
    labels = pairs[reference].drop_duplicates("index")["label"].to_numpy()
    groups = {performance.ALL: np.ones(len(labels), bool)}
    groups |= {classes[label]: labels == label for label in np.unique(labels)}
    ours = [model for model in models if model[0] == reference]
    rows: list[dict[str, Any]] = []
    names = [name for name in pairs if name not in (BASELINE, *MATCHED)]
    for name in names:  # each is read once
        arm = [model for model in models if model[0] == name]
        paired, tables = sharing_seeds(ours, arm, len(names)), [pairs[reference], pairs[name]]
        for metric in metrics:
            far, places, second = _two_arms(tables, ours, arm, metric)
            for group, members in groups.items():
                found = shift.shift(far[:, members], places, second, seed, paired=paired)
                floor, between, within = found.kinds
                rows.append(
                    {"metric": metric, "augmentation": name, "reference": reference}
                    | {"class": group, "images": int(members.sum())}
                    | {"between": between, "within": within, "floor": floor}
                    | found.net.columns("net")
                    | found.tightening.columns("tightening")
                    | found.shift.columns("shift")
                    | {"relative_shift": found.shift.mean / floor if floor > 0 else np.nan}
                )
    order = {metric: place for place, metric in enumerate(metrics)}
    table = pd.DataFrame(rows)
    return table.sort_values(
        "metric", key=lambda column: column.map(order), kind="stable", ignore_index=True
    )


def between(
    pairs: Mapping[str, pd.DataFrame],
    models: Sequence[Model],
    metrics: Sequence[str],
    seed: int,
) -> pd.DataFrame:
    """The map shift between every two augmentations, without a baseline (`shift.shift`).

    Parameters
    ----------
    pairs
        Augmentation → its pairs, including those with the augmentations after it.
    models
        (augmentation, seed) of all models.

    Returns
    -------
    DataFrame
        metric, augmentation_a, augmentation_b; between, within_a, within_b: mean distances; shift
        between the two, low, high; p, p_holm (Holm's correction over the pairs of augmentations of
        a metric), note (why there is no p); pairs (of models), images (numbers).
    """
    couples = list(combinations(pairs, 2))
    rows: list[dict[str, Any]] = []
    for metric in metrics:
        tests = []
        for a, b in couples:
            first, last = ([model for model in models if model[0] == name] for name in (a, b))
            far, places, second = _two_arms([pairs[a], pairs[b]], first, last, metric)
            paired = sharing_seeds(first, last, len(couples))
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
    """Arguments of `shift.shift`: distances, pairs, and which models are of the second arm."""
    far, places = distances(tables, [*first, *second], metric, predictions)
    return far, places, np.arange(len(first) + len(second)) >= len(first)


def summary(changes: pd.DataFrame, shifts: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Accuracy change and map shift of every augmentation, from the same reference.

    The reference of the augmentations is the first step-matched control with which any of them can
    be tested, so that a change is not due to the larger number of steps; otherwise the baselines.
    The controls follow, compared with the baselines.

    Parameters
    ----------
    changes, shifts
        Results of `accuracy_changes` and `shifts`.
    metric
        The metric of the map shift.

    Returns
    -------
    DataFrame
        augmentation, reference; accuracy, reference_accuracy, accuracy_change and
        accuracy_change_low, _high, _p_holm, _note; the columns `BALANCED`, if `changes` has them;
        metric, then the columns of `shifts` for any
        predictions;
        equal_shift, equal_shift_low, equal_shift_high, equal_shift_p_holm for equal predictions;
        significant: number of metrics with shift_p_holm ≤ 0.05, of `tested`.
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
    of_accuracy = changes.set_index(key)[
        [
            "accuracy",
            "reference_accuracy",
            "accuracy_change",
            "accuracy_change_low",
            "accuracy_change_high",
            "accuracy_change_p_holm",
            "note",
            *(name for name in BALANCED if name in changes),
        ]
    ]
    p = shifts[shifts["predictions"] == ANY].groupby(key, sort=False)["shift_p_holm"]
    counts = pd.DataFrame({"significant": p.agg(_significant), "tested": p.count()})
    parts: list[pd.DataFrame] = [
        of_accuracy.rename(columns={"note": "accuracy_change_note"}),
        ours,
        equal.add_prefix("equal_"),
        counts,
    ]
    table = pd.concat([part.reindex(ours.index) for part in parts], axis=1)
    return table.drop(columns="predictions").reset_index()


def _significant(p: pd.Series) -> float:
    """Number of p-values ≤ 0.05; NaN if none is defined."""
    return float((p <= statistics.ALPHA).sum()) if p.notna().any() else np.nan


# Columns of the rows of `changes`, without Hedges' g.
CHANGED = (
    *("augmentation", "reference", "mean", "reference_mean"),
    *("change", "change_low", "change_high", "change_p", "change_p_holm"),
    *("note", "models", "reference_models", "images"),
)


# Columns of balanced accuracy in `accuracy_changes`, and those of them in `summary`.
_ENDS = ("", "_low", "_high", "_p", "_p_holm")
BALANCED = tuple(f"balanced_accuracy_change{end}" for end in _ENDS if end != "_p")


def accuracy_changes(
    correct: Mapping[Model, NDArray[np.bool_]],
    matched: Sequence[str],
    seed: int,
    labels: NDArray[np.int64] | None = None,
) -> pd.DataFrame:
    """Difference in test accuracy between the models of every augmentation and the reference.

    Parameters
    ----------
    correct
        Model → bool (images,), whether its prediction is correct; including the baselines.
    matched, seed
        As in `changes`.
    labels
        int64 (images,): class of each image, for the balanced accuracy; None: without it.

    Returns
    -------
    DataFrame
        As the rows of `changes`, with accuracy, reference_accuracy and accuracy_change in place of
        mean, reference_mean and change; then the same of the balanced accuracy.
    """
    of = {"mean": "accuracy", "reference_mean": "reference_accuracy"}
    of |= {f"change{end}": f"accuracy_change{end}" for end in _ENDS}
    table = pd.DataFrame(changes(correct, matched, seed)).rename(columns=of)
    if labels is None:
        return table
    weighted = {model: performance.balanced(one, labels) for model, one in correct.items()}
    balanced = pd.DataFrame(changes(weighted, matched, seed))[[*of]]
    names = ["balanced_accuracy", "reference_balanced_accuracy"]
    names += [f"balanced_accuracy_change{end}" for end in _ENDS]
    return pd.concat([table, balanced.set_axis(names, axis=1)], axis=1)


def changes(
    values: Mapping[Model, NDArray[Any]], matched: Sequence[str], seed: int
) -> list[dict[str, Any]]:
    """Difference in a mean over images between the models of every augmentation and the reference.

    If two arms have the same seeds, models of one seed are paired in the mean and its interval, and
    also in the test if there are enough seeds (`statistics.enough_pairs`).

    Parameters
    ----------
    values
        Model → a value per image (images,), such as whether its prediction is correct; NaN is left
        out. Baselines are among the models.
    matched
        The step-matched controls, each of them a reference in addition to the baselines.

    Returns
    -------
    list of dict
        augmentation, reference; mean, reference_mean (over models and images); change with its ends
        _low and _high (95 %, over models and images), _p and _p_holm
        (`statistics.difference_test`), note (why there is none); g, g_low, g_high (Hedges' g over
        models); models, reference_models, images (numbers).
    """
    arms: dict[str, dict[int, Doubles]] = {}
    for (name, number), one in values.items():
        arms.setdefault(name, {})[number] = np.asarray(one, np.float64)
    rows: list[dict[str, Any]] = []
    for reference in (BASELINE, *matched):
        references = (BASELINE,) if reference == BASELINE else (BASELINE, *matched)
        others, tests, start = arms[reference], [], len(rows)
        names = [name for name in arms if name not in references]
        for name in names:
            arm = arms[name]
            paired = arm.keys() == others.keys()
            change = statistics.difference_from_reference(arm, others, seed, paired=paired)
            base = {k: others[k] for k in arm} if paired else others
            ours, theirs = (
                np.array([statistics.average(v) for v in models.values()]) for models in (arm, base)
            )
            size = statistics.standardised(ours, theirs)
            if paired:
                size = statistics.standardised_paired(ours - theirs)
            swapped = paired and statistics.enough_pairs(len(arm), len(names))
            tests.append(statistics.difference_test(ours, theirs, seed, paired=swapped))
            rows.append(
                {"augmentation": name, "reference": reference}
                | {"mean": float(statistics.average(ours))}
                | {"reference_mean": float(statistics.average(theirs))}
                | change.columns("change")
                | {"change_p": tests[-1].p, "change_p_holm": np.nan, "note": ""}
                | size.columns("g")
                | {"models": len(ours), "reference_models": len(theirs)}
                | {"images": len(next(iter(arm.values())))}
            )
        correct_rows(rows[start:], tests, "change_p")
    return rows


def correct_rows(rows: Sequence[dict[str, Any]], tests: Sequence[Test], column: str) -> None:
    """Set <column>_holm and note of the rows of augmentations; controls are their own family."""
    for matched in (False, True):
        family = [k for k, row in enumerate(rows) if (row["augmentation"] in MATCHED) == matched]
        corrected = statistics.corrected([tests[k] for k in family])
        for k, test in zip(family, corrected, strict=True):
            rows[k] |= {f"{column}_holm": test.p, "note": test.words}


def distances(
    tables: Sequence[pd.DataFrame], models: Sequence[Model], metric: str, predictions: str = ANY
) -> tuple[Doubles, NDArray[np.int64]]:
    """Distances between the maps of all pairs of models, image by image.

    Parameters
    ----------
    tables
        Pairs of models, as measure_pairs writes them: all with the same images in the same order.

    Returns
    -------
    distances
        float64 (pairs, images), the metric as a `distance`. NaN if the metric is undefined, for
        pairs of models that are not in the tables because they share a seed and, with `predictions`
        "equal", if the two models predict different classes.
    pairs
        int64 (pairs, 2): places in `models`, all combinations of two.
    """
    pairs = np.array(list(combinations(range(len(models)), 2)), np.int64).reshape(-1, 2)
    row_of = {frozenset((models[i], models[j])): row for row, (i, j) in enumerate(pairs)}
    images = tables[0]["index"].nunique()
    of_pairs = np.full((len(pairs), images), np.nan)
    for table in tables:
        values = distance(table[metric].to_numpy(), metric)
        if predictions == EQUAL:
            values = np.where(table["prediction_a"] == table["prediction_b"], values, np.nan)
        values = values.reshape(-1, images)
        ends = table[MODEL_PAIR].iloc[::images].itertuples(index=False, name=None)
        for (a, seed_a, b, seed_b), far in zip(ends, values, strict=True):
            row = row_of.get(frozenset(((a, seed_a), (b, seed_b))))
            if row is not None:
                of_pairs[row] = far
    return of_pairs, pairs


def distance(values: Any, metric: str) -> Any:
    """Values of a metric as distances: 0 for two identical maps, larger for less similar ones."""
    same = registry.measure(metric).same
    assert same is not None
    return same - values if same > 0 else values - same


def measured(
    models: Sequence[Model], tables: Iterable[pd.DataFrame], metrics: Sequence[str]
) -> Doubles:
    """Similarity tables as an array for `clustering`: (metrics, augmentations, seeds, images).

    Values are means over the baselines that a model is compared with.

    Parameters
    ----------
    models, tables
        (augmentation, seed) and similarity table of each; the same seeds for every augmentation.
    """
    names = list(dict.fromkeys(name for name, _ in models))
    values = np.stack(
        [table.groupby("index", sort=False)[[*metrics]].mean().to_numpy().T for table in tables]
    )
    shape = (len(names), len(models) // len(names), *values.shape[1:])
    return np.moveaxis(values.reshape(shape), 2, 0)


def clusters(trees: Mapping[str, Clusters], augmentations: Sequence[str]) -> pd.DataFrame:
    """The clusters of augmentations as a table, in the order in which they are joined.

    Parameters
    ----------
    trees
        Metric → its tree.

    Returns
    -------
    DataFrame
        metric; first, second (the clusters that are joined, names separated by " + "), members (of
        the new cluster, in the order of the leaves of the tree); distance (mean 1 − r between the
        two); support (share of the resamples whose tree contains exactly this cluster), resamples.
    """
    rows: list[tuple[Any, ...]] = []
    for metric, tree in trees.items():
        parts = [name for name, kept in zip(augmentations, tree.kept, strict=True) if kept]
        for (i, j, distance, _), support in zip(tree.linkage, tree.support, strict=True):
            first, second = parts[int(i)], parts[int(j)]
            parts.append(f"{first} + {second}")
            rows.append((metric, first, second, parts[-1], distance, support, tree.resamples))
    columns = ["metric", "first", "second", "members", "distance", "support", "resamples"]
    return pd.DataFrame(rows, columns=columns)


def correlations(maps: Doubles, names: Sequence[str], augmentations: Sequence[str]) -> pd.DataFrame:
    """Correlation matrices (metrics, augmentations, augmentations) as a table, a row per cell.

    Returns
    -------
    DataFrame
        metric (one of `names` per matrix), augmentation_a, augmentation_b, pearson.
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
    """How often pairs of augmentations are among the strongest or weakest, compared with chance.

    Parameters
    ----------
    by_chance
        "strongest" and "weakest" → `Counts` of `clustering.by_chance`.

    Returns
    -------
    DataFrame
        pairs ("strongest" or "weakest"), augmentation_a, augmentation_b, count, expected (under the
        null hypothesis), p and p_any (as in `clustering.Counts`).
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
    """Means as of `analysis.aggregate`, with all augmentations compared with the same baselines.

    Parameters
    ----------
    pairs
        Augmentation → its pairs as measure_pairs writes them.
    baselines
        Seeds of the baselines.

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
