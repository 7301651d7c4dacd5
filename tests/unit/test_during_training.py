"""Maps during training: every epoch against its own noise floor, and the onset of an effect."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest

from campare import columns, config, during_training
from campare.design import Design
from campare.errors import CampareError
from campare.plots import during_training as plots
from campare.plots import equal_accuracy

ARMS = {"baseline": range(8), "affine": range(20, 24), "cutmix": range(30, 34)}
MODELS = [(arm, seed) for arm, seeds in ARMS.items() for seed in seeds]
# Epoch → distance of affine's maps from those of others, in standard deviations of networks.
EFFECTS = {"1": 0.0, "2": 4.0, "10": 4.0, "best": 4.0}
IMAGES = 40


def pairs_of(effect: float, seed: int) -> dict[str, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    features = {m: rng.normal(size=6) + effect * (m[0] == "affine") for m in MODELS}
    rows: dict[str, list[pd.DataFrame]] = {arm: [] for arm in ARMS}
    for first, second in combinations(MODELS, 2):
        if "baseline" in (first[0], second[0]) or first[0] == second[0]:
            far = 0.01 * ((features[first] - features[second]) ** 2).sum()
            ends = dict(zip(("a", "seed_a", "b", "seed_b"), (*first, *second), strict=True))
            values = far + rng.normal(0, 0.01, IMAGES)
            about = {"prediction_a": 0, "prediction_b": 0, "index": np.arange(IMAGES)}
            rows[second[0]].append(pd.DataFrame({**ends, **about, "mad": values}))
    return {arm: pd.concat(parts, ignore_index=True) for arm, parts in rows.items()}


def table() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    correct = {
        epoch: {m: rng.random(IMAGES) < 0.7 + 0.02 * k for m in MODELS}
        for k, epoch in enumerate(EFFECTS)
    }
    pairs = {epoch: pairs_of(effect, k) for k, (epoch, effect) in enumerate(EFFECTS.items())}
    return during_training.table(correct, pairs, [], "mad", 0)


@pytest.fixture(scope="module")
def shifts() -> pd.DataFrame:
    return table()


def test_every_epoch_is_compared_with_its_own_floor(shifts: pd.DataFrame) -> None:
    assert list(shifts) == list(columns.TABLES["during_training"].columns)
    assert list(shifts["epoch"]) == [epoch for epoch in EFFECTS for _ in range(2)]
    for k, epoch in enumerate(EFFECTS):
        floor = pairs_of(EFFECTS[epoch], k)["baseline"]["mad"].mean()
        rows = shifts[shifts["epoch"] == epoch]
        assert rows["floor"].tolist() == pytest.approx([floor, floor])
        assert (rows["relative_shift"] == rows["shift"] / rows["floor"]).all()
    assert (shifts["accuracy_low"] < shifts["accuracy"]).all()
    assert (shifts["reference_accuracy_high"] > shifts["reference_accuracy"]).all()


def test_the_onset_is_the_epoch_from_which_on_the_effect_stays(shifts: pd.DataFrame) -> None:
    onset = during_training.onset(shifts).set_index("augmentation")
    assert list(onset.reset_index()) == list(columns.TABLES["during_training_onset"].columns)
    assert onset.loc["affine", "shift_from"] == "2"
    assert pd.isna(onset.loc["cutmix", "shift_from"])
    assert onset["epochs"].tolist() == onset["tested"].tolist() == [4, 4]
    # An effect that is lost again has no onset before; one at the end alone starts there.
    lost = shifts[shifts["augmentation"] == "affine"].copy()
    lost.loc[lost["epoch"] == "10", "shift_p_holm"] = 0.2
    assert during_training.onset(lost)["shift_from"].tolist() == ["best"]
    lost["accuracy_change_p_holm"] = 0.01
    assert during_training.onset(lost)["accuracy_from"].tolist() == ["1"]


def adjusted() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tables of the figure of equal accuracy."""
    rows: dict[str, Any] = {"reference": "baseline", "metric": "mad", "floor": 0.1}
    for name, value in (("shift", 0.02), ("adjusted_shift", 0.01)):
        rows |= {name: value, f"{name}_low": value - 0.008, f"{name}_high": value + 0.01}
    found = pd.DataFrame([{"augmentation": name, **rows} for name in ("affine", "cutmix")])
    found["shift_p_holm"], found["adjusted_p_holm"] = 0.01, [0.04, 0.3]
    performance = pd.DataFrame(MODELS, columns=["augmentation", "seed"])
    return found, performance.assign(accuracy=0.9 + 0.01 * (performance["seed"] % 5))


def test_the_figure_fills_what_is_significant(shifts: pd.DataFrame) -> None:
    figure = plots.during_training(shifts)
    *_, shift = figure.axes
    dots = [line for line in shift.lines if len(line.get_xdata()) == 1 and line.get_marker() != ""]
    filled = [line.get_markerfacecolor() != "white" for line in dots]
    expected = [
        p <= 0.05
        for name in ("affine", "cutmix")
        for p in shifts.loc[shifts["augmentation"] == name, "shift_p_holm"]
    ]
    assert filled == expected
    assert [text.get_text() for text in shift.get_xticklabels()] == [*EFFECTS]


def test_the_figure_of_equal_accuracy_has_both_shifts_in_per_cent_of_the_floor() -> None:
    _, shift = equal_accuracy.equal_accuracy(*adjusted()).axes
    dots = [line for line in shift.lines if line.get_marker() in ("o", "D")]
    assert [line.get_xdata()[0] for line in dots] == pytest.approx([20, 10, 20, 10])
    assert [line.get_markerfacecolor() != "white" for line in dots] == [True, True, True, False]


STUDY: dict[str, Any] = {
    "study": "s",
    "data": {"name": "digits"},
    "model": {"architecture": "small_cnn", "input_size": 16},
    "seeds": [1, 2, 3],
    "vary": ["augmentation", "init"],
    "reference": "paired",
    "controls": {"longer_training": True},
    "augmentations": {"affine": {}},
    "training": {"epochs": 10},
}


def test_epochs_are_ordered_and_of_longer_training_those_of_as_many_steps() -> None:
    study = STUDY | {"cam": {"epochs": ["best", 10, 2]}}
    design = Design(config.complete(study, "s.yaml"))
    assert design.epochs == {"epochs/2/": 2, "epochs/10/": 10}
    assert design.epochs_kept("affine") == design.epochs_kept("baseline") == [2, 10]
    assert design.epochs_kept("longer_training") == [4, 20]
    assert design.variant_of("epochs/2/") == design.variants[""]
    plain = Design(config.complete(STUDY, "s.yaml"))
    assert plain.epochs == {} and plain.training(("affine", 1)) == design.training(("affine", 1))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cam": {"epochs": [11]}}, "cam.epochs: 11, but training.epochs is 10"),
        ({"cam": {"epochs": [1, "last"]}}, "cam.epochs: last, but training.keep is best"),
        ({"cam": {"epochs": ["best"]}}, "cam.epochs: the maps of best are made without the key"),
        ({"cam": {"epochs": [1, 1]}}, "cam.epochs: 1 is given twice"),
        ({"cam": {"epochs": [0]}}, "cam.epochs.0: 0; must be a whole number ≥ 1"),
        (
            {
                "cam": {"epochs": [1]},
                "controls": {},
                "training": {"epochs": 10, "early_stopping": 2},
            },
            "cam.epochs: with training.early_stopping: 2 some models may not reach",
        ),
        (
            {"cam": {"epochs": [1]}, "controls": {}, "reference": "one"},
            "cam.epochs: the map shift of an epoch needs a noise floor",
        ),
    ],
)
def test_epochs_without_maps_or_floor_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(CampareError, match=message):
        config.complete(STUDY | changes, "s.yaml")
