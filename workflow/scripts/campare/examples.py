"""One training image under augmentations of several strengths, for figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from campare.augment import Augmenter, Batch
from campare.preprocess import resized
from campare.sizes import Size

Images = NDArray[np.uint8]
Steps = Sequence[tuple[str, Mapping[str, Any]]]
DRAWS = 15


class Drawing:
    """The first training image, augmented with the random numbers of the training.

    Parameters
    ----------
    images, index
        uint8 (N, H, W, C), the training images, and int64 (N,), their numbers in the data set.
    input_size
        Size at which images are augmented; None: their own.
    seed
        The augmentation seed.
    """

    def __init__(
        self, images: Images, index: NDArray[np.int64], *, input_size: Size | None, seed: int
    ) -> None:
        pixels = torch.from_numpy(images).permute(0, 3, 1, 2)
        self.pool = Batch(pixels, torch.zeros(len(images), 1))
        self.source, self.size, self.seed = int(index[0]), input_size, seed

    def at_strengths(self, strengths: Sequence[Steps]) -> Images:
        """The image under each of several augmentations, uint8 (strengths, H, W, C).

        All have the same random numbers: of `DRAWS` copies those whose mean absolute change of the
        image, averaged over the strengths, is the median.
        """
        original = self._sized(self.pool.images[:1])
        batch = Batch(original.expand(DRAWS, -1, -1, -1).contiguous(), torch.zeros(DRAWS, 1))
        source = torch.full((DRAWS,), self.source)
        copies = torch.arange(1, DRAWS + 1)
        drawn = torch.stack(
            [
                Augmenter(steps, self.seed, self.pool, self._sized)(batch, source, copies, 0).images
                for steps in strengths
            ]
        )
        change = (drawn.float() - original.float()).abs().mean(dim=(0, 2, 3, 4))
        median = int(change.argsort(stable=True)[DRAWS // 2])
        return np.ascontiguousarray(drawn[:, median].permute(0, 2, 3, 1).numpy())

    def _sized(self, images: torch.Tensor) -> torch.Tensor:
        return images if self.size is None else resized(images, self.size)
