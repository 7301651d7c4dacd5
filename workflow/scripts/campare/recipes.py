"""How a network is trained beyond the thesis: defaults, and which settings go together.

The rules import this module: no torch here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

# The settings that `Design.training` leaves out at these values, which are those of the thesis:
# keys added later must not retrain the models of a study without them. A test compares them with
# the schema and with `settings.Settings`.
MODEL: Mapping[str, Any] = {
    "weights": None,
    "normalise": "training",
    "batch_norm_momentum": None,
    "freeze": "none",
    "freeze_batch_norm": False,
}
TRAINING: Mapping[str, Any] = {
    "shuffle": "once",
    "sampling": "all",
    "optimizer": "adam",
    "momentum": 0.9,
    "nesterov": False,
    "schedule": "constant",
    "warmup": None,
    "milestones": [],
    "decay": 0.1,
    "loss": "cross_entropy",
    "label_smoothing": 0,
    "class_weights": None,
    "gradient_clip": None,
    "ema": None,
    "early_stopping": None,
    "keep": "best",
    "head_learning_rate": None,
    "bias_learning_rate": None,
    "recalibrate_batch_norm": None,
}
# Settings that only some values of another setting use.
_USED_WITH = {
    "momentum": ("optimizer", ["sgd", "muon"]),
    "nesterov": ("optimizer", ["sgd", "muon"]),
    "milestones": ("schedule", ["steps"]),
    "decay": ("schedule", ["steps"]),
}
# Settings in epochs: they are multiplied if a model is trained for more epochs, with as many steps.
IN_EPOCHS = ("warmup", "milestones")


def changed(study: Mapping[str, Any], longer: float = 1) -> dict[str, Any]:
    """The settings of a complete study that differ from `MODEL` and `TRAINING`.

    longer: factor by which the epochs of a model exceed `training.epochs`.
    """
    own = {
        key: study[part][key]
        for part, defaults in (("model", MODEL), ("training", TRAINING))
        for key, value in defaults.items()
        if study[part][key] != value
    }
    for key in own.keys() & {*IN_EPOCHS}:
        values = own[key]
        own[key] = [v * longer for v in values] if isinstance(values, list) else values * longer
    return own


def changes_rate(schedule: str, warmup: float | None) -> bool:
    """Whether the learning rate changes during training."""
    return schedule != "constant" or bool(warmup)


def problems(study: Mapping[str, Any], written: Mapping[str, Any]) -> Iterator[str]:
    """Messages about settings that contradict each other or have no effect.

    Parameters
    ----------
    study
        The complete study.
    written
        Its part `training`, as the file has it.
    """
    training, model, controls = study["training"], study["model"], study.get("controls", {})
    for key, (other, values) in _USED_WITH.items():
        if key in written and training[other] not in values:
            yield (
                f"training.{key}: has no effect with training.{other}: {training[other]}; set "
                f"training.{other} to {' or '.join(values)}, or remove the key"
            )
    if training["nesterov"] and not training["momentum"]:
        yield "training.nesterov: needs training.momentum > 0; set it, or set nesterov to false"
    if training["sampling"] == "balanced":
        if training["class_weights"]:
            yield (
                "training.class_weights: balanced, which corrects for the sizes of classes a "
                "second time with training.sampling: balanced; remove one of them"
            )
        if written.get("shuffle") == "once":
            yield (
                "training.shuffle: once, but with training.sampling: balanced the images of every "
                "epoch are drawn and shuffled anew; remove it, or set it to each_epoch"
            )
    epochs, milestones = training["epochs"], training["milestones"]
    if training["schedule"] == "steps" and not milestones:
        yield (
            "training.schedule: steps needs training.milestones, the epochs after which the rate "
            "is multiplied by training.decay; add it, such as [15, 25]"
        )
    if milestones != sorted({*milestones}):
        yield f"training.milestones: {milestones}; list each epoch once, in ascending order"
    for key, last in (
        ("milestones", milestones[-1] if milestones else 0),
        ("warmup", training["warmup"] or 0),
        ("early_stopping", training["early_stopping"] or 0),
    ):
        if last >= epochs:
            yield (
                f"training.{key}: {last}, but training.epochs is {epochs}; set fewer epochs than "
                "that, or remove the key"
            )
    if training["recalibrate_batch_norm"] and model["freeze_batch_norm"]:
        yield (
            "training.recalibrate_batch_norm: model.freeze_batch_norm keeps the statistics that it "
            "would replace; remove one of them"
        )
    for control in ("duplicated_originals", "longer_training"):
        if training["early_stopping"] and controls.get(control):
            yield (
                f"controls.{control}: is trained for as many steps as augmented models, which "
                "training.early_stopping does not allow; remove one of them"
            )
