"""Warnings about a data set: ignored files, dark images, images that occur more than once."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from campare.data import Dataset, Files, shown
from campare.registry import IMAGE_SUFFIXES

# Images, or kinds of files, that a sentence names at most.
NAMED = 5
Integers = NDArray[np.int64]


def of(dataset: Dataset) -> list[str]:
    """A list of warnings about a data set, one sentence each; empty for most data sets."""
    files = dataset.files
    deepest = files.deepest if files else 0
    return [
        *(_unread(files) if files else []),
        *(_dark(deepest, 65535) if deepest else _dark(int(dataset.images.max()), 255)),
        *_repeated(dataset),
    ]


def identical(images: NDArray[np.uint8]) -> Integers:
    """The row of the first image that equals each image in every pixel.

    Parameters
    ----------
    images
        uint8 (N, H, W, C).

    Returns
    -------
    int64 (N,).
    """
    first: dict[bytes, int] = {}
    digests = (hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in images)
    return np.array([first.setdefault(digest, row) for row, digest in enumerate(digests)], np.int64)


def _unread(files: Files) -> list[str]:
    """The number of ignored files of each suffix, with an example of each."""
    if not files.unread:
        return []
    kinds = Counter(path.suffix.lower() for path in files.unread)
    example = {path.suffix.lower(): path for path in reversed(files.unread)}
    named = [
        f"{count:,} {kind or 'without suffix'} ({shown(example[kind].relative_to(files.root))})"
        for kind, count in kinds.most_common(NAMED)
    ]
    ignored, total = len(files.unread), len(files.unread) + len(files.images)
    return [
        f"{files.root}: {ignored:,} of {total:,} files are ignored: {_listed(named, len(kinds))}; "
        "if some are images, convert them and put them into the folders of the classes "
        f"(suffixes that are read: {' '.join(sorted(IMAGE_SUFFIXES))})"
    ]


def _dark(largest: int, white: int) -> list[str]:
    """A warning if the largest grey level of all images is at most a quarter of white."""
    if not 0 < largest <= white // 4:
        return []
    depth, bits = white.bit_length(), largest.bit_length()
    return [
        f"the largest level of all {depth}-bit images is {largest:,}, and white is {white:,}: "
        f"they become dark, 0 to {round(255 * largest / white)} of 255; if their levels have "
        f"{bits} bits, set data.window: [0, {(1 << bits) - 1}], or multiply them by "
        f"{1 << (depth - bits)} and save the images again"
    ]


def _repeated(dataset: Dataset) -> list[str]:
    """Warnings about equal images: in training and test set, in two classes, in training twice."""
    first, labels, part = identical(dataset.images), dataset.labels, dataset.part
    training, testing = np.flatnonzero(part == "train"), np.flatnonzero(part == "test")
    trained = dict(zip(first[training][::-1], training[::-1], strict=True))
    leaked = {row: trained[first[row]] for row in testing if first[row] in trained}
    two_classes = {row: first[row] for row in np.flatnonzero(labels != labels[first])}
    seen: dict[tuple[Any, ...], int] = {}
    keys = zip(first, labels, part, strict=True)
    earlier = np.array([seen.setdefault(key, row) for row, key in enumerate(keys)])
    repeats = (earlier != np.arange(len(first))) & (part != "test")
    repeated = {row: earlier[row] for row in np.flatnonzero(repeats)}
    return [
        f"{len(earlier_of):,} {which} ({_pairs(dataset, earlier_of)}): {remedy}"
        for earlier_of, which, remedy in (
            (
                leaked,
                f"of {len(testing):,} test images equal a training image in every pixel",
                "models may have memorised them; remove them from train or from test",
            ),
            (
                two_classes,
                "image(s) equal an image of another class in every pixel",
                "keep each in its correct class only",
            ),
            (
                repeated,
                "image(s) equal another image of their class in every pixel",
                "a split may train on one and test or validate on the other; keep one of each",
            ),
        )
        if earlier_of
    ]


def _pairs(dataset: Dataset, equal: Mapping[Any, Any]) -> str:
    """Names of images, each with the image that it equals; `equal` maps row to row."""
    files = dataset.files

    def name(row: int) -> str:
        return shown(files.images[row].relative_to(files.root)) if files else f"number {row}"

    some = list(equal)[:NAMED]
    return _listed([f"{name(row)} = {name(equal[row])}" for row in some], len(equal))


def _listed(named: Sequence[str], count: int) -> str:
    """A list of the first NAMED of `count` things, and the number of the rest."""
    return ", ".join([*named, *([f"{count - NAMED:,} more"] if count > NAMED else [])])
