"""Networks with a known change: design, training data, weights, and mistakes in the config."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from campare import changed_data, config, data, initial, known_changes, models
from campare.design import Design
from campare.errors import CampareError

STUDY: dict[str, Any] = {
    "study": "tiny",
    "data": {"name": "shapes", "parameters": {"train": 60, "test": 12, "cue_share": 0.8}},
    "model": {"architecture": "small_cnn"},
    "seeds": [1, 2],
    "vary": ["augmentation", "init", "order"],
    "reference": "all",
    "controls": {"baselines": {"seeds": [11, 12, 13], "vary": ["init", "order"]}},
    "augmentations": {"affine": {}},
    "training": {"epochs": 8},
}
CHANGES: dict[str, Any] = {
    "seeds": [21, 22, 23, 24],
    "label_noise": [0.2, 0.5],
    "training_images": [0.5, 0.3],
    "cue_share": [0.4, 0],
    "untrained_layers": [1, 2],
}


def complete(**changes: Any) -> dict[str, Any]:
    return config.complete(copy.deepcopy(STUDY) | changes, "study.yaml")


@pytest.fixture
def design() -> Design:
    return Design(complete(known_changes=CHANGES))


def test_settings_of_all_other_models_stay_the_same(design: Design) -> None:
    without = Design(complete())
    assert without.models == design.models
    assert without.changed_models == []
    for model in without.models:
        assert without.training(model) == design.training(model)
        assert without.pairs_of(model[0]) == design.pairs_of(model[0])


def test_changed_networks_are_trained_as_further_baselines_are(design: Design) -> None:
    names = [
        *("unchanged", "label_noise_0p2", "label_noise_0p5", "training_images_0p5"),
        *("training_images_0p3", "cue_share_0p4", "cue_share_0"),
        *("untrained_layers_1", "untrained_layers_2"),
    ]
    assert list(design.changes) == names
    assert len(design.changed_models) == 4 * len(names)
    like = design.training(("baseline", 11))
    own = {"init_seed": 21, "order_seed": 21}
    for name in names:
        epochs = {"training_images_0p5": 16, "training_images_0p3": 27}.get(name, 8)
        assert design.training((name, 21)) == like | own | {"epochs": epochs}


def test_streams_that_baselines_share_are_shared() -> None:
    controls = {"baselines": {"seeds": [11, 12, 13], "vary": ["order"]}}
    study = complete(known_changes=CHANGES, controls=controls, reference="one")
    settings = Design(study).training(("label_noise_0p2", 22))
    assert (settings["init_seed"], settings["order_seed"]) == (1, 22)


def test_as_many_steps_if_an_epoch_has_a_number_of_them() -> None:
    training = {"epochs": 8, "steps_per_epoch": 2}
    study = complete(known_changes=CHANGES, training=training)
    assert Design(study).epochs_of("training_images_0p5") == 8


def test_settings_in_epochs_become_longer_with_the_training() -> None:
    training = {"epochs": 8, "schedule": "steps", "milestones": [2, 4]}
    design = Design(complete(known_changes=CHANGES, training=training))
    assert design.training(("training_images_0p5", 21))["milestones"] == [4, 8]
    assert design.training(("label_noise_0p2", 21))["milestones"] == [2, 4]


def test_pairs_are_those_within_a_group_and_with_all_baselines(design: Design) -> None:
    pairs = design.pairs_of("label_noise_0p2")
    assert len(pairs) == 6 + 4 * 4
    assert all(design.independent(pair) for pair in pairs)


@pytest.mark.parametrize(
    ("changes", "others", "message"),
    [
        ({}, {}, r"known_changes: names no change; write label_noise, .* or a sweep"),
        ({"seeds": [1, 3, 4, 5]}, {}, r"known_changes\.seeds: 1 is a seed of other models"),
        ({"seeds": [21, 22]}, {}, r"known_changes\.seeds"),
        ({"label_noise": [0.5, 0.2]}, {}, r"label_noise: .* from weak to strong, in ascending"),
        ({"training_images": [0.2, 0.5]}, {}, r"training_images: .* in descending"),
        ({"cue_share": [0, 0.4]}, {}, r"cue_share: .* order of their distance from 0\.8"),
        ({"cue_share": [0.8]}, {}, r"cue_share: 0\.8 is that of the study itself"),
        ({"label_noise": [0]}, {}, r"known_changes\.label_noise\.0: 0"),
        (
            {},
            {"sweep": {"gaussian_blur": {"sigma": [2, 0.5, 1]}}},
            r"sweep\.gaussian_blur\.sigma: \[2, 0\.5, 1\]; .* list the levels from weak to strong",
        ),
        (
            {"cue_share": [0.4]},
            {"data": {"name": "digits"}},
            r"cue_share: the test images need the cue; set data\.name to shapes",
        ),
        (
            {"label_noise": [0.2]},
            {"controls": {"baselines": {"seeds": [11], "vary": ["init", "order"]}}},
            r"4 or more baselines, and there are 2; add controls\.baselines\.seeds",
        ),
        (
            {"label_noise": [0.2]},
            {"augmentations": {"label_noise_0p2": {"use": "affine"}}},
            r"augmentations\.label_noise_0p2: known_changes trains models of that name",
        ),
    ],
)
def test_mistakes_are_named(changes: dict[str, Any], others: dict[str, Any], message: str) -> None:
    with pytest.raises(CampareError, match=rf"study\.yaml: {message}|{message}"):
        complete(**{**others, "known_changes": changes})


@pytest.mark.parametrize(
    "levels",
    [[0.5, 1, 2], [2, 1, 0.5], [[0.1, 2], [0.1, 1], [0.1, 3]]],  # the last: ranges have no order
)
def test_a_sweep_from_weak_to_strong_is_a_change(levels: list[Any]) -> None:
    complete(known_changes={}, sweep={"gaussian_blur": {"sigma": levels}})


def test_without_known_changes_a_sweep_has_any_order() -> None:
    complete(sweep={"gaussian_blur": {"sigma": [2, 0.5, 1]}})


def test_imported_networks_have_no_known_changes() -> None:
    study = {**complete(known_changes=CHANGES), "trained": {"baseline": []}}
    (problem,) = known_changes.problems(study)
    assert problem.startswith("known_changes: trains networks")


# Training data

LABELS = np.arange(600) % 6


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_label_noise_changes_a_share_of_the_labels_to_any_other_class(share: float) -> None:
    rows = np.arange(0, 600, 2)
    noisy = changed_data.with_label_noise(LABELS, rows, 6, share, 1)
    changed = np.flatnonzero(noisy != LABELS)
    assert len(changed) == round(share * len(rows))
    assert set(changed) <= set(rows)
    assert ((noisy >= 0) & (noisy < 6)).all()
    if share == 1:  # the other five classes are equally likely: 60 of 300 expected
        steps = np.bincount((noisy - LABELS)[rows] % 6, minlength=6)
        assert steps[0] == 0
        assert (np.abs(steps[1:] - 60) < 30).all()
    weaker = changed_data.with_label_noise(LABELS, rows, 6, share / 2, 1)
    both = weaker != LABELS
    assert (weaker[both] == noisy[both]).all()
    other = changed_data.with_label_noise(LABELS, rows, 6, share, 2)
    assert (other != noisy).any()


def test_fewer_images_are_stratified_and_those_of_a_smaller_share_are_among_them() -> None:
    subset = np.where(
        np.arange(600) < 480, "train", np.where(np.arange(600) < 540, "validation", "test")
    )
    frame = pd.DataFrame({"index": np.arange(600), "label": LABELS, "subset": subset})
    half, few, least = (changed_data.with_fewer_images(frame, s, 3) for s in (0.5, 0.25, 0.001))
    for split, number in ((half, 40), (few, 20), (least, 1)):
        own = split[split["subset"] == "train"]
        assert own["label"].value_counts().eq(number).all()
        assert split["index"].is_monotonic_increasing
        pd.testing.assert_frame_equal(
            split[split["subset"] != "train"], frame[frame["subset"] != "train"]
        )
    assert set(least["index"]) < set(few["index"]) < set(half["index"])


def test_only_training_images_of_the_cue_class_differ_with_another_cue_share() -> None:
    source: dict[str, Any] = {"root": None, "size": 16, "fit": "crop", "channels": 3}
    own, other = (
        data.load("shapes", **source, **{**complete()["data"]["parameters"], "cue_share": share})
        for share in (0.8, 0.0)
    )
    rows = np.flatnonzero(own.part == "train")
    changed = changed_data.with_images_of(own, other, rows)
    assert (changed.images[rows] == other.images[rows]).all()
    assert (changed.images[own.part == "test"] == own.images[own.part == "test"]).all()
    differs = (changed.images != own.images).any(axis=(1, 2, 3))
    star = own.classes.index("star")
    assert set(own.labels[differs]) == {star}
    assert differs.sum() == round(0.8 * (own.labels[rows] == star).sum())


def test_data_with_other_labels_are_refused() -> None:
    dataset = data.Dataset(
        np.zeros((2, 4, 4, 1), np.uint8), np.array([0, 1]), ("a", "b"), np.array(["", ""])
    )
    other = data.Dataset(dataset.images, np.array([1, 0]), ("a", "b"), dataset.part)
    with pytest.raises(CampareError, match="other labels"):
        changed_data.with_images_of(dataset, other, np.array([0]))


# Weights


def test_the_last_layers_get_new_weights_with_their_norms() -> None:
    trained, fresh = (
        models.build("small_cnn", classes=3, channels=3, seed=seed) for seed in (1, 2)
    )
    with torch.no_grad():
        for value in trained.state_dict().values():
            value += 1
    before = {name: value.clone() for name, value in trained.state_dict().items()}
    reset = initial.reset_last(trained, fresh, 2)
    assert reset[-1] == "classifier"
    assert len([name for name in reset if fresh.get_submodule(name)._parameters]) == len(reset)
    for name, value in trained.state_dict().items():
        replaced = any(name.startswith(f"{part}.") for part in reset)
        expected = fresh.state_dict()[name] if replaced else before[name]
        assert torch.equal(value, expected), name
    convolutions = [n for n in reset if isinstance(fresh.get_submodule(n), torch.nn.Conv2d)]
    assert len(convolutions) == 1  # the last one, and its norm
    with pytest.raises(CampareError, match="untrained_layers: 5, but the network has 4; set fewer"):
        initial.reset_last(trained, fresh, 5)
