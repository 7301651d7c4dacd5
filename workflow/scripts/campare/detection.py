"""Which metrics detect a known change of the networks: groups separated, strengths in order.

A group of networks that differ from the baselines by a known change (and by their seeds) is
compared with the baselines, which differ from each other by their seeds alone. A metric detects the
change if networks of one group are more similar to each other than to networks of the other group.
This is the group separation test of the benchmark ReSi (Klabunde et al., "ReSi: A comprehensive
benchmark for representational similarity measures", ICLR 2025), here for metrics of maps and
predictions.

In all functions a matrix of distances is float (networks, networks), symmetric, a metric that grows
as two networks become less alike, averaged over images; NaN for pairs that are not compared.

Intervals are percentile intervals of a bootstrap over networks: the baselines and the networks of a
change are resampled; a pair counts as often as both of its networks together; pairs of two copies
of one network are left out. In simulations with groups of five to eight networks, 92 to 100 % of
the 95 % intervals of AUPRC and AUROC contained the expected value, except if the groups are
separated in every draw: then the interval has no width. The draws depend on the numbers of networks
only, so that those of different metrics and changes are paired.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from campare import controls, shift, statistics
from campare.design import BASELINE, Model
from campare.known_changes import UNCHANGED
from campare.labels import title
from campare.statistics import ALPHA, QUANTILE, Doubles, Interval

Bools = NDArray[np.bool_]
DRAWS = 1000
# Kind of the rows over all kinds of changes.
ALL = "all"


class Arm(NamedTuple):
    """Networks with one change.

    name: their arm; change: its kind, or the name of a sweep; level: as text; strength: place among
    the levels of its kind, from 1; 0 if they differ by their seeds alone.
    """

    name: str
    change: str
    level: str
    strength: int


class Separation(NamedTuple):
    """How well distances separate two groups of networks.

    auprc, auroc: with their 95 % intervals. chance: mean AUPRC over all relabellings of the
    networks; prior: share of pairs within groups, to which chance falls as groups grow. drawn: (2,
    draws), AUPRC and AUROC in each bootstrap draw.
    """

    auprc: Interval
    auroc: Interval
    chance: float
    prior: float
    drawn: Doubles


def separation(
    distances: ArrayLike, second: ArrayLike, seed: int, draws: int = DRAWS
) -> Separation:
    """AUPRC and AUROC with which distances separate pairs within groups from pairs across groups.

    For each of the two groups, its pairs of networks are positive, and its pairs with networks of
    the other group negative; pairs are ranked by similarity. AUPRC is the average precision, AUROC
    the probability that a positive pair is more similar than a negative one (ties count half). Both
    are averaged over the two groups, as in ReSi. 1: separated; without a change, AUPRC is `chance`
    and AUROC 0.5 on average.

    Parameters
    ----------
    second
        bool (networks,), whether a network is of the second group, that with the change.
    seed
        Of the resampling, and of the relabellings if there are many.

    Returns
    -------
    Separation
        NaN if a group has fewer than two networks, or no defined pair within or across it.
    """
    ranked = _Ranked(np.asarray(distances, np.float64))
    group = np.asarray(second, bool)
    estimate = ranked.separated(group[None], np.ones((1, len(group))))[:, 0]
    if np.isnan(estimate).any():
        unknown = Interval(np.nan, np.nan, np.nan)
        return Separation(unknown, unknown, np.nan, np.nan, np.full((2, draws), np.nan))
    labels, _ = statistics.relabellings(group, seed)
    relabelled, _ = ranked.separated(labels > 0, np.ones(labels.shape))
    counts = np.empty((draws, len(group)))
    for place, members in enumerate((~group, group)):
        counts[:, members] = _resampled(int(members.sum()), place, seed, draws)
    drawn = ranked.separated(np.repeat(group[None], draws, axis=0), counts)
    auprc, auroc = (_percentiles(float(e), d) for e, d in zip(estimate, drawn, strict=True))
    return Separation(auprc, auroc, float(np.nanmean(relabelled)), ranked.prior(group), drawn)


class _Ranked:
    """All defined pairs of networks, in the order of their similarity."""

    def __init__(self, distances: Doubles) -> None:
        first, second = np.triu_indices(len(distances), 1)
        values = distances[first, second]
        order = np.argsort(values, kind="stable")[: np.count_nonzero(~np.isnan(values))]
        self.first, self.second = first[order], second[order]
        # The last of each run of equal distances: tied pairs enter together, as in scikit-learn.
        self.ends = np.flatnonzero(
            np.append(np.diff(values[order]) != 0, [True] * (len(order) > 0))
        )

    def separated(self, labels: Bools, counts: Doubles) -> Doubles:
        """AUPRC and AUROC (2, cases), averaged over the two groups.

        labels: bool (cases, networks), the group of each network. counts: (cases, networks), how
        often it counts.
        """
        a, b = labels[:, self.first], labels[:, self.second]
        weights = counts[:, self.first] * counts[:, self.second]
        across = weights * (a != b)
        groups = [_areas(weights * within, across, self.ends) for within in (~a & ~b, a & b)]
        return np.asarray(np.mean(groups, axis=0))

    def prior(self, group: Bools) -> float:
        """Share of pairs within a group, of those and its pairs across; mean of the groups."""
        a, b = group[self.first], group[self.second]
        across = np.count_nonzero(a != b)
        within = (np.count_nonzero(~a & ~b), np.count_nonzero(a & b))
        return float(np.mean([n / (n + across) for n in within]))


def _areas(positive: Doubles, negative: Doubles, ends: NDArray[np.int64]) -> Doubles:
    """Areas under the curves of precision and recall, and of ROC, (2, cases).

    positive, negative: (cases, pairs), weights of the pairs in the order of their similarity; ends:
    places of the last pair of each run of equal distances. NaN without positive or negative pairs.
    """
    if not len(ends):
        return np.full((2, len(positive)), np.nan)
    hits, errors = (np.cumsum(part, axis=1)[:, ends] for part in (positive, negative))
    gained = np.diff(hits, axis=1, prepend=0)
    before = np.pad(errors, ((0, 0), (1, 0)))[:, :-1]
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(gained > 0, hits / (hits + errors), 0)
        auprc = (gained * precision).sum(1) / hits[:, -1]
        # Of the negative pairs, those after a positive pair, and half of those tied with it.
        after = errors[:, -1:] - (errors + before) / 2
        auroc = (gained * after).sum(1) / (hits[:, -1] * errors[:, -1])
    return np.stack([np.where(errors[:, -1] > 0, auprc, np.nan), auroc])


def rank_correlation(
    distances: ArrayLike, strengths: ArrayLike, seed: int, draws: int = DRAWS
) -> tuple[Interval, Doubles]:
    """Spearman correlation over networks of strength of a change and distance from the baselines.

    The distance of a network is its mean distance from the baselines, other than itself. Ties have
    average ranks; so the largest possible value is below 1, since networks of one strength are
    tied: 0.97 for five networks of each of four strengths.

    Parameters
    ----------
    strengths
        (networks,), 0 for the baselines. Networks of other strengths are those of the same seeds,
        in the same order, and are resampled together.

    Returns
    -------
    Interval
        NaN if fewer than two strengths have a defined distance.
    drawn : (draws,)
    """
    table, order = np.asarray(distances, np.float64), np.asarray(strengths)
    counts = np.empty((draws + 1, len(order)))
    counts[0] = 1
    for strength in np.unique(order):
        members = order == strength
        counts[1:, members] = _resampled(int(members.sum()), int(strength > 0), seed, draws)
    defined = ~np.isnan(table) & (order == 0)
    with np.errstate(invalid="ignore"):
        far = counts @ np.where(defined, table, 0).T / (counts @ defined.T)
    found = _weighted_spearman(np.broadcast_to(order, far.shape), far, counts)
    return _percentiles(float(found[0]), found[1:]), found[1:]


def _weighted_spearman(x: Doubles, y: Doubles, counts: Doubles) -> Doubles:
    """Spearman correlation of each row of x and y, (cases, n), with counts of their values."""
    weights = np.where(np.isnan(y), 0, counts)
    total = weights.sum(1, keepdims=True)

    def centred(values: Doubles) -> Doubles:
        below = values[:, None, :] < values[:, :, None]
        equal = values[:, None, :] == values[:, :, None]
        ranks = ((below + equal / 2) * weights[:, None, :]).sum(2)
        return np.asarray(ranks - (weights * ranks).sum(1, keepdims=True) / total)

    with np.errstate(invalid="ignore", divide="ignore"):
        a, b = centred(x), centred(y)
        covariance = (weights * a * b).sum(1)
        return np.asarray(covariance / np.sqrt((weights * a**2).sum(1) * (weights * b**2).sum(1)))


def _resampled(networks: int, group: int, seed: int, draws: int) -> Doubles:
    """Bootstrap counts (draws, networks); group: 0 for the baselines, 1 for changed networks."""
    return statistics.resampled(np.random.default_rng([seed, group]), draws, networks)


def _percentiles(estimate: float, drawn: Doubles) -> Interval:
    """An estimate and the 95 % percentile interval of its defined draws."""
    defined = drawn[~np.isnan(drawn)]
    if np.isnan(estimate) or not len(defined):
        return Interval(estimate, np.nan, np.nan)
    low, high = np.quantile(defined, [1 - QUANTILE, QUANTILE])
    return Interval(estimate, float(low), float(high))


def tables(
    pairs: Mapping[str, pd.DataFrame],
    arms: Sequence[Arm],
    models: Sequence[Model],
    accuracy: Mapping[str, float],
    metrics: Sequence[str],
    seed: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Which metrics detect which known changes.

    Parameters
    ----------
    pairs
        Arm or "baseline" → its pairs as measure_pairs writes them.
    models
        (arm, seed) of all models of the arms, and of the baselines.
    accuracy
        Arm or "baseline" → mean test accuracy.

    Returns
    -------
    changes
        A row per metric and arm: metric, change, level, strength, accuracy, reference_accuracy;
        floor, within, between: mean distances of two baselines, two networks of the arm, one of
        each; shift, relative_shift (of the floor), shift_p (`shift.shift`, without correction for
        the number of arms); auprc, auroc, each with _low and _high, chance, prior (`separation`);
        models, reference_models, images (numbers).
    summary
        A row per metric and kind of change, and one for all kinds ("all"), without networks that
        differ by their seeds alone: metric, change; auprc, auprc_low, auprc_high: mean over the
        levels of the kind, NaN if one of them is NaN; for all kinds the mean of these; correlation,
        correlation_low, correlation_high (`rank_correlation`; for all kinds their mean), of kinds
        with two or more levels; detected: number of arms with shift_p ≤ 0.05, of `arms`, those with
        a defined shift_p; undetected: the others of these, as text.
    """
    baselines = [model for model in models if model[0] == BASELINE]
    rows: list[dict[str, Any]] = []
    summaries: list[dict[str, Any]] = []
    for metric in metrics:
        drawn: dict[str, list[Doubles]] = {}
        start = len(rows)
        for arm in arms:
            ours = [model for model in models if model[0] == arm.name]
            far, places = controls.distances(
                [pairs[BASELINE], pairs[arm.name]], [*baselines, *ours], metric
            )
            second = np.arange(len(baselines) + len(ours)) >= len(baselines)
            compared = shift.shift(far, places, second, seed)
            table = shift.matrix(statistics.average(far, 1), places, len(second))
            separated = separation(table, second, seed)
            drawn.setdefault(arm.change, []).append(separated.drawn[0])
            floor, between, within = compared.kinds
            rows.append(
                {"metric": metric, "change": arm.change, "level": arm.level}
                | {"strength": arm.strength, "accuracy": accuracy[arm.name]}
                | {"reference_accuracy": accuracy[BASELINE]}
                | {"floor": floor, "within": within, "between": between}
                | {"shift": compared.shift.mean}
                | {"relative_shift": compared.shift.mean / floor if floor > 0 else np.nan}
                | {"shift_p": compared.shift_test.p}
                | separated.auprc.columns("auprc")
                | {"chance": separated.chance, "prior": separated.prior}
                | separated.auroc.columns("auroc")
                | {"models": len(ours), "reference_models": len(baselines)}
                | {"images": far.shape[1]}
            )
        own = pd.DataFrame(rows[start:])
        drawn.pop(UNCHANGED, None)
        correlations = {
            kind: rank_correlation(
                *_of_kind(pairs, [arm for arm in arms if arm.change == kind], models, metric), seed
            )
            for kind in drawn
            if (own["change"] == kind).sum() > 1
        }
        summaries += _summaries(own, drawn, correlations)
    return pd.DataFrame(rows), pd.DataFrame(summaries)


def _of_kind(
    pairs: Mapping[str, pd.DataFrame], arms: Sequence[Arm], models: Sequence[Model], metric: str
) -> tuple[Doubles, NDArray[np.int64]]:
    """Distances and strengths of the networks of all levels of a kind of change, and of baselines.

    Pairs of changed networks are not compared: NaN.
    """
    baselines = [model for model in models if model[0] == BASELINE]
    groups = [[model for model in models if model[0] == arm.name] for arm in arms]
    strengths = [0] * len(baselines)
    size = len(baselines) + sum(map(len, groups))
    table = np.full((size, size), np.nan)
    start = len(baselines)
    for arm, ours in zip(arms, groups, strict=True):
        far, places = controls.distances(
            [pairs[BASELINE], pairs[arm.name]], [*baselines, *ours], metric
        )
        two = shift.matrix(statistics.average(far, 1), places, len(baselines) + len(ours))
        of_arm = slice(start, start + len(ours))
        table[: len(baselines), : len(baselines)] = two[: len(baselines), : len(baselines)]
        table[of_arm, : len(baselines)] = two[len(baselines) :, : len(baselines)]
        strengths += [arm.strength] * len(ours)
        start += len(ours)
    return table, np.array(strengths)


def _summaries(
    rows: pd.DataFrame,
    drawn: Mapping[str, Sequence[Doubles]],
    correlations: Mapping[str, tuple[Interval, Doubles]],
) -> list[dict[str, Any]]:
    """Rows of the summary of one metric, from its rows of the table of changes."""
    metric = rows["metric"].iloc[0]
    found = []
    means = {kind: np.mean(draws, axis=0) for kind, draws in drawn.items()}
    levels = rows.groupby("change", sort=False)["auprc"]
    # NaN if a level has none, as its draws are.
    estimates = levels.mean().where(levels.count() == levels.size())
    for kind in (*drawn, ALL):
        of = [kind] if kind != ALL else list(drawn)
        own = rows[rows["change"].isin(of)]
        auprc = _percentiles(
            float(np.mean([estimates[one] for one in of])),
            np.mean([means[one] for one in of], axis=0),
        )
        ordered = [correlations[one] for one in of if one in correlations]
        correlation = Interval(np.nan, np.nan, np.nan)
        if ordered:
            correlation = _percentiles(
                float(np.mean([one.mean for one, _ in ordered])),
                np.mean([draws for _, draws in ordered], axis=0),
            )
        tested = own[own["shift_p"].notna()]
        seen = tested["shift_p"] <= ALPHA
        found.append(
            {"metric": metric, "change": kind}
            | auprc.columns("auprc")
            | correlation.columns("correlation")
            | {"detected": int(seen.sum()), "arms": len(tested)}
            | {"undetected": "; ".join(_named(tested[~seen]))}
        )
    return found


def _named(rows: pd.DataFrame) -> list[str]:
    """The changes of rows as text, such as Label noise 0.2."""
    return [f"{title(change)} {level}" for change, level in rows[["change", "level"]].to_numpy()]
