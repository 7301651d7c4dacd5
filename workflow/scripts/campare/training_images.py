"""The images of a subset for training: in memory, or read from the data file on access.

Images that fit are copied to the device once. Others stay in the file; batches are read from it as
they are needed, and the system is asked for those of the next batches in advance. The bits are the
same.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from campare.augment.core import Batch, mean_level
from campare.data import Dataset
from campare.memory import RESIDENT
from campare.scratch import slices

# Share of the free memory of a GPU that the images of a subset may take.
RESIDENT_SHARE = 0.25


class Mapped:
    """Images of a data file that are read on access: like a tensor uint8 (N, C, H, W).

    Parameters
    ----------
    images
        uint8 (M, H, W, C), mapped from the data file.
    index
        int64 (N,), positions in it.
    device
        Where images are needed.
    """

    def __init__(
        self, images: NDArray[np.uint8], index: NDArray[np.int64], device: torch.device
    ) -> None:
        self._images, self._index, self.device = images, index, device
        height, width, channels = images.shape[1:]
        self.shape = torch.Size((len(index), channels, height, width))

    def __len__(self) -> int:
        return len(self._index)

    def __getitem__(self, rows: torch.Tensor | slice) -> torch.Tensor:
        """A copy of some images, on the device: uint8 (b, C, H, W)."""
        place = self._index[rows if isinstance(rows, slice) else rows.cpu().numpy()]
        stored = torch.from_numpy(self._images[place])
        if self.device.type == "cuda":
            stored = stored.pin_memory().to(self.device, non_blocking=True)
        return stored.permute(0, 3, 1, 2).contiguous()

    def expect(self, rows: torch.Tensor) -> None:
        """Ask the system to read some images from the disk while others are used."""
        if not (isinstance(self._images, np.memmap) and hasattr(os, "posix_fadvise")):
            return
        size = math.prod(self.shape[1:])
        with Path(str(self._images.filename)).open("rb") as file:
            for place in self._index[rows.cpu().numpy()].tolist():
                start = self._images.offset + place * size
                os.posix_fadvise(file.fileno(), start, size, os.POSIX_FADV_WILLNEED)


Images = torch.Tensor | Mapped


def images_of(dataset: Dataset, index: NDArray[np.int64], device: torch.device) -> Images:
    """The images at some positions of a data set, int64 (N,), on the device or `Mapped`."""
    mapped = Mapped(dataset.images, index, device)
    limit = float(RESIDENT)
    if device.type == "cuda":
        limit = RESIDENT_SHARE * torch.cuda.mem_get_info(device)[0]
    if math.prod(mapped.shape) > limit:
        return mapped
    resident = torch.empty(mapped.shape, dtype=torch.uint8, device=device)
    first = 0
    for part in parts(mapped):
        resident[first : first + len(part)] = part
        first += len(part)
    return resident


class Pool:
    """The training images with their labels; augmentations draw partners from it.

    Parameters
    ----------
    images
        uint8 (N, C, H, W).
    labels
        int64 (N,), on the device of the images, from 0 to classes − 1.
    """

    def __init__(self, images: Images, labels: torch.Tensor, classes: int) -> None:
        self.images, self._labels = images, labels
        self._shares = torch.eye(classes, device=images.device)

    def __len__(self) -> int:
        return len(self._labels)

    def of(self, source: torch.Tensor) -> Batch:
        """The images at some positions, int64 (b,), and their targets."""
        return Batch(self.images[source], self._shares[self._labels[source]])

    @cached_property
    def mean(self) -> torch.Tensor:
        """Mean level of every channel over all images, rounded: uint8 (1, C, 1, 1)."""
        return mean_level(parts(self.images))


def parts(images: Images, size: int | None = None) -> Iterable[torch.Tensor]:
    """The images in parts of `size` images, or of `scratch.STEP` bytes."""
    step = None if size is None else (slice(k, k + size) for k in range(0, len(images), size))
    return (images[part] for part in step or slices(len(images), math.prod(images.shape[1:])))
