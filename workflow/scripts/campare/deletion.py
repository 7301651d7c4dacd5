"""In-domain single deletion score (IDSDS): do maps rank the parts of an image as deletions do?

The image is divided into cells × cells. The attribution of a cell is the sum of the map in it, its
effect the fall of the score (logit) of the true class when the cell is replaced by the mean colour.
The score of an image is the Spearman correlation of the two over the cells (Hesse, Schaub-Meyer and
Roth 2024, section 3).

Deletion, insertion and ROAD remove many pixels, and a network may be more or less robust to such
images for reasons other than its map, augmentation among them. So networks cannot be compared by
them. Here one cell is removed at a time, and every network is first fine-tuned on training images
of which half have one cell replaced, so that such images belong to the domain of all networks (the
same, section 3.1).

As in the authors' code, cells are replaced by zeros of the prepared image, the mean colour, on a
grid of 4 × 4, and images with an undefined correlation are left out. Unlike there, the mean colour
is rounded to a level, maps are rectified and enlarged bilinearly (`maps.show`), and a grid need not
divide the image evenly.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata
from torch import Tensor, nn

from campare import cams, maps, models, statistics
from campare.data import Rows
from campare.design import BASELINE, Model
from campare.maps import Floats
from campare.preprocess import normalisation, prepare
from campare.sizes import Size, pair

Doubles = NDArray[np.float64]

TRAINED, FINETUNED = "trained", "finetuned"


def edges(side: int, cells: int) -> list[int]:
    """The first pixel of each cell along an axis, then `side`; as in `delete_cell`."""
    return [cell * side // cells for cell in range(cells + 1)]


def by_cell(shown: Floats, cells: int) -> Doubles:
    """Sum of maps (N, H, W) in each cell, cells in reading order: float64 (N, cells²)."""
    rows, columns = (edges(side, cells)[:-1] for side in shown.shape[1:])
    sums = np.add.reduceat(shown.astype(np.float64), rows, axis=1)
    return np.asarray(np.add.reduceat(sums, columns, axis=2).reshape(len(shown), -1))


def rank_correlation(first: ArrayLike, second: ArrayLike) -> Doubles:
    """Spearman correlation of each row (N, n), average ranks over ties; NaN if one is constant."""
    ranks = [rankdata(values, axis=1) for values in (first, second)]
    a, b = (each - each.mean(axis=1, keepdims=True) for each in ranks)
    spread = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    undefined = np.full(len(a), np.nan)
    return np.asarray(np.divide((a * b).sum(axis=1), spread, out=undefined, where=spread > 0))


def fill_colour(images: NDArray[np.uint8] | Rows) -> Tensor:
    """Mean colour of training images (N, H, W, C), with which cells are replaced: uint8 (C,)."""
    mean, _ = normalisation("training", images)
    return torch.tensor([round(255 * level) for level in mean], dtype=torch.uint8)


def measure(
    network: nn.Module,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    fill: Tensor,
    *,
    mean: Sequence[float],
    std: Sequence[float],
    input_size: Size,
    cells: int,
    method: str,
    target_layer: str | None,
    batch_size: int,
    fold_batch_norm: bool,
    device: torch.device,
) -> pd.DataFrame:
    """The score of every image under a network.

    Parameters
    ----------
    network
        From `models.load`. It is changed.
    images, labels
        uint8 (N, H, W, C), and int64 (N,) their true classes, which the maps explain.
    fill
        uint8 (C,), from `fill_colour`.
    mean, std, input_size, method, batch_size, fold_batch_norm, device
        As for `cams.compute`; target_layer: its name, as in `models.target_layer`.
    cells
        Cells along a side of the grid.

    Returns
    -------
    DataFrame
        correlation (NaN if the map or the falls are equal in all cells), fall (mean over cells),
        correct (0 or 1, of the whole image), correct_deleted (share of the cells).
    """
    shape = images.shape[3], *pair(input_size)
    _, layer = models.target_layer(network, target_layer, shape)
    head = models.head(network, layer, shape)
    batches = cams.compute(
        network,
        layer,
        head,
        images,
        mean=mean,
        std=std,
        input_size=input_size,
        method=method,
        targets=labels,
        batch_size=batch_size,
        fold_batch_norm=fold_batch_norm,
        device=device,
    )
    found = np.concatenate([batch.maps for batch in batches])
    attribution = by_cell(maps.show(found, pair(input_size)), cells)
    whole, without = _scores(
        network, images, fill, cells, batch_size, device, mean=mean, std=std, input_size=input_size
    )
    rows = np.arange(len(labels))
    falls = whole[rows, labels][:, None] - without[rows, :, labels]
    return pd.DataFrame(
        {
            "correlation": rank_correlation(attribution, falls),
            "fall": falls.mean(axis=1),
            "correct": (whole.argmax(axis=1) == labels).astype(np.float64),
            "correct_deleted": (without.argmax(axis=2) == labels[:, None]).mean(axis=1),
        }
    )


def _scores(
    network: nn.Module,
    images: NDArray[np.uint8],
    fill: Tensor,
    cells: int,
    batch_size: int,
    device: torch.device,
    **settings: Any,
) -> tuple[Doubles, Doubles]:
    """Logits of whole images (N, classes), and without each cell (N, cells², classes)."""
    network = network.to(device).eval()
    size = pair(settings["input_size"])
    rows, columns = (edges(side, cells) for side in size)
    blank = prepare(fill.view(1, -1, 1, 1).expand(1, -1, *size), **settings)
    blank = blank.to(device)
    whole, without = [], []
    for start in range(0, len(images), batch_size):
        batch = torch.from_numpy(images[start : start + batch_size]).to(device)
        with cams.exact(device, gradient=False):
            inputs = prepare(batch.permute(0, 3, 1, 2), **settings)
            whole.append(network(inputs).cpu())
            of_cells = []
            for top, bottom in pairwise(rows):
                for left, right in pairwise(columns):
                    changed = inputs.clone()
                    area = (..., slice(top, bottom), slice(left, right))
                    changed[area] = blank[area]
                    of_cells.append(network(changed).cpu())
            without.append(torch.stack(of_cells, dim=1))
    return torch.cat(whole).double().numpy(), torch.cat(without).double().numpy()


def by_model(models_of: Sequence[Model], measured: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Means over images of every model.

    Parameters
    ----------
    models_of, measured
        (augmentation, seed), and the tables of `measure` with a column `network`, of each.

    Returns
    -------
    DataFrame
        augmentation, network, seed, images, mean (of the defined correlations), accuracy,
        accuracy_deleted, undefined (share of the images).
    """
    return pd.DataFrame(
        {"augmentation": augmentation, "network": network, "seed": seed, "images": len(rows)}
        | {"mean": rows["correlation"].mean()}
        | _shares([rows])
        for (augmentation, seed), table in zip(models_of, measured, strict=True)
        for network, rows in table.groupby("network", sort=False)
    )


def summary(
    models_of: Sequence[Model], measured: Sequence[pd.DataFrame], seed: int, *, paired: bool
) -> pd.DataFrame:
    """The score of every augmentation over seeds and images, and its difference from the baseline.

    Parameters
    ----------
    models_of, measured
        As in `by_model`.
    seed
        Seed of the resampling.
    paired
        Whether an augmented model is compared with the baseline of its seed.

    Returns
    -------
    DataFrame
        augmentation, network, seeds, images, mean, low, high (95 %: `statistics.mean`), accuracy,
        accuracy_deleted, undefined; difference, difference_low, difference_high
        (`statistics.difference_from_reference`).
    """
    arms: dict[tuple[str, str], dict[int, pd.DataFrame]] = {}
    for (augmentation, k), table in zip(models_of, measured, strict=True):
        for network, rows in table.groupby("network", sort=False):
            arms.setdefault((augmentation, str(network)), {})[k] = rows
    found: list[dict[str, Any]] = []
    for (augmentation, network), tables in arms.items():
        baseline = arms.get((BASELINE, network), {}) if augmentation != BASELINE else {}
        own, theirs = (
            {k: rows["correlation"].to_numpy(np.float64) for k, rows in arm.items()}
            for arm in (tables, baseline)
        )
        values = np.stack(list(own.values()))
        difference = statistics.difference_from_reference(own, theirs, seed, paired=paired)
        found.append(
            {"augmentation": augmentation, "network": network}
            | {"seeds": len(values), "images": values.shape[1]}
            | statistics.mean(values, seed).columns("mean", "")
            | _shares(list(tables.values()))
            | difference.columns("difference")
        )
    return pd.DataFrame(found)


def _shares(tables: Sequence[pd.DataFrame]) -> dict[str, float]:
    """Means over the images of some models."""
    rows = pd.concat(tables)
    return {
        "accuracy": rows["correct"].mean(),
        "accuracy_deleted": rows["correct_deleted"].mean(),
        "undefined": rows["correlation"].isna().mean(),
    }
