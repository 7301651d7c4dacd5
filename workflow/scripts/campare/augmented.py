"""The training set of a model as it is trained on, as a file: originals and their kept copies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from campare import atomic, devices
from campare.data import Dataset
from campare.errors import CampareError
from campare.train import Feed, Settings, order


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """M images in the order in which they are trained on.

    images: uint8 (M, H, W, C), of the size they are augmented at; target: float32 (M, classes),
    shares of the classes; index: int64 (M,), position in the data set; copy: int64 (M,), 0 being
    the original.
    """

    images: NDArray[np.uint8]
    target: NDArray[np.float32]
    index: NDArray[np.int64]
    copy: NDArray[np.int64]


def drawn(settings: Settings, dataset: Dataset, split: pd.DataFrame) -> TrainingSet:
    """The training set that `train.train` makes of the same arguments, bit for bit.

    Raises
    ------
    CampareError
        There is no one such set, since copies are drawn anew in every epoch; no such device.
    """
    if settings.resample != "once":
        raise CampareError(
            "augmenting.resample: each_epoch draws the copies anew in every epoch, so that there "
            "is no set to save; set it to once"
        )
    device = devices.choose(settings.device)
    index = split["index"][split["subset"] == "train"].to_numpy()
    images = torch.from_numpy(dataset.images[index]).permute(0, 3, 1, 2).contiguous().to(device)
    labels = torch.from_numpy(dataset.labels[index]).to(device)
    feed = Feed(settings, images, labels, index, len(dataset.classes))
    source, copy = order(len(index), settings.copies, settings.order_seed).T
    return TrainingSet(
        torch.cat([block.images for block in feed.kept]).permute(0, 2, 3, 1).cpu().numpy(),
        torch.cat([block.targets for block in feed.kept]).cpu().numpy(),
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
