"""Accuracy and maps of test images with an occluded patch.

All intervals are over the test images, for these networks: they do not cover retraining.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from campare.performance import ALL
from campare.statistics import mean_interval, share_interval


def table(
    tables: Mapping[int, pd.DataFrame], metrics: Sequence[str], classes: Sequence[str]
) -> pd.DataFrame:
    """Accuracy and likeness to the map of the whole picture, by class and size of the patch.

    Parameters
    ----------
    tables
        Size in pixels → similarity table, the baseline being the pictures with nothing covered.

    Returns
    -------
    DataFrame
        size, class (`ALL` first), measure (accuracy or a metric), images, undefined, mean, low,
        high. Size 0 is the picture as it is: it has an accuracy, and no metric.
    """
    whole = next(iter(tables.values()))
    rows = []
    for size, table in {0: whole.assign(prediction=whole["baseline_prediction"]), **tables}.items():
        right = table["prediction"] == table["label"]
        members = {ALL: table["label"] >= 0} | {
            name: table["label"] == place for place, name in enumerate(classes)
        }
        for name, member in members.items():
            about = {"size": size, "class": name}
            n = int(member.sum())
            if n:
                interval = share_interval(int(right[member].sum()), n).columns("mean", "")
                rows.append(about | {"measure": "accuracy", "images": n, "undefined": 0} | interval)
            for metric in metrics if size else ():
                values = table.loc[member, metric]
                counts = {"images": n, "undefined": int(values.isna().sum())}
                interval = mean_interval(values).columns("mean", "")
                rows.append(about | {"measure": metric} | counts | interval)
    return pd.DataFrame(rows)
