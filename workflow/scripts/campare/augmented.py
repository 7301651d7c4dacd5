"""The training images of a model as a file: originals and augmented images, drawn once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from campare import atomic, devices
from campare.data import Dataset
from campare.errors import CampareError
from campare.feed import Feed
from campare.settings import Settings
from campare.training_images import images_of


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """M images in the order of training.

    images: uint8 (M, H, W, C), at the size at which they are augmented; target: float32
    (M, classes), shares of the classes; index: int64 (M,), positions in the data set; copy: int64
    (M,), copy numbers, 0 for the original; 1 for an image that is augmented in place.
    """

    images: NDArray[np.uint8]
    target: NDArray[np.float32]
    index: NDArray[np.int64]
    copy: NDArray[np.int64]


def drawn(settings: Settings, dataset: Dataset, split: pd.DataFrame) -> TrainingSet:
    """The training set of `train.train` with the same arguments, bit for bit.

    Raises
    ------
    CampareError
        Images are augmented or drawn anew in every epoch, so there is no single set; the device
        does not exist.
    """
    if settings.sampling != "all":
        raise CampareError(
            "training.sampling: with balanced, images are drawn anew in every epoch, so there is "
            "no single set to save; set it to all"
        )
    if settings.resample != "once":
        raise CampareError(
            "augmenting.resample: with each_epoch images are augmented anew in every epoch, so "
            "there is no single set to save; set it to once"
        )
    device = devices.choose(settings.device)
    index = split["index"][split["subset"] == "train"].to_numpy()
    images = images_of(dataset, index, device)
    labels = torch.from_numpy(dataset.labels[index]).to(device)
    # The images do not depend on the order of an epoch.
    feed = Feed(replace(settings, shuffle="once"), images, labels, index, len(dataset.classes))
    source, copy = feed.listing(0).numpy().T
    batches = list(feed.batches(1))
    return TrainingSet(
        torch.cat([images for images, _ in batches]).permute(0, 2, 3, 1).cpu().numpy(),
        torch.cat([targets for _, targets in batches]).cpu().numpy(),
        index[source],
        copy,
    )


def write(training_set: TrainingSet, path: str | Path) -> None:
    """Write a training set as HDF5: `images`, `target`, `index` and `copy`."""
    with atomic.replacing(path) as aside:
        atomic.reserve(aside, training_set.images.nbytes + training_set.target.nbytes + (1 << 20))
        with h5py.File(aside, "w") as file:
            for name in ("images", "target", "index", "copy"):
                file[name] = getattr(training_set, name)
