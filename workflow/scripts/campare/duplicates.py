"""Images that occur twice: in two subsets of a split (leakage), or in two classes.

Images are identical if all their pixels are, at the size at which the data set was read. On
request, near-duplicates are found by a perceptual hash.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from campare.data_checks import NAMED, identical
from campare.split import SUBSETS

COLUMNS = [
    *("index", "file", "class", "subset"),
    *("other_index", "other_file", "other_class", "other_subset"),
    *("kind", "bits", "splits"),
]
BITS = 64  # of a perceptual hash
SIDE = 32  # of the image whose frequencies are hashed, pixels
LOW = 8  # frequencies in each direction
# Hashes compared at once: 8 MB of distances.
ROWS = 1_000_000

Integers = NDArray[np.int64]


def table(
    images: NDArray[np.uint8],
    labels: Integers,
    classes: Sequence[str],
    splits: Sequence[pd.DataFrame],
    near: int | None = None,
    files: Sequence[str] | None = None,
) -> pd.DataFrame:
    """The images that equal, or nearly equal, an image of another subset or class.

    Each is listed once, with one other image: the first of those in the earliest subset (training,
    validation, test) if there is one in an earlier subset, else the first image of another class
    in its own subset.

    Parameters
    ----------
    images
        uint8 (N, H, W, C).
    labels
        int64 (N,), positions in `classes`.
    splits
        Splits of the images, see `campare.split`; several if seeds drive the training images.
    near
        Largest number of bits, of 64, in which the perceptual hashes of near-duplicates differ;
        None: only identical images.
    files
        File of each image; None: they were not read from files.

    Returns
    -------
    DataFrame
        index, file (empty without files), class and subset of the image, and of the other image
        (other_index and so on); kind ("identical" or "near"); bits (in which the hashes differ; 0
        for identical images); splits (in which they are in these subsets). Sorted by index.
    """
    first = identical(images)
    hashes = None if near is None else perceptual_hashes(images)
    pairs: dict[tuple[int, str, int, str, str, int], int] = {}
    for frame in splits:
        rows = frame["index"].to_numpy()
        rank = np.array([SUBSETS.index(name) for name in frame["subset"]])
        found = _partners(first[rows], labels[rows], rank)
        bits = np.zeros(len(rows), np.int64)
        if near is not None and hashes is not None:
            nearest, distance = _nearest(hashes[rows], labels[rows], rank, near)
            replaced = (found < 0) & (nearest >= 0)
            found[replaced], bits[replaced] = nearest[replaced], distance[replaced]
        for row in np.flatnonzero(found >= 0):
            other = found[row]
            same = first[rows[row]] == first[rows[other]]
            of, of_other = SUBSETS[rank[row]], SUBSETS[rank[other]]
            kind = "identical" if same else "near"
            key = (int(rows[row]), of, int(rows[other]), of_other, kind, int(bits[row]))
            pairs[key] = pairs.get(key, 0) + 1

    def about(row: int, subset: str) -> tuple[int, str, str, str]:
        return row, files[row] if files else "", classes[labels[row]], subset

    return pd.DataFrame(
        [
            (*about(a, of), *about(b, of_other), kind, bits, count)
            for (a, of, b, of_other, kind, bits), count in sorted(pairs.items())
        ],
        columns=COLUMNS,
    )


def counts(frame: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Number of images of each class in each subset.

    Parameters
    ----------
    frame
        A split, see `campare.split`.

    Returns
    -------
    DataFrame
        class, train, validation, test: a row per class, and one of all classes ("all").
    """
    counted = pd.crosstab(frame["label"], frame["subset"])
    counted = counted.reindex(index=range(len(classes)), columns=list(SUBSETS), fill_value=0)
    counted.insert(0, "class", list(classes))
    total = counted[list(SUBSETS)].sum()
    return pd.concat([counted, pd.DataFrame([{"class": "all", **total}])], ignore_index=True)


def remarks(table: pd.DataFrame) -> Iterator[str]:
    """Warnings about the images of `table`, one sentence each."""
    for kind, name in (("identical", "equal in every pixel"), ("near", "nearly equal")):
        some = table[table["kind"] == kind]
        for subset, other in (("validation", "train"), ("test", "train"), ("test", "validation")):
            leaks = some[(some["subset"] == subset) & (some["other_subset"] == other)]
            if leaks.empty:
                continue
            yield (
                f"{len(leaks):,} {_NAMES[subset]} image(s) {name} to {_NAMES[other]} images"
                f"{_examples(leaks)}, listed in tables/duplicates.csv: models are tested on what "
                "they learnt; remove them, or give them one split.group"
            )
        contradictions = some[some["class"] != some["other_class"]]
        if not contradictions.empty:
            yield (
                f"{len(contradictions):,} image(s) {name} to an image of another class"
                f"{_examples(contradictions)}, listed in tables/duplicates.csv: keep each in its "
                "correct class only"
            )


def _examples(rows: pd.DataFrame) -> str:
    """The files of the first pairs of images, in parentheses; "" without files."""
    if (rows["file"] == "").all():
        return ""
    pairs = rows[["file", "other_file"]].itertuples(index=False, name=None)
    named = [f"{file} = {other}" for file, other in islice(pairs, NAMED)]
    more = [f"{len(rows) - NAMED:,} more"] if len(rows) > NAMED else []
    return f" ({', '.join([*named, *more])})"


_NAMES = {"train": "training", "validation": "validation", "test": "test"}


def perceptual_hashes(images: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """A hash of the coarse structure of each image, which small changes of its pixels keep.

    The image is reduced to 32×32 grey levels, of the mean over its channels unless it is RGB; each
    bit says whether one of the 8×8 lowest frequencies of its cosine transform is above their median
    (pHash: Zauner 2010, Implementation and Benchmarking of Perceptual Image Hash Functions).

    Parameters
    ----------
    images
        uint8 (N, H, W, C).

    Returns
    -------
    uint64 (N,).
    """
    from PIL import Image
    from scipy.fft import dctn

    hashes = np.empty(len(images), np.uint64)
    for row, image in enumerate(images):
        usual = image if image.shape[2] == 3 else image.mean(axis=2).astype(np.uint8)
        picture = Image.fromarray(usual).convert("L")
        small = picture.resize((SIDE, SIDE), Image.Resampling.BOX)
        low = dctn(np.asarray(small, np.float64), norm="ortho")[:LOW, :LOW].ravel()
        (hashes[row],) = np.packbits(low > np.median(low)).view(np.uint64)
    return hashes


def _partners(first: Integers, labels: Integers, rank: Integers) -> Integers:
    """Position of the other image of each identical one, as in `table`; -1 if there is none.

    All int64 (N,): `first` is equal for identical images, `rank` is that of the subset.
    """
    found = np.full(len(first), -1)
    kinds, position = np.unique(first, return_inverse=True)
    several = np.bincount(position, minlength=len(kinds))[position] > 1
    groups: dict[int, list[int]] = {}
    for row in np.flatnonzero(several).tolist():
        groups.setdefault(int(first[row]), []).append(row)
    for rows in groups.values():
        earliest: dict[tuple[int, int], int] = {}  # the first image of each subset and class
        for row in rows:
            earliest.setdefault((int(rank[row]), int(labels[row])), row)
        for row in rows:
            others = [
                (other_rank, other)
                for (other_rank, label), other in earliest.items()
                if other_rank < rank[row]
                or (other_rank == rank[row] and label != labels[row] and other < row)
            ]
            if others:
                found[row] = min(others)[1]
    return found


def _nearest(
    hashes: NDArray[np.uint64], labels: Integers, rank: Integers, most: int
) -> tuple[Integers, Integers]:
    """Position of the nearest image of an earlier subset, else of another class; -1 for none.

    Also the number of bits in which their hashes differ, both int64 (N,).
    """
    found, distance = np.full(len(hashes), -1), np.zeros(len(hashes), np.int64)
    step = max(1, ROWS // max(1, len(hashes)))
    everything = np.arange(len(hashes))
    for start in range(0, len(hashes), step):
        rows = slice(start, start + step)
        bits = np.bitwise_count(hashes[rows, None] ^ hashes[None]).astype(np.int64)
        earlier = rank[None] < rank[rows, None]
        classes = (rank[None] == rank[rows, None]) & (labels[None] != labels[rows, None])
        classes &= everything[None] < everything[rows, None]
        for allowed in (earlier, classes):
            allowed_bits = np.where(allowed, bits, BITS + 1)
            best = allowed_bits.argmin(axis=1)
            least = allowed_bits[np.arange(len(best)), best]
            new = (found[rows] < 0) & (least <= most)
            found[rows] = np.where(new, best, found[rows])
            distance[rows] = np.where(new, least, distance[rows])
    return found, distance
