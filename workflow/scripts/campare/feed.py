"""The training list: its order, its augmentation keyed by image, its batches."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from campare import sampling, seeding
from campare.augment import Augmenter, Batch
from campare.preprocess import resized
from campare.settings import Settings
from campare.sizes import pair
from campare.training_images import Images, Mapped, Pool

# Values of the images that are augmented together: many small images at once, for speed, but few
# enough that intermediate results stay in the cache.
BLOCK = 1 << 21
# Blocks that are read from the disk in advance, if images are mapped.
AHEAD = 2
# The stream of random numbers that chooses the images to augment in place; no transform uses it.
CHOICE = 2**32 - 1


def order(n: int, copies: int, seed: int, epoch: int = 0) -> NDArray[np.int64]:
    """The training list: n originals and `copies` copies of each, shuffled.

    Every (image, copy) has a sort key that depends on `seed` and `epoch` only; epoch 0 is the list
    of trainings that shuffle once. Position k therefore has the same source image for every
    augmentation. Fewer copies give the same list without the others: the baseline's list
    (copies = 0) has the originals in the order of the augmented list (thesis, Appendix B).

    Returns
    -------
    int64 (n·(1 + copies), 2): source position in [0, n), and copy number, 0 for the original.
    """
    keys = np.random.default_rng([seed, epoch] if epoch else seed).random((1 + copies, n))
    ranks = np.argsort(keys, axis=None, kind="stable")
    return np.stack([ranks % n, ranks // n], axis=1)


def replaced(
    listing: torch.Tensor,
    index: torch.Tensor,
    seed: int,
    epoch: int,
    probability: float,
    number: torch.Tensor,
) -> torch.Tensor:
    """The training list with some originals replaced by their first copy: augmented in place.

    An image is replaced if its number in [0, 1), which depends on (seed, epoch, image) only, is
    below the probability. So the images replaced with a smaller probability are among those
    replaced with a larger one, and a replaced image is the one that augmentation with copies draws
    as its first copy.

    Parameters
    ----------
    listing
        int64 (N, 2), CPU: `order` without copies.
    index
        int64 (n,), CPU: number of each source image in the data set.
    epoch
        1, 2, …, or 0 for images that are drawn once.
    number
        int64 (N,): how many draws of the same image precede a row's (`sampling.drawn`). Each draw
        has a choice and a copy of its own.

    Returns
    -------
    int64 (N, 2): source position, and 1 + number for a replaced image, else 0.
    """
    source = listing[:, 0]
    copy = torch.ones_like(source) + number
    drawn = seeding.uniforms(seed, epoch, index[source], copy, 1, stream=CHOICE)[:, 0]
    return torch.stack([source, (drawn < probability) * copy], dim=1)


class Feed:
    """The training list as batches of (images, targets)."""

    def __init__(
        self,
        settings: Settings,
        images: Images,
        labels: torch.Tensor,
        index: NDArray[np.int64],
        classes: int,
    ) -> None:
        self.settings = settings
        self.batch_size = settings.batch_size
        self.input_size = settings.input_size if settings.augment_at == "input" else None
        self.pool = Pool(images, labels, classes)
        self.numbers = torch.tensor(index)
        self.index = self.numbers.to(images.device)
        self.balanced = settings.sampling == "balanced"
        self.labels = labels.cpu().numpy()
        partners: Pool | sampling.BalancedPool = self.pool
        if self.balanced:
            partners = sampling.BalancedPool(self.pool, self.labels, images.device)
        self.augmenter = Augmenter(
            settings.steps, settings.augmentation_seed, partners, self._sized
        )
        self.length = len(images) * (1 + settings.copies)
        size = math.prod(pair(self.input_size) if self.input_size else images.shape[2:])
        values = images.shape[1] * size
        self.per_block = max(1, BLOCK // (self.batch_size * values))  # batches
        self.once = settings.resample == "once"
        chosen = settings.probability is not None and settings.probability < 1 and not self.once
        self.shuffled = settings.shuffle == "each_epoch" or self.balanced  # in every epoch
        varies = chosen or self.shuffled
        self.plan = [] if varies else self._blocks(0)
        keeps = self.once and not isinstance(images, Mapped)
        self.kept = [self._drawn(block, 0) for block in self.plan] if keeps else []

    def listing(self, epoch: int) -> torch.Tensor:
        """Source positions and copy numbers of an epoch: int64 (length, 2), CPU.

        Epoch 0 is that of images that are drawn once.
        """
        settings = self.settings
        shuffled = epoch if self.shuffled else 0
        rows = order(len(self.numbers), settings.copies, settings.order_seed, shuffled)
        number = np.zeros(len(rows), np.int64)
        if self.balanced:
            times = sampling.counts(self.labels, settings.order_seed, epoch)
            rows, number = sampling.drawn(rows, times)
        listing = torch.from_numpy(rows)
        if settings.probability is None:
            return listing
        return replaced(
            listing,
            self.numbers,
            settings.augmentation_seed,
            0 if self.once else epoch,
            settings.probability,
            torch.from_numpy(number),
        )

    def batches(self, epoch: int, start: int = 0) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """The batches of an epoch (1, 2, …), without the first `start`.

        Images uint8 (B, C, H, W) and targets float32 (B, classes).
        """
        plans = self.plan or self._blocks(epoch)
        for k, plan in enumerate(plans):
            skipped = max(0, start - k * self.per_block)
            if skipped >= self.per_block:
                continue
            if isinstance(self.pool.images, Mapped):
                for ahead in plans[k + 1 : k + 1 + AHEAD]:
                    self.pool.images.expect(torch.cat([ahead.plain, ahead.source]))
            block = self.kept[k] if self.kept else self._drawn(plan, 0 if self.once else epoch)
            images = torch.split(block.images, self.batch_size)
            targets = torch.split(block.targets, self.batch_size)
            yield from zip(images[skipped:], targets[skipped:], strict=True)

    def _blocks(self, epoch: int) -> list[Block]:
        """The training list of an epoch, divided into blocks of whole batches."""
        rows = torch.split(self.listing(epoch), self.per_block * self.batch_size)
        return [Block.of(block, self.index.device) for block in rows]

    def _drawn(self, block: Block, epoch: int) -> Batch:
        """The images of a block, its copies augmented."""
        if not len(block.source):
            return self._of(block.plain)
        drawn = self.augmenter(self._of(block.source), self.index[block.source], block.copy, epoch)
        if not len(block.plain):
            return drawn
        plain = self._of(block.plain)
        return Batch(
            torch.cat([plain.images, drawn.images])[block.place],
            torch.cat([plain.targets, drawn.targets])[block.place],
        )

    def _of(self, source: torch.Tensor) -> Batch:
        """Original images and their targets."""
        drawn = self.pool.of(source)
        return Batch(self._sized(drawn.images), drawn.targets)

    def _sized(self, images: torch.Tensor) -> torch.Tensor:
        """Images uint8 (B, C, H, W) at the size at which they are augmented."""
        return images if self.input_size is None else resized(images, self.input_size)


@dataclass(frozen=True)
class Block:
    """Consecutive rows of the training list, as int64 index tensors.

    plain: source positions of the originals. source, copy: source positions and copy numbers of the
    rows to augment. place: position of each row of the list in the originals followed by the
    augmented rows.
    """

    plain: torch.Tensor
    source: torch.Tensor
    copy: torch.Tensor
    place: torch.Tensor

    @classmethod
    def of(cls, listing: torch.Tensor, device: torch.device) -> Block:
        """The block of some rows of the training list (`order`)."""
        source, copy = listing.unbind(1)
        plain = copy == 0
        place = torch.where(plain, plain.cumsum(0), plain.sum() + (~plain).cumsum(0)) - 1
        parts = source[plain], source[~plain], copy[~plain], place
        return cls(*(part.to(device) for part in parts))
