"""What is checked before hours are spent on training. None of it is part of a model's digest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from campare import config, data, feasibility
from campare.data import Dataset
from campare.design import Design
from campare.errors import CampareError

if TYPE_CHECKING:
    from campare.train import Settings


def check_images(
    path: str, dataset: Dataset, frame: pd.DataFrame, given: Mapping[str, Any]
) -> None:
    """Raise CampareError where the images of a data file, split, are too few or too small.

    `given` is the study as it was given, without its defaults.
    """
    regions = data.read_regions(path, frame["index"].to_numpy()[:1])
    images = feasibility.Images(
        frame.groupby(["label", "subset"]).size().to_dict(),
        side=dataset.images.shape[1],
        regions=regions.names if regions else (),
    )
    feasibility.check(config.complete(given, "the study"), given, images)


def check_maps(dataset: Dataset, settings: Settings, given: Mapping[str, Any]) -> None:
    """Raise CampareError where the study's network has no such layer or allows no such method."""
    from campare import cams, models

    for folder, variant in Design(config.complete(given, "the study")).variants.items():
        key = ".".join(["cam", *folder.split("/")[:-1], "target_layer"])
        network, shape = _built(dataset, settings)  # anew: finding the layer may change it
        _, layer = models.target_layer(network, variant.target_layer, shape, key=key)
        if variant.method == "cam" and models.head(network, layer, shape) is None:
            raise CampareError(cams.NO_HEAD)


def check_network(dataset: Dataset, settings: Settings, study: Mapping[str, Any]) -> None:
    """Raise CampareError where a network that is not mapped does not take the images.

    And, of `hybrid.network`, where no SVM could replace its last layer, or its layer has no map.
    """
    from torch import nn

    from campare import models, svm

    hybrid = study.get("hybrid") or {}
    network, shape = _built(dataset, settings)
    if settings.architecture != hybrid.get("network"):
        models.check_forward(network, shape)
        return
    svm.with_head(network, nn.Identity())
    layer = hybrid.get("target_layer") or models.last_map(network, shape)
    models.target_layer(network, layer, shape, key="hybrid.target_layer")


def _built(dataset: Dataset, settings: Settings) -> tuple[Any, tuple[int, int, int]]:
    """The network as it is before training, and the shape of a picture that it is shown."""
    from campare import models

    channels = dataset.images.shape[3]
    network = models.build(
        settings.architecture, classes=len(dataset.classes), channels=channels, seed=0
    )
    return network, (channels, settings.input_size, settings.input_size)
