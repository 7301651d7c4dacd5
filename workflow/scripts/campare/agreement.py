"""How alike the maps of two networks are, compared with maps of two images.

All intervals are over the test images, for these networks: they do not cover retraining.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from campare.performance import ALL
from campare.statistics import mean_interval

SAME, DIFFERENT = "same prediction", "different predictions"


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
                "mean": values[member],
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
                row |= mean_interval(numbers).columns(what, "" if what == "mean" else None)
            rows.append(row)
    return pd.DataFrame(rows)


def _groups(pairs: pd.DataFrame, classes: Sequence[str]) -> dict[str, pd.Series]:
    """Which rows of a similarity table belong to what is averaged."""
    same = pairs["baseline_prediction"] == pairs["prediction"]
    groups = {ALL: pairs["label"] >= 0, SAME: same, DIFFERENT: ~same}
    return groups | {name: pairs["label"] == place for place, name in enumerate(classes)}
