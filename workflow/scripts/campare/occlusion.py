"""Accuracy and maps of test images with an occluded patch.

All intervals are 95 % intervals over test images for the given networks; they do not include
retraining variability.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from campare.performance import ALL
from campare.statistics import mean_interval, share_interval


def table(
    tables: Mapping[int, pd.DataFrame], metrics: Sequence[str], classes: Sequence[str]
) -> pd.DataFrame:
    """Accuracy, and similarity to the map of the image without a patch, by class and patch size.

    Parameters
    ----------
    tables
        Patch size in pixels → similarity table, with the images without a patch as the baseline.

    Returns
    -------
    DataFrame
        size, class (`ALL` first), measure ("accuracy" or a metric), images, undefined, mean, low,
        high (Wilson's interval of accuracy, Student's t of metrics). Size 0 is the image without a
        patch, which has an accuracy only.
    """
    any_size = next(iter(tables.values()))
    unoccluded = any_size.assign(prediction=any_size["baseline_prediction"])
    rows = []
    for size, table in {0: unoccluded, **tables}.items():
        correct = table["prediction"] == table["label"]
        members = {ALL: table["label"] >= 0} | {
            name: table["label"] == place for place, name in enumerate(classes)
        }
        for name, member in members.items():
            about = {"size": size, "class": name}
            n = int(member.sum())
            if n:
                interval = share_interval(int(correct[member].sum()), n)
                counts = {"images": n, "undefined": 0}
                rows.append(about | {"measure": "accuracy"} | counts | interval.columns("mean", ""))
            for metric in metrics if size else ():
                values = table.loc[member, metric]
                counts = {"images": n, "undefined": int(values.isna().sum())}
                interval = mean_interval(values)
                rows.append(about | {"measure": metric} | counts | interval.columns("mean", ""))
    return pd.DataFrame(rows)
