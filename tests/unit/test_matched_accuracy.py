"""Networks matched in validation accuracy by epochs: which are matched, and the shift they give."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from campare import columns, matched_accuracy

REFERENCES = [("baseline", seed) for seed in range(5)]
AUGMENTED = [("affine", seed) for seed in range(10, 14)]
EPOCHS = ("1", "5", "best")


def accuracies() -> dict[matched_accuracy.State, float]:
    """References pass the accuracy of the augmented networks in epoch 5."""
    rising = dict(zip(EPOCHS, (0.6, 0.8, 0.9), strict=True))
    found = {(m, epoch): a for epoch, a in rising.items() for m in REFERENCES}
    return found | {(m, epoch): 0.8 for epoch in EPOCHS for m in AUGMENTED}


def test_references_are_matched_at_the_epoch_of_equal_accuracy() -> None:
    given = accuracies()
    given[("baseline", 3), "5"] = 0.807  # too far from 0.8
    given[("baseline", 4), "5"] = 0.804
    given[("baseline", 4), "1"] = 0.796  # as close, but earlier
    found = matched_accuracy.match(
        AUGMENTED, REFERENCES, given, "best", lambda pair: pair[0] != ("baseline", 0)
    )
    expected = [(("baseline", seed), "5") for seed in (1, 2, 4)]
    assert found.of == dict.fromkeys(AUGMENTED, expected)
    pairs = found.pairs()
    assert len(pairs) == len(set(pairs)) == 4 * 3 + 3 + 6


def shifts(effect: float, seed: int) -> dict[str, float]:
    """Maps that change with the epoch, and by `effect` with the augmentation."""
    rng = np.random.default_rng(seed)
    given = accuracies()
    matches = matched_accuracy.match(AUGMENTED, REFERENCES, given, "best", lambda _: True)
    features = {}
    for model in [*REFERENCES, *AUGMENTED]:
        own = rng.normal(size=20) / np.sqrt(20)
        for epoch in EPOCHS:
            accuracy = given[model, epoch]
            step = np.array([effect * (model[0] == "affine"), 5 * accuracy, *[0] * 18])
            features[model, epoch] = own + step
    distances = {
        (a, b): 0.5 * float(((features[a] - features[b]) ** 2).sum()) for a, b in matches.pairs()
    }
    return matched_accuracy.shift(matches, distances)


def test_the_shift_is_without_what_accuracy_changes() -> None:
    without, with_effect = ([shifts(e, seed) for seed in range(60)] for e in (0.0, 1.0))
    estimates = np.array([found["shift"] for found in without])
    assert abs(estimates.mean()) < 3 * estimates.std() / np.sqrt(60)
    assert np.mean([found["shift_low"] <= 0 <= found["shift_high"] for found in without]) > 0.8
    planted = np.array([found["shift"] for found in with_effect])
    assert planted.mean() == pytest.approx(0.5, abs=3 * planted.std() / np.sqrt(60))


def test_the_table_says_how_many_are_matched() -> None:
    given = accuracies()
    given |= {(("affine", 13), epoch): 0.95 for epoch in EPOCHS}  # better than any reference
    found = matched_accuracy.match(AUGMENTED, REFERENCES, given, "best", lambda _: True)
    distances = {pair: 0.1 + 0.01 * k for k, pair in enumerate(found.pairs())}
    table = matched_accuracy.table(
        {"affine": found}, {"affine": "baseline"}, given, distances, "mad"
    )
    assert list(table) == list(columns.TABLES["matched_accuracy"].columns)
    (row,) = table.to_dict("records")
    assert (row["models"], row["matched_models"], row["matched_pairs"]) == (4, 3, 15)
    assert row["epochs"] == "5: 15" and row["accuracy_gap"] == pytest.approx(0)
    states = [(model, "5") for model in REFERENCES]
    assert row["floor"] == pytest.approx(np.mean([distances[p] for p in combinations(states, 2)]))
    assert row["shift"] == pytest.approx(row["between"] - (row["floor"] + row["within"]) / 2)


def test_without_matches_there_is_no_shift() -> None:
    given = accuracies() | {(m, epoch): 0.99 for epoch in EPOCHS for m in AUGMENTED}
    found = matched_accuracy.match(AUGMENTED, REFERENCES, given, "best", lambda _: True)
    assert list(found.of) == AUGMENTED and not any(found.of.values())
    distances = dict.fromkeys(found.pairs(), 0.1)
    assert np.isnan(matched_accuracy.shift(found, distances)["shift"])
