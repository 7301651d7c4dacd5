"""Training data with a known change (stage `known_changes`): labels, number of images, cue.

What a weaker change affects is part of what a stronger one of the same seed affects.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from campare.data import Dataset
from campare.errors import CampareError

Integers = NDArray[np.int64]


def with_label_noise(
    labels: Integers, rows: Integers, classes: int, share: float, seed: int
) -> Integers:
    """Labels of which a share, to the nearest image, is replaced by that of another class.

    Parameters
    ----------
    labels : int64 (N,), in [0, classes)
    rows : int64, the places of the labels that may be replaced
    share
        0 to 1; the other classes are equally likely.
    """
    rng = np.random.default_rng([seed, 0])
    drawn = rng.permutation(rows)
    offsets = rng.integers(1, classes, size=len(rows))
    wrong = drawn[: round(share * len(rows))]
    noisy = labels.copy()
    noisy[wrong] = (labels[wrong] + offsets[: len(wrong)]) % classes
    return noisy


def with_fewer_images(split: pd.DataFrame, share: float, seed: int) -> pd.DataFrame:
    """A split with a share of its training images, stratified, at least one of each class.

    Validation and test images stay the same.
    """
    order = np.random.default_rng([seed, 1]).permutation(len(split))
    drawn = split.iloc[order]
    drawn = drawn[drawn["subset"] == "train"]
    rank = drawn.groupby("label").cumcount()
    number = drawn.groupby("label")["label"].transform("size")
    kept = drawn.index[rank < np.maximum(np.rint(share * number), 1)]
    return split[(split["subset"] != "train") | split.index.isin(kept)]


def with_images_of(dataset: Dataset, other: Dataset, rows: Integers) -> Dataset:
    """A data set with some images, at `rows`, of another data set of the same labels.

    Raises
    ------
    CampareError
        The other data set has other labels, or images of another size.
    """
    if dataset.images.shape != other.images.shape or (dataset.labels != other.labels).any():
        raise CampareError(
            "known_changes.cue_share: the data set with another cue_share has other labels or sizes"
        )
    images = dataset.images.copy()
    images[rows] = other.images[rows]
    return replace(dataset, images=images)
