"""What is checked before hours are spent on training. None of it is part of a model's digest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from campare import models, svm
from campare.data import Dataset
from campare.train import Settings


def insist_on_a_map(
    dataset: Dataset, settings: Settings, config: Mapping[str, Any], *, explained: bool
) -> None:
    """Raise CampareError where the network does not take the pictures, or gives none of its maps.

    Parameters
    ----------
    config
        The study. From there and not from a job's parameters: another layer trains nothing anew.
    explained
        Whether the network is mapped as `cam` says; otherwise it may be the one of `hybrid`.
    """
    channels = dataset.images.shape[3]
    network = models.build(
        settings.architecture, classes=len(dataset.classes), channels=channels, seed=0
    )
    shape = (channels, settings.input_size, settings.input_size)
    hybrid = config.get("hybrid", {})
    if explained:
        models.target_layer(network, config.get("cam", {}).get("target_layer"), shape)
    elif settings.architecture == hybrid.get("network"):
        svm.topped(network, nn.Identity())
        layer = hybrid.get("target_layer") or models.last_map(network, shape)
        models.target_layer(network, layer, shape, key="hybrid.target_layer")
    else:
        models.insist_it_runs(network, shape)
