"""The choice of test images that figures show."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from campare import naming
from campare.store import Store


def first_of_each(labels: NDArray[np.int64], classes: Sequence[str]) -> NDArray[np.int64]:
    """The first row of every class that occurs, in the order of figures (`naming.ordered`)."""
    present, rows = np.unique(labels, return_index=True)
    ordered: NDArray[np.int64] = rows[np.argsort(naming.ranks(classes)[present])]
    return ordered


def confident_mistakes(store: Store, count: int) -> NDArray[np.int64]:
    """Rows of the `count` misclassified images with the highest probabilities, highest first."""
    wrong = np.flatnonzero(store.predicted != store.label)
    # By −log p from the logits, because probabilities near 1 round to the same number.
    logit = store.logit[wrong].astype(np.float64)
    doubt = np.log(np.exp(logit - logit.max(axis=1, keepdims=True)).sum(axis=1))
    return wrong[np.argsort(doubt, kind="stable")[:count]]
