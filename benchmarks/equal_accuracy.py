"""Error rates of the map shift at equal accuracy in simulated studies, as a CSV file.

    python benchmarks/equal_accuracy.py [STUDIES]       (default: 1,000 of each design)

Networks have features of 20 dimensions: noise, the effect of the augmentation, and that of
accuracy, of different lengths and directions. The distance of two networks is half the squared
distance of their features. Accuracies are normal, with a difference of the means of the arms.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from campare import equal_accuracy, shift

SIZE = 20
# Numbers of networks; accuracy: length of its effect per standard deviation of accuracy; gap:
# difference of the mean accuracies, in standard deviations; arm: length of the effect of the
# augmentation; spread: standard deviation of augmented networks, of that of reference networks.
DESIGNS: list[dict[str, Any]] = [
    {"augmented": n, "references": m, "gap": 0.0, "accuracy": 0.0, "arm": 0.0, "spread": 1.0}
    | changes
    for n, m in ((3, 8), (6, 6))
    for changes in (
        {},
        {"gap": 1.0, "accuracy": 0.3},
        {"gap": 2.0, "accuracy": 0.5},
        {"gap": 1.0, "accuracy": 0.3, "spread": 1.5},
        {"gap": 1.0, "accuracy": 0.3, "arm": 0.8},
    )
]


def simulated(design: dict[str, Any], studies: int) -> dict[str, Any]:
    """Share of studies with p ≤ 0.05, with the true shift in the interval, and mean estimates."""
    rng = np.random.default_rng(0)
    n = design["augmented"] + design["references"]
    arm = np.arange(n) >= design["references"]
    pairs = np.array(list(combinations(range(n), 2)))
    first, second = pairs.T
    kind = arm[pairs].sum(axis=1)
    true, rows = design["arm"] ** 2 / 2, []
    for study in range(studies):
        accuracy = rng.normal(size=n) + design["gap"] * arm
        spread = np.where(arm, design["spread"], 1.0)
        features = rng.normal(size=(n, SIZE)) / np.sqrt(SIZE) * spread[:, None]
        features[:, 0] += design["arm"] * arm
        # Partly in the direction of the augmentation's effect.
        features[:, :2] += design["accuracy"] * accuracy[:, None] * [0.6, 0.8]
        far = ((features[first] - features[second]) ** 2).sum(axis=1)[:, None] / 2
        # A test needs two images; here the second is equal to the first.
        twice, accuracies = np.repeat(far, 2, axis=1), 0.9 + 0.01 * accuracy
        found = equal_accuracy.adjusted(twice, pairs, arm, accuracies, study)
        plain = shift.SHIFT @ [far[kind == k].mean() for k in range(3)]
        covered = found.shift.low <= true <= found.shift.high
        rows.append((found.test.p <= 0.05, covered, found.shift.mean, plain))
    names = ("rejected", "covered", "estimate", "unadjusted")
    return {**design, "true": true, **dict(zip(names, np.mean(rows, axis=0), strict=True))}


def results(studies: int) -> Iterator[dict[str, Any]]:
    """A row per design."""
    for design in DESIGNS:
        row = {"studies": studies} | simulated(design, studies)
        print(row, flush=True)
        yield row


if __name__ == "__main__":
    equal_accuracy.SAMPLED = 499  # permutations, for speed
    table = list(results(int(sys.argv[1]) if len(sys.argv) > 1 else 1000))
    with Path(__file__).with_suffix(".csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*table[0]], lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
