"""Splits that keep groups whole, such as patients or scenes, and the subsets of a manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from campare.errors import CampareError
from campare.split import SUBSETS, stratified

Integers = NDArray[np.int64]
# Rounds in which every group is reconsidered; fewer than ten are needed in practice.
ROUNDS = 50
# Mean square distance of the shares of classes from those sought that is not improved further.
ENOUGH = 1e-6
# Groups with which a group is exchanged; more would take minutes.
EXCHANGED = 2000


def split(
    labels: Integers,
    given: NDArray[np.str_],
    groups: NDArray[np.str_] | None,
    *,
    validation: float,
    test: float,
    subset: Mapping[str, int],
    seed: int,
    training_seed: int | None = None,
    classes: Sequence[str],
) -> pd.DataFrame:
    """Split images into training, validation and test images, as `split.stratified` does.

    Subsets that are given stay as they are: the test images, and the validation images if there are
    any. With groups, all images of a group are in the same subset.

    Parameters
    ----------
    labels : int64 (N,)
    given : str (N,), "train", "validation" or "test", or all ""
    groups : str (N,), or None
    validation, test, subset, seed, training_seed, classes
        As in `split.stratified`; `subset` must be empty if groups or validation images are given.

    Returns
    -------
    DataFrame
        index, label, subset, sorted by index.

    Raises
    ------
    CampareError
        A class has too few images or groups for the subsets, or as `split.stratified`.
    """
    if "validation" in given:
        if subset:
            raise CampareError(
                f"split.subset: {dict(subset)}: the manifest has the validation images; remove "
                "rows from it instead"
            )
        frame = _frame(labels, given)
    elif groups is None:
        return stratified(
            labels,
            given,
            validation=validation,
            test=test,
            subset=subset,
            seed=seed,
            training_seed=training_seed,
            classes=classes,
        )
    else:
        subsets = given.astype("U10")
        if (given == "").all():
            testing = divided(labels, groups, test, 2, seed, classes)
            subsets = np.where(testing, "test", "train").astype("U10")
        rows = np.flatnonzero(subsets == "train")
        drawn = seed if training_seed is None else training_seed
        picked = divided(labels[rows], groups[rows], validation, 1, drawn, classes)
        subsets[rows[picked]] = "validation"
        frame = _frame(labels, subsets)
    for name in SUBSETS:
        found = frame.loc[frame["subset"] == name, "label"]
        if (missing := np.setdiff1d(np.unique(labels), found)).size:
            raise CampareError(
                f"class {classes[missing[0]]!r}: no {name} image; each subset needs images of "
                "every class"
            )
    return frame


def divided(
    labels: Integers,
    groups: NDArray[Any],
    share: float,
    spare: int,
    seed: int,
    classes: Sequence[str],
) -> NDArray[np.bool_]:
    """Choose groups that together have a share of the images of every class, as nearly as possible.

    Groups are taken in random order, and each is chosen if that brings the share of every class
    nearer to `share` (mean square over classes). Then single groups change sides, and pairs are
    exchanged, as long as that helps. Every class is on both sides. scikit-learn's
    StratifiedGroupKFold takes the largest groups first, so that seeds would differ in few groups.

    Parameters
    ----------
    labels : int64 (N,)
    groups : (N,)
    share
        Of the images of each class, 0 < share < 1.
    spare
        Groups with images of each class that are not chosen, at least.
    seed
        The choice depends on it, on `labels` and on `groups` only.
    classes
        Names of the labels, for messages.

    Returns
    -------
    bool (N,)
        Whether an image is chosen.

    Raises
    ------
    CampareError
        A class has images in too few groups.
    """
    kinds, label = np.unique(labels, return_inverse=True)
    names, group = np.unique(groups, return_inverse=True)
    counts = np.zeros((len(names), len(kinds)), np.int64)
    np.add.at(counts, (group, label), 1)
    present = (counts > 0).astype(np.int64)
    for kind, number in zip(kinds, present.sum(axis=0), strict=True):
        if number < 1 + spare:
            raise CampareError(
                f"class {classes[kind]!r}: its images are in {number} group(s), and "
                f"{1 + spare} subsets each need one of their own; add groups, or choose another "
                "column for split.group"
            )
    random = np.random.Generator(np.random.PCG64(seed))
    order = random.permutation(len(names))
    chosen = _Choice(counts, present, share, spare)
    for row in order:
        chosen.change(row)
    for act in [chosen.change, chosen.exchange] * ROUNDS:
        improved = False
        for row in order:
            if chosen.loss(chosen.taken, chosen.having) < ENOUGH:
                return chosen.rows[group]
            improved |= act(row)
        if not improved and act == chosen.exchange:
            break
    return chosen.rows[group]


class _Choice:
    """A choice among G groups, changed where that brings it nearer to what `divided` seeks.

    counts, present : int64 (G, K), images of each class in each group, and whether there are any
    """

    def __init__(self, counts: Integers, present: Integers, share: float, spare: int) -> None:
        self.counts, self.present, self.share, self.spare = counts, present, share, spare
        self.rows = np.zeros(len(counts), bool)
        self.images, self.groups = counts.sum(axis=0), present.sum(axis=0)
        self.taken = np.zeros(counts.shape[1], np.int64)
        self.having = np.zeros(counts.shape[1], np.int64)

    def loss(self, taken: Integers, having: Integers) -> NDArray[np.float64]:
        """Mean square distance of the shares, and 1 for each class that is not on both sides.

        taken, having : int64 (..., K), images and groups that are chosen; the result is (...).
        """
        distance = (taken / self.images - self.share) ** 2
        absent = (having < 1).astype(int) + (self.groups - having < self.spare)
        return np.asarray(distance.mean(axis=-1) + absent.sum(axis=-1))

    def change(self, row: int) -> bool:
        """Choose a group or leave it out, if that is better; return whether it was."""
        sign = -1 if self.rows[row] else 1
        taken = self.taken + sign * self.counts[row]
        having = self.having + sign * self.present[row]
        if not self.loss(taken, having) < self.loss(self.taken, self.having):
            return False
        self.rows[row] ^= True
        self.taken, self.having = taken, having
        return True

    def exchange(self, row: int) -> bool:
        """Exchange a group, if it is chosen, for the best other one, if that is better."""
        if not self.rows[row]:
            return False
        others = np.flatnonzero(~self.rows)[:EXCHANGED]
        if not others.size:
            return False
        taken = self.taken - self.counts[row] + self.counts[others]
        having = self.having - self.present[row] + self.present[others]
        losses = self.loss(taken, having)
        best = int(losses.argmin())
        if not losses[best] < self.loss(self.taken, self.having):
            return False
        self.rows[[row, others[best]]] = False, True
        self.taken, self.having = taken[best], having[best]
        return True


def report(frame: pd.DataFrame, groups: NDArray[Any] | None) -> str:
    """The size of each subset in images and groups, and how far class shares are from those of all.

    Parameters
    ----------
    frame
        Result of `split`.
    groups
        Of all images of the data set.
    """
    lines = []
    overall = frame["label"].value_counts(normalize=True)
    for name in SUBSETS:
        part = frame[frame["subset"] == name]
        size = f"{len(part):,} images ({len(part) / len(frame):.1%})"
        if groups is not None:
            size += f" of {len(np.unique(groups[part['index'].to_numpy()])):,} groups"
        shares = part["label"].value_counts(normalize=True).reindex(overall.index, fill_value=0)
        off = 100 * (shares - overall).abs().max()
        lines.append(f"{name}: {size}; shares of the classes differ by up to {off:.1f} points")
    return "\n".join(lines)


def _frame(labels: Integers, subsets: NDArray[np.str_]) -> pd.DataFrame:
    return pd.DataFrame({"index": np.arange(len(labels)), "label": labels, "subset": subsets})
