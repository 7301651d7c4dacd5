"""Class-balanced sampling: every class contributes equally to an epoch (`training.sampling`).

As Kang et al. (2020), "Decoupling representation and classifier for long-tailed recognition", ICLR:
the classes have the same probability, and so have the images of a class. The numbers of images are
exact rather than random, as far as they are integers.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from campare import seeding
from campare.augment.core import Batch, Pool

Integers = NDArray[np.int64]
# The streams of random numbers that choose images and classes; no transform uses them.
IMAGES, CLASSES = 2**32 - 2, 2**32 - 3
# Positions of `BalancedPool`, divided among the classes: products with words fit into int64.
POSITIONS = 2**31


def counts(labels: Integers, seed: int, epoch: int) -> Integers:
    """How often each of n training images is drawn in an epoch.

    n draws are divided among the K classes with images: ⌊n/K⌋ each, and one more for n mod K
    classes chosen at random. The draws of a class are divided among its images in the same way: of
    a class of m images with q draws each image is drawn ⌊q/m⌋ times, and q mod m images chosen at
    random once more. So a large class is sampled without replacement, images of a small class are
    repeated equally often, and classes of equal size give every image once.

    Parameters
    ----------
    labels
        int64 (n,): class of each image.
    seed, epoch
        The choice depends on them, the labels and nothing else; 0 to 2³²−1.

    Returns
    -------
    int64 (n,), with sum n.
    """
    _, place, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    of_classes, of_images = (
        _keys(count, seed, epoch, stream)
        for count, stream in ((len(sizes), CLASSES), (len(labels), IMAGES))
    )
    quota = _divided(np.array([len(labels)]), np.zeros_like(of_classes), of_classes)
    return _divided(quota, place, of_images)


def _divided(totals: Integers, group: Integers, keys: Integers) -> Integers:
    """Each group's total, divided equally among its members; the rest goes to the smallest keys.

    totals: (groups,). group, keys: (members,), every group having members. int64 (members,).
    """
    sizes = np.bincount(group, minlength=len(totals))
    by_key = np.lexsort((keys, group))
    rank = np.empty(len(group), np.int64)
    rank[by_key] = np.arange(len(group)) - (np.cumsum(sizes) - sizes)[group[by_key]]
    each, rest = np.divmod(totals, sizes)
    return np.asarray(each[group] + (rank < rest[group]))


def _keys(count: int, seed: int, epoch: int, stream: int) -> Integers:
    """A random word for each of `count` items: int64 (count,)."""
    items = torch.arange(count)
    return seeding.words(seed, epoch, items, torch.zeros_like(items), 1, stream=stream)[
        :, 0
    ].numpy()


def drawn(listing: Integers, times: Integers) -> tuple[Integers, Integers]:
    """A training list in which each image has as many places as it is drawn.

    Draws of one image are augmented independently: draw r (0, 1, …) has the copy numbers
    r·copies + 1 to (r + 1)·copies, so that the first draw has those of a list without repetitions.

    Parameters
    ----------
    listing
        int64 (N, 2): source position and copy number, 0 for the original (`feed.order`).
    times
        int64 (n,): result of `counts`.

    Returns
    -------
    listing, number
        int64 (N, 2), as before, with the same number of originals and copies; int64 (N,): r of each
        row.
    """
    place, copy = listing.T
    source = np.repeat(np.arange(len(times)), times)[place]
    number = (np.arange(len(times)) - np.repeat(np.cumsum(times) - times, times))[place]
    copies = len(listing) // len(times) - 1
    return np.stack([source, np.where(copy > 0, copy + copies * number, 0)], axis=1), number


class BalancedPool:
    """A pool in which partners of every class have the same probability.

    It has more positions than images: the same number for every class, divided among its images as
    equally as possible (to one part in `POSITIONS`/(K m), for a class of m images among K).

    Parameters
    ----------
    pool
        The training images.
    labels
        int64 (n,), their classes.
    device
        That of the positions.
    """

    def __init__(self, pool: Pool, labels: Integers, device: torch.device | str = "cpu") -> None:
        _, sizes = np.unique(labels, return_counts=True)
        members, first = np.argsort(labels, kind="stable"), np.cumsum(sizes) - sizes
        self._pool = pool
        self._sizes, self._members, self._first = (
            torch.from_numpy(numbers).to(device) for numbers in (sizes, members, first)
        )
        self._share = POSITIONS // len(sizes)

    def __len__(self) -> int:
        return self._share * len(self._sizes)

    def of(self, source: Tensor) -> Batch:
        """The images at some positions, int64 (b,), and their targets."""
        group, place = source // self._share, source % self._share
        place = place * self._sizes[group] // self._share
        return self._pool.of(self._members[self._first[group] + place])

    @property
    def mean(self) -> Tensor:
        """Mean level of every channel over all images, as of the pool."""
        return self._pool.mean
