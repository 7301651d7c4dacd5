"""Accuracy on corrupted images, and equivariance of maps, by model and by augmentation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from campare import controls
from campare.corruptions import NONE
from campare.design import Model
from campare.sizes import Size

if TYPE_CHECKING:
    import torch
    from torch import nn

Doubles = NDArray[np.float64]

# In the place of a corruption or transform: the mean of all; what corruption costs.
ALL, LOSS = "all", "loss"
# In the place of a metric: whether the predicted class stays the same.
PREDICTION = "prediction"
OWN, OTHER = "own", "other"  # whose map is transformed and compared


def predicted(
    network: nn.Module,
    images: NDArray[np.uint8],
    *,
    mean: Sequence[float],
    std: Sequence[float],
    input_size: Size,
    batch_size: int,
    device: torch.device | str = "cpu",
) -> NDArray[np.int64]:
    """Predicted classes (N,) of images uint8 (N, H, W, C), prepared as in training."""
    import torch

    from campare import cams
    from campare.preprocess import prepare

    device = torch.device(device)
    network.to(device).eval()
    parts = []
    with cams.exact(device, gradient=False):
        for start in range(0, len(images), batch_size):
            batch = torch.from_numpy(images[start : start + batch_size]).to(device)
            logits = network(prepare(batch.permute(0, 3, 1, 2), mean, std, input_size))
            parts.append(logits.argmax(dim=1).cpu().numpy())
    return np.concatenate(parts)


def corruption_accuracy(models: Sequence[Model], measured: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Accuracy of every model: augmentation, seed, corruption, severity, images, accuracy.

    The images themselves have the corruption "none" and the severity 0.

    Parameters
    ----------
    models, measured
        (augmentation, seed), and the table of its predictions, of each: corruption, severity,
        index, label, prediction.
    """
    rows = []
    for (augmentation, seed), table in zip(models, measured, strict=True):
        correct = table["prediction"] == table["label"]
        groups = correct.groupby([table["corruption"], table["severity"]], sort=False)
        for (corruption, severity), group in groups:
            rows.append(
                {"augmentation": augmentation, "seed": seed, "corruption": corruption}
                | {"severity": severity, "images": len(group), "accuracy": group.mean()}
            )
    return pd.DataFrame(rows)


def corruption_changes(
    models: Sequence[Model],
    measured: Sequence[pd.DataFrame],
    matched: Sequence[str],
    seed: int,
) -> pd.DataFrame:
    """Changes of the accuracy on corrupted images by every augmentation (`controls.changes`).

    Returns
    -------
    DataFrame
        corruption, then `controls.CHANGED`. Corruption: "none" (the images
        themselves); each corruption, over its severities; "all", the mean over corruptions and
        severities (mean corruption accuracy); "loss", "none" minus "all" of every image.
    """
    tables = [
        table.assign(
            correct=(table["prediction"] == table["label"]).astype(np.float64)
        ).pivot_table("correct", "index", "corruption", sort=False)
        for table in measured
    ]
    names = [name for name in measured[0]["corruption"].unique() if name != NONE]
    tables = [
        table[[NONE, *names]].assign(
            **{ALL: table[names].mean(axis=1), LOSS: table[NONE] - table[names].mean(axis=1)}
        )
        for table in tables
    ]
    rows = [
        {"corruption": name} | row
        for name in (NONE, ALL, LOSS, *names)
        for row in controls.changes(
            {model: table[name].to_numpy() for model, table in zip(models, tables, strict=True)},
            matched,
            seed,
        )
    ]
    return pd.DataFrame(rows, columns=["corruption", *controls.CHANGED])


def equivariance(
    models: Sequence[Model], measured: Sequence[pd.DataFrame], metrics: Sequence[str]
) -> pd.DataFrame:
    """Equivariance of the maps of every model (`equivariance.measure`).

    Returns
    -------
    DataFrame
        augmentation, seed, transform, metric, images, undefined (number of images without a value),
        mean, other (mean of maps of other images), valid (mean share of the image that is
        compared). `PREDICTION` is a metric, too: the share of images whose predicted class is the
        same, and no other.
    """
    rows = []
    for (augmentation, seed), table in zip(models, measured, strict=True):
        for transform, group in _with_prediction(table).groupby("transform", sort=False):
            own, other = (group[group["map"] == kind] for kind in (OWN, OTHER))
            for metric in (*metrics, PREDICTION):
                about = {"augmentation": augmentation, "seed": seed, "transform": transform}
                rows.append(
                    about
                    | {"metric": metric, "images": len(own)}
                    | {"undefined": int(own[metric].isna().sum()), "mean": own[metric].mean()}
                    | {"other": np.nan if metric == PREDICTION else other[metric].mean()}
                    | {"valid": own["valid"].mean()}
                )
    return pd.DataFrame(rows)


def equivariance_changes(
    models: Sequence[Model],
    measured: Sequence[pd.DataFrame],
    metrics: Sequence[str],
    matched: Sequence[str],
    seed: int,
) -> pd.DataFrame:
    """Changes of the equivariance of maps by every augmentation (`controls.changes`).

    Returns
    -------
    DataFrame
        transform ("all": the mean over transforms), metric (with `PREDICTION`), then
        `controls.CHANGED`.
    """
    own = [table[table["map"] == OWN] for table in map(_with_prediction, measured)]
    transforms = list(own[0]["transform"].unique())
    rows: list[dict[str, Any]] = []
    for metric in (*metrics, PREDICTION):
        tables = [
            table.pivot_table(metric, "index", "transform", sort=False, dropna=False)
            for table in own
        ]
        for transform in (ALL, *transforms):
            values = {
                model: table[transforms if transform == ALL else [transform]]
                .mean(axis=1)
                .to_numpy()
                for model, table in zip(models, tables, strict=True)
            }
            rows += [
                {"transform": transform, "metric": metric} | row
                for row in controls.changes(values, matched, seed)
            ]
    return pd.DataFrame(rows, columns=["transform", "metric", *controls.CHANGED])


def _with_prediction(table: pd.DataFrame) -> pd.DataFrame:
    same = table["prediction"] == table["transformed_prediction"]
    return table.assign(**{PREDICTION: same.astype(np.float64)})
