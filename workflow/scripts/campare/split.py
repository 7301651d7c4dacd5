"""Stratified splits into training, validation and test images, and their file `split.csv`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from campare import atomic
from campare.errors import ANEW, CampareError, reading

SUBSETS = ("train", "validation", "test")
COLUMNS = ("index", "label", "subset")

Integers = NDArray[np.int64]


def stratified(
    labels: Integers,
    part: NDArray[np.str_],
    *,
    validation: float,
    test: float,
    subset: Mapping[str, int],
    seed: int,
    training_seed: int | None = None,
    classes: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Split a data set, stratified by class.

    The test images are the test part of the data set or, without parts, a share of all images.
    `subset` then reduces training and test images to given sizes. The validation images are a share
    of the training images, or a given number. Each subset has every class in proportion, to the
    nearest image, and at least once.

    Parameters
    ----------
    labels : int64 (N,)
    part : str (N,), "train" or "test", or all "" if the data set has no parts
    validation
        Share of the training images, 0 < validation < 1.
    test
        Share of all images, 0 < test < 1; unused if the data set has parts.
    subset
        Sizes of some subsets: "train" (including validation, unless that has a size), "validation",
        "test".
    seed
        The split depends on it, on `labels` and on `part` only.
    training_seed
        If given, decides which images train and validate; the test images still depend on `seed`.
    classes
        Names of the labels, for error messages.

    Returns
    -------
    DataFrame
        `index`, `label` (int64) and `subset` ("train", "validation", "test"), sorted by index.

    Raises
    ------
    CampareError
        A class has too few images for the subsets; a share or size is out of range.
    """
    for key, share in (("validation", validation), ("test", test)):
        if not 0 < share < 1:
            raise CampareError(f"split.{key}: {share}; must lie between 0 and 1")
    kinds = np.unique(labels)
    rows = np.random.Generator(np.random.PCG64(seed)).permutation(len(labels))

    def checked(rows: Integers, least: int, where: str, purpose: str) -> Integers:
        """The rows, after a check that every class has at least `least` of them."""
        for kind in kinds:
            if (count := np.count_nonzero(labels[rows] == kind)) < least:
                name = f"{kind}" if classes is None else f"{classes[kind]!r}"
                raise CampareError(
                    f"class {name}: {count} image(s) {where}, too few to split: {purpose} "
                    "one each; add images or remove the class"
                )
        return rows

    def sized(key: str, least: int, most: int) -> int:
        """The size in `subset`, after a check of its range."""
        if not least * len(kinds) <= (size := subset[key]) <= most:
            raise CampareError(
                f"split.subset.{key}: {size}; must lie between {least * len(kinds)} ({least} for "
                f"each of {len(kinds)} classes) and {most}, the number of images"
            )
        return size

    if (part == "").all():
        checked(rows, 3, "in all", "train, validation and test need")
        testing, training = _divided(labels, rows, round(test * len(rows)), 1, 2)
    else:
        training = checked(
            rows[part[rows] == "train"], 2, "in the train part", "train and validation need"
        )
        testing = checked(rows[part[rows] == "test"], 1, "in the test part", "test needs")
    if training_seed is not None:
        drawn = np.random.Generator(np.random.PCG64(training_seed))
        training = drawn.permutation(np.sort(training))
    if "test" in subset:
        testing, _ = _divided(labels, testing, sized("test", 1, len(testing)), 1, 0)
    picked = None
    if "validation" in subset:
        picked = sized("validation", 1, len(training) - len(kinds))
    if "train" in subset:
        share, least = (picked, 1) if picked else (0, 2)
        total = sized("train", least, len(training) - share) + share
        training, _ = _divided(labels, training, total, 2, 0)
    if picked is None:
        picked = round(validation * len(training))
    picking, training = _divided(labels, training, picked, 1, 1)

    index = np.concatenate([training, picking, testing])
    names = np.repeat(SUBSETS, [len(training), len(picking), len(testing)])
    order = np.argsort(index)
    index = index[order]
    return pd.DataFrame({"index": index, "label": labels[index], "subset": names[order]})


def write(frame: pd.DataFrame, path: str | Path) -> None:
    """Write a split as CSV: `index,label,subset`."""
    with atomic.replacing(path) as aside:
        frame.to_csv(aside, columns=list(COLUMNS), index=False, lineterminator="\n")


def read(path: str | Path, n_images: int) -> pd.DataFrame:
    """Read a split of a data set of `n_images`, and check it.

    Raises
    ------
    CampareError
        The file cannot be read, or is not a split of this number of images.
    """
    with reading(path, "split"):
        frame = pd.read_csv(path, keep_default_na=False)
    if problem := _problem(frame, n_images):
        raise CampareError(f"{path}: {problem}; correct it, or {ANEW}")
    return frame


def _problem(frame: pd.DataFrame, n_images: int) -> str | None:
    """A message about what is wrong with a split, or None."""
    if tuple(frame.columns) != COLUMNS:
        return f"has the columns {', '.join(map(str, frame.columns))}, not {', '.join(COLUMNS)}"
    for column in ("index", "label"):
        if not pd.api.types.is_integer_dtype(frame[column]):
            return f"column {column} has entries that are not whole numbers"
    if not frame["index"].between(0, n_images - 1).all():
        return f"has an index outside 0 to {n_images - 1}, the images of the data set"
    if (twice := frame["index"][frame["index"].duplicated()]).size:
        return f"has the index {twice.iloc[0]} twice"
    if (frame["label"] < 0).any():
        return "has a negative label"
    if (unknown := frame["subset"][~frame["subset"].isin(SUBSETS)]).size:
        return f"has the subset {unknown.iloc[0]!r}; known: {', '.join(SUBSETS)}"
    if missing := set(SUBSETS) - set(frame["subset"]):
        return f"has no rows for {' and '.join(sorted(missing))}"
    return None


def _divided(
    labels: Integers, rows: Integers, total: int, least: int, spare: int
) -> tuple[Integers, Integers]:
    """`total` rows in proportion to the classes, and the others; the first of `rows` are chosen.

    At least `least` rows of every class are chosen and `spare` are left, if necessary with another
    total.
    """
    _, kind, counts = np.unique(labels[rows], return_inverse=True, return_counts=True)
    take = _proportional(counts, total, np.full_like(counts, least), counts - spare)
    rank = pd.Series(kind).groupby(kind).cumcount().to_numpy()
    chosen = rank < take[kind]
    return rows[chosen], rows[~chosen]


def _proportional(counts: Integers, total: int, low: Integers, high: Integers) -> Integers:
    """Integer shares of `total` in proportion to `counts`: largest remainder, low ≤ share ≤ high.

    All int64 (classes,). scikit-learn's stratified splitters may leave out rare classes, and assign
    the remainders at random; here every class is present, and shares do not depend on the seed.
    """
    quota = total * counts / counts.sum()
    share: Integers = np.clip(np.floor(quota).astype(np.int64), low, high)
    while share.sum() < min(total, high.sum()):
        share[np.argmax(np.where(share < high, quota - share, -np.inf))] += 1
    while share.sum() > max(total, low.sum()):
        share[np.argmin(np.where(share > low, quota - share, np.inf))] -= 1
    return share
