"""What a user should know of a data set before networks are trained on it.

Files that were not read, pictures that came out dark, pictures that are there more than once.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from campare.data import PICTURE_SUFFIXES, Dataset, Files, shown

# How many pictures, or kinds of files, a sentence names.
NAMED = 5
Integers = NDArray[np.int64]


def of(dataset: Dataset) -> list[str]:
    """One sentence for each thing that is odd about a data set, just read; most have none."""
    files = dataset.files
    deepest = files.deepest if files else 0
    return [
        *(_unread(files) if files else []),
        *(_dark(deepest, 65535) if deepest else _dark(int(dataset.images.max()), 255)),
        *_repeated(dataset),
    ]


def identical(images: NDArray[np.uint8]) -> Integers:
    """For each picture, uint8 (N, H, W, C), the first that equals it in every pixel: int64 (N,)."""
    first: dict[bytes, int] = {}
    digests = (hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in images)
    return np.array([first.setdefault(digest, row) for row, digest in enumerate(digests)], np.int64)


def _unread(files: Files) -> list[str]:
    """How many files were ignored, by suffix, with an example of each."""
    if not files.unread:
        return []
    kinds = Counter(path.suffix.lower() for path in files.unread)
    example = {path.suffix.lower(): path for path in reversed(files.unread)}
    named = [
        f"{count:,} {kind or 'without suffix'} ({shown(example[kind].relative_to(files.root))})"
        for kind, count in kinds.most_common(NAMED)
    ]
    ignored, total = len(files.unread), len(files.unread) + len(files.pictures)
    return [
        f"{files.root}: {ignored:,} of {total:,} files are ignored: {_listed(named, len(kinds))}; "
        "if some are pictures, convert them and put them into the folders of classes "
        f"(read there: {' '.join(sorted(PICTURE_SUFFIXES))})"
    ]


def _dark(largest: int, white: int) -> list[str]:
    """Whether the largest level of all pictures is no quarter of white."""
    if not 0 < largest <= white // 4:
        return []
    depth, bits = white.bit_length(), largest.bit_length()
    return [
        f"the largest level of all {depth}-bit pictures is {largest:,}, and white is {white:,}: "
        f"they become dark, 0 to {round(255 * largest / white)} of 255; if their levels are of "
        f"{bits} bits, multiply them by {1 << (depth - bits)} and save the pictures again"
    ]


def _repeated(dataset: Dataset) -> list[str]:
    """Which pictures are there more than once, where it matters."""
    first, labels, part = identical(dataset.images), dataset.labels, dataset.part
    training, testing = np.flatnonzero(part == "train"), np.flatnonzero(part == "test")
    trained = dict(zip(first[training][::-1], training[::-1], strict=True))
    leaked = {row: trained[first[row]] for row in testing if first[row] in trained}
    disputed = {row: first[row] for row in np.flatnonzero(labels != labels[first])}
    seen: dict[tuple[Any, ...], int] = {}
    alike = zip(first, labels, part, strict=True)
    earlier = np.array([seen.setdefault(key, row) for row, key in enumerate(alike)])
    again = (earlier != np.arange(len(first))) & (part != "test")
    twice = {row: earlier[row] for row in np.flatnonzero(again)}
    return [
        f"{len(earlier_of):,} {which} ({_pairs(dataset, earlier_of)}): {remedy}"
        for earlier_of, which, remedy in (
            (
                leaked,
                f"of {len(testing):,} test pictures equal a training picture in every pixel",
                "models may know them by heart; take them out of train or of test",
            ),
            (
                disputed,
                "picture(s) equal one of another class in every pixel",
                "leave each in the class that is right",
            ),
            (
                twice,
                "picture(s) equal another of their class in every pixel",
                "a split may train on one and test or validate on the other; keep one of each",
            ),
        )
        if earlier_of
    ]


def _pairs(dataset: Dataset, like: Mapping[Any, Any]) -> str:
    """Some pictures, each with the one that it is like."""
    files = dataset.files

    def name(row: int) -> str:
        return shown(files.pictures[row].relative_to(files.root)) if files else f"number {row}"

    return _listed([f"{name(row)} = {name(like[row])}" for row in list(like)[:NAMED]], len(like))


def _listed(named: Sequence[str], count: int) -> str:
    """The first NAMED of so many, and how many more there are."""
    return ", ".join([*named, *([f"{count - NAMED:,} more"] if count > NAMED else [])])
