"""What is checked before hours are spent on training. None of it is part of a model's digest."""

from __future__ import annotations

from campare import models
from campare.data import Dataset
from campare.train import Settings


def insist_on_a_map(dataset: Dataset, settings: Settings, target_layer: str | None) -> None:
    """Raise CampareError where the target layer is unknown or has no extent."""
    channels = dataset.images.shape[3]
    network = models.build(
        settings.architecture, classes=len(dataset.classes), channels=channels, seed=0
    )
    shape = (channels, settings.input_size, settings.input_size)
    models.target_layer(network, target_layer, shape)
