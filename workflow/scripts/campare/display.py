"""Images as figures show them: three of their channels as RGB, or one as grey."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from campare.data import Dataset

Images = NDArray[np.uint8]


def displayed(images: Images, channels: Sequence[int] | None = None) -> Images:
    """Images (…, C) with one channel, grey, or three, RGB.

    Parameters
    ----------
    images
        uint8 (…, C).
    channels
        Numbers of the channels, one or three; None: grey and RGB images as they are, of others the
        first three channels, of two the first.
    """
    number = images.shape[-1]
    if channels is None:
        return images if number in (1, 3) else images[..., : 3 if number > 3 else 1]
    return images[..., list(channels)]


class Display:
    """Images uint8 (N, H, W, C) as `displayed`, copied on access.

    So jobs that draw some images of a mapped file hold these in memory.
    """

    def __init__(self, images: Images, channels: Sequence[int] | None) -> None:
        self.images, self.channels = images, channels
        self.shape = (len(images), *displayed(images[:0], channels).shape[1:])

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, rows: Any) -> Images:
        return displayed(self.images[rows], self.channels)


def of(dataset: Dataset, channels: Sequence[int] | None = None) -> Dataset:
    """A data set with its images as figures show them; `channels` as in `displayed`."""
    if channels is None and dataset.images.shape[3] in (1, 3):
        return dataset
    return replace(dataset, images=Display(dataset.images, channels))  # type: ignore[arg-type]
