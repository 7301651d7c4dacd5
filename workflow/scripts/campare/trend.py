"""Whether accuracy and maps follow the strength of an augmentation (`sweep`)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import permutations
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from campare import controls, statistics
from campare.statistics import EXACT, SAMPLED

ACCURACY, DISTANCE, LOCALISATION = "accuracy", "distance", "localisation"


class Trend(NamedTuple):
    """Monotone trend of the values of networks over strengths.

    tau: Kendall's τ-b, −1 to 1. p: two-sided. Both NaN if the strengths or the values are equal.
    models: number of networks.
    """

    tau: float
    p: float
    models: int


def jonckheere(values: ArrayLike, strengths: ArrayLike, seed: int) -> Trend:
    """Test of a monotone trend over ordered groups (Terpstra 1952; Jonckheere 1954).

    The statistic is S = Σ_{i<j} sign(x_j − x_i)·sign(y_j − y_i) over all pairs of networks, x their
    strengths, y their values; without ties in y the statistic J of Jonckheere ("A distribution-free
    k-sample test against ordered alternatives", Biometrika 41) is (S + number of pairs of different
    strengths)/2. The effect size is τ-b, S divided by the geometric mean of the numbers of untied
    pairs of x and y (Kendall 1945). Null hypothesis: the networks are exchangeable between
    strengths. p is the share of the permutations of networks with at least the observed |S|: all
    permutations if there are at most 20,000, otherwise 9,999 random ones and the observed one.

    Parameters
    ----------
    values
        float (networks,), such as accuracies; NaN is left out.
    strengths
        (networks,), only their order counts.
    """
    y, x = np.asarray(values, np.float64), np.asarray(strengths, np.float64)
    x, y = x[~np.isnan(y)], y[~np.isnan(y)]
    n = len(y)
    along, signs = (np.sign(v[None] - v[:, None]) for v in (x, y))
    untied = math.sqrt(float((along**2).sum()) * float((signs**2).sum()))
    if not untied > 0:
        return Trend(np.nan, np.nan, n)
    if math.factorial(n) <= EXACT:
        orders = np.array(list(permutations(range(n))))
    else:
        orders = np.tile(np.arange(n), (SAMPLED + 1, 1))
        np.random.default_rng(seed).permuted(orders[1:], axis=1, out=orders[1:])
    permuted = np.array([(along * signs[np.ix_(order, order)]).sum() for order in orders])
    observed = float((along * signs).sum())
    p = float(np.mean(np.abs(permuted) >= abs(observed) - 0.5))
    return Trend(observed / untied, p, n)


def table(
    sweeps: Mapping[str, tuple[str, str, Mapping[str, Any], str]],
    performance: pd.DataFrame,
    summary: pd.DataFrame,
    pairs: Mapping[str, pd.DataFrame],
    metric: str,
    seed: int,
    localised: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Trends of accuracy, map distance and localisation over the strengths of every sweep.

    The distance of a network is the mean over test images and reference networks of the distance
    between their maps. Its trend is that of the net distance: the noise floor is the same for all
    strengths. A tightening is not part of it.

    Parameters
    ----------
    sweeps
        Name of each sweep → base, parameter, arms with their strengths, and unit
        (`design.Sweep`). Strengths that are not numbers count in the order of the config.
    performance, summary
        Tables of the study: accuracy of every network; reference of every augmentation.
    pairs
        Augmentation → its pairs as measure_pairs writes them.
    localised
        augmentation, seed, mean: a localisation score of every network; None: there is none.

    Returns
    -------
    DataFrame
        sweep, augmentation, parameter; measure (ACCURACY, DISTANCE, LOCALISATION); metric (of the
        distance), reference; strengths, models (numbers); tau, p (`jonckheere`), p_holm (Holm's
        correction over the sweeps of a measure).
    """
    reference_of = summary.set_index("augmentation")["reference"]
    rows: list[dict[str, Any]] = []
    for name, (base, parameter, arms, _) in sweeps.items():
        strengths = _strengths(list(arms.values()))
        measures = (ACCURACY, DISTANCE, *([] if localised is None else [LOCALISATION]))
        of_models: dict[str, list[tuple[float, float]]] = {measure: [] for measure in measures}
        for strength, arm in zip(strengths, arms, strict=True):
            accuracies = performance.loc[performance["augmentation"] == arm, "accuracy"]
            of_models[ACCURACY] += [(strength, value) for value in accuracies]
            found = pairs[arm][(pairs[arm]["a"] == reference_of[arm]) & (pairs[arm]["b"] == arm)]
            far = controls.distance(found.groupby("seed_b")[metric].mean(), metric)
            of_models[DISTANCE] += [(strength, value) for value in far]
            if localised is not None:
                scores = localised.loc[localised["augmentation"] == arm, "mean"]
                of_models[LOCALISATION] += [(strength, value) for value in scores]
        for measure, values in of_models.items():
            trend = jonckheere([v for _, v in values], [s for s, _ in values], seed)
            rows.append(
                {"sweep": name, "augmentation": base, "parameter": parameter, "measure": measure}
                | {"metric": metric, "reference": reference_of[next(iter(arms))]}
                | {"strengths": len(set(strengths)), "models": trend.models}
                | {"tau": trend.tau, "p": trend.p, "p_holm": np.nan}
            )
    found = pd.DataFrame(rows)
    for _, group in found.groupby("measure"):
        found.loc[group.index, "p_holm"] = statistics.holm(group["p"].to_numpy())
    return found


def _strengths(values: Sequence[Any]) -> list[float]:
    """Strengths as numbers; their places if they are not numbers."""
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return [float(value) for value in values]
    return [float(place) for place in range(len(values))]
