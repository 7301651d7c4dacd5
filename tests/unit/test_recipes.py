"""Optimizers, schedules, losses and averages: held to torch's, alone and in a whole training."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from test_train import run, settings
from torch import Tensor, nn
from torch.optim import lr_scheduler as torchs

from campare import config, data, design, models, optimizers, recipes
from campare.averages import Average
from campare.feed import Feed
from campare.finetuning import Group
from campare.losses import Loss
from campare.pooling import pool_leanly
from campare.preprocess import prepare
from campare.schedules import Schedule
from campare.settings import Settings

Study = tuple[data.Dataset, pd.DataFrame]


def few_digits() -> Study:
    """240 digits: 120 for training, 60 for validation."""
    everything = data.load("digits", root=None, size=None, fit="crop", channels=None)
    few = np.arange(240)
    digits = data.Dataset(
        everything.images[few], everything.labels[few], everything.classes, everything.part[few]
    )
    subset = np.array(["train", "train", "validation", "test"])[few % 4]
    return digits, pd.DataFrame({"index": few, "label": digits.labels, "subset": subset})


@pytest.fixture(scope="module")
def study() -> Study:
    return few_digits()


# Settings ---------------------------------------------------------------------------------------


def test_defaults_are_those_of_the_schema_and_of_settings() -> None:
    own = {field.name: field.default for field in dataclasses.fields(Settings)}
    for part, defaults in (("model", recipes.MODEL), ("training", recipes.TRAINING)):
        properties = config.schema()["properties"][part]["properties"]
        for key, value in defaults.items():
            assert properties[key]["default"] == value
            assert own[key] == (tuple(value) if isinstance(value, list) else value)
    usual = ("epochs", "batch_size", "steps_per_epoch", "learning_rate", "weight_decay")
    assert properties.keys() - recipes.TRAINING.keys() == {
        *usual, "precision", "cuda_graph", "seed",
    }  # fmt: skip


CHANGES: dict[str, Any] = {
    "optimizer": "adamw",
    "schedule": "cosine",
    "warmup": 1.5,
    "loss": "binary_cross_entropy",
    "label_smoothing": 0.1,
    "class_weights": "balanced",
    "sampling": "balanced",
    "gradient_clip": 1.0,
    "ema": 0.99,
    "early_stopping": 3,
    "keep": "last",
    "head_learning_rate": 0.01,
    "bias_learning_rate": 0.02,
    "recalibrate_batch_norm": 5,
}


def studied(**training: Any) -> design.Design:
    study = {
        "study": "s",
        "data": {"name": "digits"},
        "model": {"architecture": "small_cnn"},
        "augmentations": {"affine": {}},
        "augmenting": {"copies": 2},
        "training": training,
    }
    study["model"] |= {key: training.pop(key) for key in recipes.MODEL if key in training}
    if "early_stopping" not in training:
        study["controls"] = {"longer_training": True}
    return design.Design(config.complete(study, "s.yaml"))


def test_settings_hold_only_what_differs_from_the_defaults() -> None:
    plain = studied().training(("affine", 1))
    assert not plain.keys() & recipes.TRAINING.keys()
    for key, value in CHANGES.items():
        assert studied(**{key: value}).training(("affine", 1)) == plain | {key: value}
    for own in ({"freeze": ["features"]}, {"freeze_batch_norm": True}):
        assert studied(**own).training(("affine", 1)) == plain | own
    own = {"optimizer": "sgd", "momentum": 0.8, "nesterov": True}
    assert studied(**own).training(("affine", 1)) == plain | own


def test_longer_training_has_its_milestones_and_its_warmup_at_the_same_steps() -> None:
    of = studied(epochs=10, schedule="steps", milestones=[4, 7.5], warmup=0.5)
    own, long = (of.training((name, 1)) for name in ("affine", "longer_training"))
    assert (own["epochs"], own["milestones"], own["warmup"]) == (10, [4, 7.5], 0.5)
    assert (long["epochs"], long["milestones"], long["warmup"]) == (30, [12, 22.5], 1.5)
    # 90 images, with two copies 270: the rates of all steps are the same.
    rates = []
    for training, per_epoch in ((own, 27), (long, 9)):
        plan = Schedule.of(Settings(**training), per_epoch)
        rates.append([plan.rate(1e-3, step) for step in range(plan.steps)])
    assert rates[0] == rates[1]


# Optimizers -------------------------------------------------------------------------------------

OPTIMIZERS: dict[str, tuple[dict[str, Any], Callable[..., torch.optim.Optimizer]]] = {
    "adam": ({}, torch.optim.Adam),
    "adamw": ({}, torch.optim.AdamW),
    "sgd": ({"momentum": 0.0}, torch.optim.SGD),
    "momentum": ({"momentum": 0.9}, torch.optim.SGD),
    "nesterov": ({"momentum": 0.8, "nesterov": True}, torch.optim.SGD),
}


def chosen(name: str, **changes: Any) -> Settings:
    own, torch_class = OPTIMIZERS[name]
    kind = "sgd" if torch_class is torch.optim.SGD else name
    return settings(optimizer=kind, **own, **changes)


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("weight_decay", [0.0, 1e-2])
@pytest.mark.parametrize("tensor", [False, True])
def test_an_optimizer_is_torchs_to_the_bit(name: str, weight_decay: float, tensor: bool) -> None:
    def make() -> list[nn.Parameter]:
        generator = torch.Generator().manual_seed(0)
        weights = [torch.randn(shape, generator=generator) for shape in [(4, 3, 3, 3), (5,), (2,)]]
        weights[0] = weights[0].contiguous(memory_format=torch.channels_last)
        return [nn.Parameter(weight) for weight in weights]

    ours, theirs = make(), make()
    first: float | Tensor = torch.tensor(0.25) if tensor else 0.25
    ours_, (own, torch_class) = chosen(name, weight_decay=weight_decay), OPTIMIZERS[name]
    optimizer = optimizers.make(ours_, Group(ours, 0.25, orthogonal=False), first)
    reference = torch_class(theirs, lr=0.25, weight_decay=weight_decay, fused=True, **own)
    for step in range(6):
        rate = 0.25 / 2**step  # exact in float32, as on a GPU
        optimizer.set_rate(rate)
        reference.param_groups[0]["lr"] = rate
        for weights in (ours, theirs):
            for weight in weights[:2]:
                weight.grad = torch.sin(weight.detach() * 10 + step)
        optimizer.step()
        reference.step()
    for weight, expected, start in zip(ours, theirs, make(), strict=True):
        assert torch.equal(weight, expected)
        assert torch.equal(weight, start) == (len(weight) == 2)  # without a gradient


@pytest.mark.parametrize(("momentum", "nesterov"), [(0.0, False), (0.6, False), (0.6, True)])
@pytest.mark.parametrize("weight_decay", [0.0, 1e-2])
@pytest.mark.parametrize("tensor", [False, True])
def test_muon_is_torchs_of_filters_as_matrices(
    momentum: float, nesterov: bool, weight_decay: float, tensor: bool
) -> None:
    generator = torch.Generator().manual_seed(0)
    shapes = [(4, 3, 3, 3), (40, 2, 1, 1), (6, 9), (9, 6)]
    starts = [torch.randn(shape, generator=generator) for shape in shapes]
    ours = [nn.Parameter(start.clone()) for start in starts]
    ours[0].data = ours[0].data.contiguous(memory_format=torch.channels_last)
    theirs = [nn.Parameter(start.flatten(1).clone()) for start in starts]
    own = {"momentum": momentum, "nesterov": nesterov, "weight_decay": weight_decay}
    optimizer = optimizers.make(
        settings(optimizer="muon", **own),
        Group(ours, 0.25, orthogonal=True),
        torch.tensor(0.25) if tensor else 0.25,
    )
    assert isinstance(optimizer, optimizers.Muon)
    reference = torch.optim.Muon(theirs, lr=0.25, **own)
    for step in range(6):
        rate = 0.25 / 2**step
        optimizer.set_rate(rate)
        reference.param_groups[0]["lr"] = rate
        for mine, yours in zip(ours, theirs, strict=True):
            mine.grad = torch.sin(mine.detach() * 10 + step)
            yours.grad = torch.sin(yours.detach() * 10 + step)
        optimizer.step()
        reference.step()
        for mine, yours in zip(ours, theirs, strict=True):
            if tensor:  # the scale of the rate is rounded to float32
                torch.testing.assert_close(mine.flatten(1), yours, rtol=1e-5, atol=1e-6)
            else:
                assert torch.equal(mine.flatten(1), yours)


def test_weight_decay_with_muon_is_of_its_matrices_alone() -> None:
    own = settings(optimizer="muon", weight_decay=0.1)
    decays = {
        orthogonal: optimizers.make(own, Group([], 0.1, orthogonal), 0.1).weight_decay
        for orthogonal in (False, True)
    }
    assert decays == {False: 0, True: 0.1}


def test_steps_of_muon_are_nearly_orthogonal() -> None:
    weight = nn.Parameter(torch.zeros(8, 4, 3, 3))
    weight.grad = torch.randn(weight.shape, generator=torch.Generator().manual_seed(0))
    own = settings(optimizer="muon", weight_decay=0)
    optimizers.make(own, Group([weight], 1.0, orthogonal=True), 1.0).step()
    values = torch.linalg.svdvals(weight.detach().flatten(1))
    assert 0.6 < float(values.min()) < float(values.max()) < 1.3


# Schedules --------------------------------------------------------------------------------------

STEPS, WARMUP, PEAK = 40, 7, 0.3


def of_torch(make: Callable[[torch.optim.Optimizer], torchs.LRScheduler]) -> list[float]:
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=PEAK)
    scheduler = make(optimizer)
    rates = []
    for _ in range(STEPS):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


def warmed(then: Callable[[torch.optim.Optimizer], torchs.LRScheduler]) -> list[float]:
    def make(optimizer: torch.optim.Optimizer) -> torchs.LRScheduler:
        rising = torchs.LinearLR(optimizer, 1 / WARMUP, 1.0, total_iters=WARMUP - 1)
        return torchs.SequentialLR(optimizer, [rising, then(optimizer)], [WARMUP])

    return of_torch(make)


def ours(name: str, warmup: float = 0, **own: Any) -> list[float]:
    plan = Schedule(name, STEPS, warmup, **own)
    return [plan.rate(PEAK, step) for step in range(STEPS)]


def constant(optimizer: torch.optim.Optimizer) -> torchs.LRScheduler:
    return torchs.ConstantLR(optimizer, 1.0)


def test_schedules_that_torch_has_in_closed_form_have_its_rates_to_the_bit() -> None:
    milestones = {"milestones": [11, 12, 30], "decay": 0.3}
    assert ours("steps", **milestones) == of_torch(
        lambda o: torchs.MultiStepLR(o, [11, 12, 30], 0.3)
    )
    for share in (0.3, 0.175, 0.5):
        expected = of_torch(
            lambda o, s=share: torchs.OneCycleLR(o, PEAK, STEPS, pct_start=s, cycle_momentum=False)
        )
        assert ours("one_cycle", share * STEPS) == expected
    assert ours("constant") == [PEAK] * STEPS


def test_schedules_that_torch_computes_by_recursion_have_its_rates_within_1e_12() -> None:
    cases = [
        (ours("cosine"), of_torch(lambda o: torchs.CosineAnnealingLR(o, STEPS))),
        (ours("linear"), of_torch(lambda o: torchs.LinearLR(o, 1.0, 0.0, STEPS))),
        (
            ours("linear", WARMUP),
            warmed(lambda o: torchs.LinearLR(o, 1.0, 0.0, STEPS - WARMUP)),
        ),
        (ours("constant", WARMUP), warmed(constant)),
        (
            ours("cosine", WARMUP),
            warmed(lambda o: torchs.CosineAnnealingLR(o, STEPS - WARMUP)),
        ),
        (
            ours("steps", WARMUP, milestones=[11, 30], decay=0.1),
            warmed(lambda o: torchs.MultiStepLR(o, [11 - WARMUP, 30 - WARMUP], 0.1)),
        ),
    ]
    for found, expected in cases:
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12 * PEAK)
        assert max(found) == PEAK


def test_rates_begin_and_end_where_the_config_says() -> None:
    cosine, cycle = ours("cosine"), ours("one_cycle", 12)
    assert cosine[0] == PEAK
    assert cosine[-1] == pytest.approx(PEAK * (1 + math.cos(math.pi * (1 - 1 / STEPS))) / 2)
    assert cycle[0] == pytest.approx(PEAK / 25)
    assert max(cycle) == PEAK
    assert cycle[-1] == pytest.approx(PEAK / 250_000)


@pytest.mark.parametrize("name", ["constant", "linear", "cosine", "one_cycle", "steps"])
@pytest.mark.parametrize(("epochs", "steps"), [(1, 1), (1, 2), (2, 1), (3, 5), (10, 1)])
@pytest.mark.parametrize("warmup", [None, 0, 0.1, 0.5])
def test_every_rate_is_positive_and_none_exceeds_the_highest(
    name: str, epochs: int, steps: int, warmup: float | None
) -> None:
    milestones = [0.5] if name == "steps" else []
    own = settings(schedule=name, warmup=warmup, milestones=milestones, epochs=epochs)
    plan = Schedule.of(own, steps)
    assert plan.steps == epochs * steps
    for step in range(plan.steps):
        assert 0 < plan.rate(PEAK, step) <= PEAK


def test_times_of_a_schedule_are_in_epochs() -> None:
    plan = Schedule.of(
        settings(schedule="steps", milestones=[1, 1.5], decay=0.5, warmup=0.25, epochs=2), 8
    )
    assert [plan.rate(1.0, step) for step in range(16)] == [
        *(0.5, 1.0), *[1.0] * 6, *[0.5] * 4, *[0.25] * 4,
    ]  # fmt: skip


# Losses -----------------------------------------------------------------------------------------


def batch(mixed: bool) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    scores = 3 * torch.randn(16, 5, generator=generator)
    targets = torch.eye(5)[torch.randint(0, 5, (16,), generator=generator)]
    if mixed:
        share = torch.rand(16, 1, generator=generator)
        targets = share * targets + (1 - share) * targets.roll(1, 0)
    return scores, targets


COUNTS = torch.tensor([10, 20, 40, 10, 20])


@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("smoothing", [0, 0.1])
@pytest.mark.parametrize("weights", [None, "balanced"])
def test_losses_are_their_formulas(mixed: bool, smoothing: float, weights: str | None) -> None:
    scores, targets = batch(mixed)
    x, t = scores.double(), targets.double() * (1 - smoothing) + smoothing / 5
    of_class = 100 / (5 * COUNTS.double()) if weights else torch.ones(5).double()
    of_image = (targets.double() @ of_class)[:, None]
    expected = {
        "cross_entropy": -(of_class * t * x.log_softmax(1)).sum(1).mean(),
        "binary_cross_entropy": -(
            of_image * (t * F.logsigmoid(x) + (1 - t) * F.logsigmoid(-x))
        ).mean(),
    }
    for name, value in expected.items():
        own = settings(loss=name, label_smoothing=smoothing, class_weights=weights)
        found = Loss(own, COUNTS)(scores, targets)
        torch.testing.assert_close(found.double(), value, rtol=1e-6, atol=1e-6)


def test_losses_are_torchs_and_timms_to_the_bit() -> None:
    timm = pytest.importorskip("timm.loss")
    for mixed in (False, True):
        scores, targets = batch(mixed)
        assert torch.equal(
            Loss(settings(), COUNTS)(scores, targets), F.cross_entropy(scores, targets)
        )
        smooth = Loss(settings(label_smoothing=0.2), COUNTS)(scores, targets)
        assert torch.equal(smooth, F.cross_entropy(scores, targets, label_smoothing=0.2))
    scores, targets = batch(False)
    binary = Loss(settings(loss="binary_cross_entropy", label_smoothing=0.2), COUNTS)
    theirs = timm.BinaryCrossEntropy(smoothing=0.2)(scores, targets.argmax(1))
    torch.testing.assert_close(binary(scores, targets), theirs, rtol=1e-6, atol=1e-7)


def test_an_evaluation_has_neither_smoothing_nor_weights() -> None:
    scores, targets = batch(False)
    labels = targets.argmax(1)
    for name, plain in (
        ("cross_entropy", F.cross_entropy(scores, labels)),
        ("binary_cross_entropy", F.binary_cross_entropy_with_logits(scores, targets)),
    ):
        own = settings(loss=name, label_smoothing=0.2, class_weights="balanced")
        assert torch.equal(Loss(own, COUNTS).plain(scores, labels), plain)


def test_balanced_weights_are_scikit_learns_and_one_on_average() -> None:
    from sklearn.utils.class_weight import compute_class_weight

    labels = np.repeat(np.arange(5), COUNTS)
    loss = Loss(settings(class_weights="balanced"), COUNTS)
    expected = compute_class_weight("balanced", classes=np.arange(5), y=labels)
    assert loss.weights is not None
    np.testing.assert_allclose(loss.weights, expected, rtol=1e-6)
    assert float(loss.weights[labels].mean()) == pytest.approx(1)
    absent = Loss(settings(class_weights="balanced"), torch.tensor([3, 0]))
    assert absent.weights is not None
    assert absent.weights.isfinite().all()


# Averages ---------------------------------------------------------------------------------------


def test_an_average_is_torchs_averaged_model() -> None:
    from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

    network = models.build("small_cnn", classes=3, channels=1, seed=0)
    network = network.to(memory_format=torch.channels_last)
    pool_leanly(network)
    average = Average(network, 0.8)
    reference = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(0.8), use_buffers=True)
    images = torch.randn(4, 1, 16, 16)
    sgd = torch.optim.SGD(network.parameters(), lr=0.1)
    for step in range(1, 5):
        F.cross_entropy(network(images), torch.tensor([0, 1, 2, 0])).backward()
        sgd.step()
        average.update(network, step)
        reference.update_parameters(network)
    theirs, current = reference.module.state_dict(), network.state_dict()
    for name, tensor in average.network.state_dict().items():
        if tensor.is_floating_point():
            assert torch.equal(tensor, theirs[name])
            assert not torch.equal(tensor, current[name])
        else:
            assert torch.equal(tensor, current[name])


# Whole trainings --------------------------------------------------------------------------------


def trained(
    own: Settings,
    study: Study,
    optimizer: Callable[..., torch.optim.Optimizer],
    scheduler: Callable[..., torchs.LRScheduler],
) -> dict[str, Tensor]:
    """The same training in a few lines of torch."""
    digits, split = study
    torch.set_num_threads(1)
    index = split["index"][split["subset"] == "train"].to_numpy()
    images = torch.from_numpy(digits.images[index]).permute(0, 3, 1, 2).contiguous()
    feed = Feed(own, images, torch.from_numpy(digits.labels[index]), index, 10)
    mean, std = data.channel_statistics(digits.images[index])
    network = models.build("small_cnn", classes=10, channels=1, seed=own.init_seed)
    network = network.to(memory_format=torch.channels_last)
    pool_leanly(network)
    steps = optimizer(network.parameters())
    rates = scheduler(steps)
    for epoch in range(1, own.epochs + 1):
        for shown, targets in feed.batches(epoch):
            prepared = prepare(shown, mean.tolist(), std.tolist(), own.input_size)
            scores = network(prepared.contiguous(memory_format=torch.channels_last))
            loss = F.cross_entropy(scores, targets, label_smoothing=own.label_smoothing)
            steps.zero_grad()
            loss.backward()
            if own.gradient_clip:
                nn.utils.clip_grad_norm_(network.parameters(), own.gradient_clip)
            steps.step()
            rates.step()
    return network.state_dict()


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("schedule", ["constant", "steps", "one_cycle", "cosine"])
def test_a_training_is_that_of_torchs_optimizer_and_scheduler(
    name: str,
    schedule: str,
    study: Study,
    tmp_path: Path,
) -> None:
    total, per_epoch = 16, 8
    own = chosen(
        name,
        schedule=schedule,
        milestones=[1, 1.5] if schedule == "steps" else [],
        gradient_clip=0.5,
        label_smoothing=0.1,
        keep="last",
        steps=[("horizontal_flip", {"probability": 0.5})],
    )
    scheduler: Callable[..., torchs.LRScheduler] = {
        "constant": constant,
        "steps": lambda o: torchs.MultiStepLR(o, [per_epoch, 12], 0.1),
        "one_cycle": lambda o: torchs.OneCycleLR(o, 1e-2, total, cycle_momentum=False),
        "cosine": lambda o: torchs.CosineAnnealingLR(o, total),
    }[schedule]
    arguments, torch_class = OPTIMIZERS[name]
    expected = trained(
        own, study,
        lambda p: torch_class(p, lr=1e-2, weight_decay=1e-5, fused=True, **arguments),
        scheduler,
    )  # fmt: skip
    weights, metadata, history, _ = run(own, *study, tmp_path)
    assert metadata["epoch"] == 2
    assert ("learning_rate" in history) == (schedule != "constant")
    for key, tensor in weights.items():
        if schedule == "cosine":  # torch's rates differ by rounding
            torch.testing.assert_close(tensor, expected[key], rtol=1e-4, atol=1e-5)
        else:
            assert torch.equal(tensor, expected[key])


OPTIONS: list[dict[str, Any]] = [{key: value} for key, value in CHANGES.items()]


def test_every_option_changes_the_training(
    study: Study,
    tmp_path: Path,
) -> None:
    digits, split = study
    found = []
    cases = [{}, *OPTIONS, {"optimizer": "sgd"}, {"optimizer": "sgd", "nesterov": True}]
    cases += [{"optimizer": "muon"}, {"schedule": "linear"}]
    for place, own in enumerate(cases):
        # An affine augmentation, whose last epoch is not the best one; unbalanced classes.
        chosen_ = settings("affine", epochs=4, learning_rate=0.1, **own)
        few = split[(split["label"] > 0) | (split.index % 3 == 0)]
        weights, *_ = run(chosen_, digits, few, tmp_path / str(place))
        found.append(b"".join(tensor.numpy().tobytes() for tensor in weights.values()))
    same = [cases[i] | cases[j] for i, j in itertools.combinations(range(len(found)), 2)
            if found[i] == found[j]]  # fmt: skip
    # Training that stops early may keep the weights of the best epoch as one that goes on.
    assert all(both == {"early_stopping": 3} for both in same)


def test_the_average_is_what_is_measured_and_kept(
    study: Study,
    tmp_path: Path,
) -> None:
    weights, metadata, history, _ = run(settings("affine", epochs=3, ema=0.9), *study, tmp_path)
    plain, _, other, _ = run(settings("affine", epochs=3), *study, tmp_path / "plain")
    assert not torch.equal(weights["classifier.weight"], plain["classifier.weight"])
    # The training itself is the same.
    assert history["train_loss"].tolist() == other["train_loss"].tolist()
    network = models.build("small_cnn", classes=10, channels=1, seed=0).eval()
    network.load_state_dict(weights)
    digits, split = study
    shown = split["subset"] == "validation"
    images = torch.from_numpy(digits.images[shown]).permute(0, 3, 1, 2)
    with torch.inference_mode():
        scores = network(prepare(images, metadata["mean"], metadata["std"], 16))
    loss = F.cross_entropy(scores, torch.from_numpy(digits.labels[shown]))
    row = history[history["epoch"] == metadata["epoch"]].iloc[0]
    assert float(loss) == pytest.approx(row["validation_loss"], rel=1e-4)


@pytest.mark.parametrize("keep", ["best", "last"])
def test_training_ends_after_epochs_without_a_better_one(
    keep: str,
    study: Study,
    tmp_path: Path,
) -> None:
    own = settings("affine", epochs=30, learning_rate=0.1, early_stopping=2, keep=keep)
    _, metadata, history, events = run(own, *study, tmp_path)
    best = int(history["validation_accuracy"].idxmax()) + 1
    assert len(history) == best + 2 < 30
    assert metadata["epoch"] == (best if keep == "best" else len(history))
    *_, last, note = events
    assert last["left"] == 0
    assert "2 epoch(s) without a higher validation accuracy" in note["message"]
    # The epochs are those of a training that goes on.
    *_, longer, _ = run(
        dataclasses.replace(own, early_stopping=None, epochs=best + 3),
        *study,
        tmp_path / "on",
    )
    columns = ["train_loss", "validation_accuracy"]
    pd.testing.assert_frame_equal(history[columns], longer[columns].iloc[:-1])


def test_the_history_has_the_rate_of_the_last_step_of_each_epoch_if_it_changes(
    study: Study,
    tmp_path: Path,
) -> None:
    own = settings(copies=0, epochs=3, schedule="cosine", batch_size=60)  # two steps an epoch
    *_, history, _ = run(own, *study, tmp_path)
    plan = Schedule("cosine", 6, 0)
    assert history["learning_rate"].tolist() == [plan.rate(1e-2, step) for step in (1, 3, 5)]
    warmed_, constant_ = settings(copies=0, warmup=1), settings(copies=0)
    assert "learning_rate" in run(warmed_, *study, tmp_path / "warm")[2]
    assert "learning_rate" not in run(constant_, *study, tmp_path / "constant")[2]


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_a_cuda_graph_trains_the_same_weights(
    name: str, schedule: str, study: Study, tmp_path: Path
) -> None:
    own = chosen(name, schedule=schedule, gradient_clip=0.5, ema=0.8, device="cuda")
    expected, _, history, _ = run(own, *study, tmp_path / "steps")
    graph = dataclasses.replace(own, cuda_graph=True)
    weights, _, again, _ = run(graph, *study, tmp_path / "graph")
    assert history["train_loss"].tolist() == again["train_loss"].tolist()
    for key, tensor in weights.items():
        assert torch.equal(tensor, expected[key])
