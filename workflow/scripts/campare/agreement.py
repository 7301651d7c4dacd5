"""Similarity of two networks' maps of the same image, compared with maps of different images.

All intervals are 95 % intervals over test images for the given networks; they do not include
retraining variability.
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
    """Similarity of two models' maps by class, compared with maps of two images of the class.

    Parameters
    ----------
    pairs
        Similarity table of the two models.
    chance
        Similarity table with the second model's map of another image of the same class; without
        images that are the only ones of their class.

    Returns
    -------
    DataFrame
        metric, class (`ALL`, `SAME` and `DIFFERENT` first), pairs, undefined (pairs without a
        value), mean, low, high; chance, chance_low, chance_high; difference, difference_low,
        difference_high (paired by image). Student's t intervals over images.
    """
    by_index = chance.set_index("index")
    rows = []
    for metric in metrics:
        values = pairs[metric]
        other = by_index[metric].reindex(pairs["index"]).reset_index(drop=True)
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
            for name_of, numbers in compared.items():
                row |= mean_interval(numbers).columns(name_of, "" if name_of == "mean" else None)
            rows.append(row)
    return pd.DataFrame(rows)


def _groups(pairs: pd.DataFrame, classes: Sequence[str]) -> dict[str, pd.Series]:
    """Group → which rows of a similarity table belong to it."""
    same = pairs["baseline_prediction"] == pairs["prediction"]
    groups = {ALL: pairs["label"] >= 0, SAME: same, DIFFERENT: ~same}
    return groups | {name: pairs["label"] == place for place, name in enumerate(classes)}
