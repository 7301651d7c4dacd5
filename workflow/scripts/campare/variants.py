"""Whether the map shift of augmentations holds for other kinds of maps (`cam.variants`)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import permutations
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from campare.registry import MATCHED
from campare.statistics import ALPHA, EXACT, SAMPLED, Doubles

MAIN = "main"


class Concordance(NamedTuple):
    """Kendall's W of several rankings, with its permutation test.

    w: 0 to 1; NaN if it is undefined. p: of the null hypothesis that the rankings are independent.
    rankings, items: their numbers.
    """

    w: float
    p: float
    rankings: int
    items: int


def concordance(values: ArrayLike, seed: int) -> Concordance:
    """Kendall's coefficient of concordance of several rankings of the same items.

    W = 12·S / (m²(n³ − n) − m·Σ(t³ − t)), where S is the sum of squared deviations of the rank sums
    of n items over m rankings, equal values have their mean rank, and t are the numbers of equal
    values in each ranking (Kendall and Babington Smith 1939, "The problem of m rankings", Annals of
    Mathematical Statistics 10; with ties: Kendall 1948, "Rank correlation methods", chapter 6). It
    is Friedman's χ² divided by m(n − 1). The test permutes the ranks within each ranking: all
    permutations if there are at most 20,000, otherwise 9,999 random ones and the observed one.

    Parameters
    ----------
    values
        float (rankings, items). Items with an undefined value are left out.
    seed
        Of the random permutations.
    """
    table = np.asarray(values, np.float64)
    table = table[:, ~np.isnan(table).any(axis=0)]
    m, n = table.shape
    ranks = np.array([_ranks(row) for row in table]).reshape(m, n)
    ties = sum(float((np.unique(row, return_counts=True)[1] ** 3).sum() - n) for row in ranks)
    most = m**2 * (n**3 - n) - m * ties
    if m < 2 or n < 2 or not most > 0:
        return Concordance(np.nan, np.nan, m, n)

    def squares(sums: Doubles) -> Doubles:
        return np.asarray(((sums - m * (n + 1) / 2) ** 2).sum(axis=-1))

    observed = squares(ranks.sum(axis=0))
    number = math.factorial(n) ** (m - 1)
    if number <= EXACT:
        sums = ranks[:1]
        for row in ranks[1:]:  # the first ranking stays as it is, for it is the same up to names
            orders = _orders(n)
            sums = (sums[:, None] + row[orders][None]).reshape(-1, n)
    else:
        rng = np.random.default_rng(seed)
        drawn = np.repeat(ranks[None], SAMPLED + 1, axis=0)
        rng.permuted(drawn[1:], axis=2, out=drawn[1:])
        sums = drawn.sum(axis=1)
    p = float(np.mean(squares(sums) >= observed - 1e-9))
    return Concordance(float(12 * observed / most), p, m, n)


def _ranks(row: Doubles) -> Doubles:
    """Ranks from 1, the smallest value; equal values have their mean rank."""
    _, place, counts = np.unique(row, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[place])


def _orders(n: int) -> NDArray[np.int64]:
    """All permutations of n places: (n!, n)."""
    return np.array(list(permutations(range(n))))


def table(summaries: Mapping[str, pd.DataFrame], titles: Mapping[str, str]) -> pd.DataFrame:
    """The map shift of every augmentation for every variant of the maps.

    Parameters
    ----------
    summaries
        Variant, MAIN first → its summary.csv.
    titles
        Variant → method, class and layer of its maps.

    Returns
    -------
    DataFrame
        variant, maps (its title), augmentation, reference, metric; floor: noise floor; net,
        tightening; shift, relative_shift (share of the noise floor), each with _low and _high (90
        %); shift_p_holm (within the variant); above_floor: whether the shift is positive and
        shift_p_holm ≤ 0.05, empty without a test; rank of the shift among the augmentations of the
        variant, 1 the largest (mean rank of equal ones), empty for step-matched controls.
    """
    parts = []
    for name, summary in summaries.items():
        part = summary[["augmentation", "reference", "metric", "floor", "net", "tightening"]].copy()
        part.insert(0, "maps", titles[name])
        part.insert(0, "variant", name)
        for column in ("shift", "shift_low", "shift_high"):
            part[column] = summary[column]
        for end in ("", "_low", "_high"):
            part[f"relative_shift{end}"] = summary[f"shift{end}"] / summary["floor"]
        part["shift_p_holm"] = summary["shift_p_holm"]
        above = (part["shift"] > 0) & (part["shift_p_holm"] <= ALPHA)
        part["above_floor"] = above.astype("boolean").mask(part["shift_p_holm"].isna())
        ranked = part["shift"].mask(part["augmentation"].isin(MATCHED))
        part["rank"] = ranked.rank(ascending=False)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def agreement(shifts: pd.DataFrame) -> pd.DataFrame:
    """In how many variants each augmentation shifts the maps, and where the answer differs.

    Parameters
    ----------
    shifts
        Result of `table`.

    Returns
    -------
    DataFrame
        augmentation; variants (number), tested (number with a test), above_floor (number of those
        in which the shift is above the noise floor); positive, net_positive: numbers of variants in
        which shift and net distance are positive; net_larger: number of variants in which the net
        distance is larger than the tightening, so that the maps move away from those of the
        reference more than they become alike; sign_consistent: whether the shift has the same
        sign in all variants; rank_first, rank_last (1: the largest shift), rank_main;
        relative_shift_min, relative_shift_max; different: variants in which the shift is above the
        noise floor and in the main variant is not, or the reverse, separated by "; ".
    """
    rows = []
    for name, group in shifts.groupby("augmentation", sort=False):
        main = group[group["variant"] == MAIN].iloc[0]
        tested = group[group["above_floor"].notna()]
        differs = (
            tested["variant"][tested["above_floor"] != main["above_floor"]]
            if not pd.isna(main["above_floor"])
            else tested["variant"][:0]
        )
        positive = (group["shift"].dropna() > 0).to_numpy()
        rows.append(
            {"augmentation": name, "variants": len(group), "tested": len(tested)}
            | {"above_floor": int(tested["above_floor"].sum())}
            | {"positive": int(positive.sum())}
            | {"net_positive": int((group["net"] > 0).sum())}
            | {"net_larger": int((group["net"] > group["tightening"]).sum())}
            | {"sign_consistent": bool(positive.all() or not positive.any())}
            | {"rank_first": group["rank"].min(), "rank_last": group["rank"].max()}
            | {"rank_main": main["rank"]}
            | {"relative_shift_min": group["relative_shift"].min()}
            | {"relative_shift_max": group["relative_shift"].max()}
            | {"different": "; ".join(differs)}
        )
    return pd.DataFrame(rows)


def ranking(shifts: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Concordance of the variants in the order of the augmentations' shifts.

    Parameters
    ----------
    shifts
        Result of `table`. Step-matched controls are left out.

    Returns
    -------
    DataFrame
        One row: metric, kendall_w, p, variants, augmentations (`concordance`). The variants are
        maps of the same networks, so that p does not say whether other networks would give the
        same order.
    """
    augmented = shifts[~shifts["augmentation"].isin(MATCHED)]
    wide = augmented.pivot_table(index="variant", columns="augmentation", values="shift")
    found = concordance(wide.to_numpy(float), seed)
    return pd.DataFrame(
        {
            "metric": [shifts["metric"].iloc[0]],
            "kendall_w": [found.w],
            "p": [found.p],
            "variants": [found.rankings],
            "augmentations": [found.items],
        }
    )
