"""Maps of images under a network, written as a CAM store; used by all jobs that map images."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from campare import cams, models, registry, store
from campare.data import Rows
from campare.sizes import pair

# Settings that a store records unchanged.
RECORDED = (
    *("study", "augmentation", "seed", "architecture"),
    *("method", "class_policy", "input_size", "threads"),
)


def into_store(
    path: str | Path,
    network: nn.Module,
    about: Mapping[str, Any],
    images: NDArray[np.uint8] | Rows,
    labels: NDArray[np.int64],
    indices: NDArray[np.int64],
    *,
    settings: Mapping[str, Any],
    baseline: store.Store | None,
    device: torch.device,
    weights: Sequence[str],
    split: str,
    with_progress: Callable[[Iterator[cams.Batch]], Iterator[cams.Batch]],
) -> str:
    """Map images under a network, and write the CAM store.

    Parameters
    ----------
    network, about
        From `models.load`: `about` has the `mean` and `std` of the training images.
    images, labels, indices
        uint8 (N, H, W, C), and (N,) true classes and positions in the data set.
    settings
        `RECORDED`, and `target_layer` (None: the network's own), `batch_size`, `fold_batch_norm`.
    baseline
        The store whose predicted classes are explained with the class policy "baseline".
    weights, split
        Files of the network and of the split, whose digests are recorded.
    with_progress
        Wraps the batches to report progress.

    Returns
    -------
    A message with the method, the layer and the backward pass that it needed.

    Raises
    ------
    CampareError
        As in `models.target_layer`, `cams.compute`, `cams.chosen_classes` and `store.write`.
    """
    size, method = settings["input_size"], settings["method"]
    shape = (images.shape[3], *pair(size))
    name, layer = models.target_layer(network, settings["target_layer"], shape)
    head = models.head(network, layer, shape)
    if registry.entry(registry.CAM_METHODS, method).of == "input":
        name, route = "input", "backward pass down to the image"
    else:
        route = "no backward pass needed" if head else "backward pass down to the layer only"
    batches = cams.compute(
        network,
        layer,
        head,
        images,
        mean=about["mean"],
        std=about["std"],
        input_size=size,
        method=method,
        targets=cams.chosen_classes(settings["class_policy"], labels, indices, baseline),
        batch_size=settings["batch_size"],
        fold_batch_norm=settings["fold_batch_norm"],
        device=device,
    )
    store.write(
        path,
        with_progress(batches),
        labels=labels,
        indices=indices,
        attributes={
            **{key: settings[key] for key in RECORDED},
            "target_layer": name,
            "checkpoint_sha256": " ".join(map(store.sha256, weights)),
            "split_sha256": store.sha256(split),
            "packages": store.packages(),
            "device": device.type,
        },
    )
    return f"{method} at {name}: {route}"
