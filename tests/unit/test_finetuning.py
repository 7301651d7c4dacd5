"""Frozen parameters, a rate of the head, batch norms, and weights that depend on the images."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from test_recipes import Study, few_digits, trained
from test_train import run, settings
from torch import Tensor, nn
from torch.optim import lr_scheduler as torchs

from campare import data, finetuning, models, train
from campare.errors import CampareError
from campare.feed import Feed
from campare.preprocess import prepare

SHAPE = (3, 32, 32)
VALID = {
    "study": "s",
    "data": {"name": "digits"},
    "model": {"architecture": "small_cnn"},
    "augmentations": {},
}


@pytest.fixture(scope="module")
def study() -> Study:
    return few_digits()


def built(name: str = "small_cnn", seed: int = 1, channels: int = 1) -> nn.Module:
    return models.build(name, classes=10, channels=channels, seed=seed)


@pytest.mark.parametrize(
    ("architecture", "head"),
    [
        ("small_cnn", "classifier"),
        ("resnet18", "fc"),
        ("efficientnet_b0", "classifier.1"),
        ("densenet121", "classifier"),
        ("mobilenet_v3_small", "classifier.3"),
    ],
)
def test_the_head_is_the_linear_layer_that_runs_last(architecture: str, head: str) -> None:
    assert finetuning.head_name(built(architecture, channels=3), SHAPE) == head


def test_the_head_is_found_by_running_the_network_not_by_the_order_of_its_layers() -> None:
    class Reversed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.last = nn.Linear(4, 2)
            self.first = nn.Linear(3 * 32 * 32, 4)

        def forward(self, images: Tensor) -> Tensor:
            scores: Tensor = self.last(self.first(images.flatten(1)))
            return scores

    assert finetuning.head_name(Reversed(), SHAPE) == "last"


@pytest.mark.parametrize("name", ["resnet18", "vit_tiny_patch16_224"])
def test_the_head_of_timms_networks_is_the_one_that_timm_names(name: str) -> None:
    timm = pytest.importorskip("timm")
    network = timm.create_model(name, num_classes=5)
    expected = network.default_cfg["classifier"]
    assert finetuning.head_name(network, (3, 224, 224)) == expected


FREEZE: list[tuple[Any, set[str]]] = [
    ("none", {"features", "classifier"}),
    ("all_but_head", {"classifier"}),
    ("features", {"classifier"}),
    (["features.0", "features.3", "classifier.bias"], {"features", "classifier"}),
]


@pytest.mark.parametrize(("freeze", "parts"), FREEZE)
@pytest.mark.parametrize("optimizer", ["adam", "sgd", "muon"])
def test_frozen_parameters_keep_their_initial_weights_and_the_others_do_not(
    freeze: Any,
    parts: set[str],
    optimizer: str,
    study: Study,
    tmp_path: Path,
) -> None:
    own = settings(freeze=freeze, optimizer=optimizer, weight_decay=0.1)
    weights, *_ = run(own, *study, tmp_path)
    prefixes = [freeze] if isinstance(freeze, str) else freeze
    if freeze == "all_but_head":
        prefixes = ["features"]
    trained_parts = set()
    for name, before in built().named_parameters():
        frozen = any(f"{name}.".startswith(f"{prefix}.") for prefix in prefixes)
        assert torch.equal(weights[name], before) == frozen
        trained_parts |= set() if frozen else {name.split(".")[0]}
    assert trained_parts == parts
    # The statistics of frozen layers follow the images.
    assert not torch.equal(weights["features.1.running_mean"], torch.zeros(16))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"freeze": "feature"},
            r"model\.freeze: no parameters of small_cnn are in 'feature'; .*: features, classifier",
        ),
        ({"freeze": ["features", "features.9"]}, r"in 'features\.9'"),
        ({"freeze": ["features", "classifier"]}, r"model\.freeze: all 11 parameters are frozen"),
        (
            {"freeze": ["classifier"], "head_learning_rate": 0.1},
            r"training\.head_learning_rate: the head, classifier, is frozen by model\.freeze",
        ),
        (
            {"freeze": "features", "bias_learning_rate": 0.1},
            r"training\.bias_learning_rate: no layer that is trained, apart from the head, has a ",
        ),
        (
            {"architecture": "fashion_cnn", "freeze_batch_norm": True, "input_size": 28},
            r"model\.freeze_batch_norm: fashion_cnn has no batch norm",
        ),
        (
            {"architecture": "fashion_cnn", "recalibrate_batch_norm": 2, "input_size": 28},
            r"training\.recalibrate_batch_norm: fashion_cnn has no batch norm",
        ),
        (
            {"architecture": "squeezenet1_1", "freeze": "all_but_head", "input_size": 32},
            r"model\.architecture: the network has no linear layer",
        ),
    ],
)
def test_what_a_network_lacks_is_named_before_training(
    changes: dict[str, Any],
    message: str,
    study: Study,
    tmp_path: Path,
) -> None:
    from early_checks import check_network

    own = settings(**changes)
    with pytest.raises(CampareError, match=message):
        run(own, *study, tmp_path)
    with pytest.raises(CampareError, match=message):
        check_network(study[0], own, VALID)


def test_the_rate_of_the_head_is_that_of_a_parameter_group_in_torch(
    study: Study,
    tmp_path: Path,
) -> None:
    own = settings(head_learning_rate=0.1, schedule="one_cycle", keep="last")

    def optimizer(parameters: Any) -> torch.optim.Optimizer:
        *body, weight, bias = parameters
        groups = [{"params": body, "lr": 1e-2}, {"params": [weight, bias], "lr": 0.1}]
        return torch.optim.Adam(groups, weight_decay=1e-5, fused=True)

    expected = trained(
        own,
        study,
        optimizer,
        lambda o: torchs.OneCycleLR(o, [1e-2, 0.1], 16, cycle_momentum=False),
    )
    weights, *_ = run(own, *study, tmp_path)
    for name, tensor in weights.items():
        assert torch.equal(tensor, expected[name])


def test_biases_and_the_head_have_their_own_rates_and_no_steps_of_muon() -> None:
    own = settings(
        optimizer="muon", learning_rate=0.2, head_learning_rate=0.3, bias_learning_rate=0.05
    )
    network = models.build("cifar_cnn", classes=10, channels=3, seed=0)
    groups = finetuning.prepare(network, own, (3, 32, 32))
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    found = {
        (group.rate, group.orthogonal): {names[id(p)].rsplit(".", 1)[0] for p in group.parameters}
        for group in groups
    }
    assert {key: len(layers) for key, layers in found.items()} == {
        (0.05, False): 7, (0.2, True): 6, (0.3, False): 1,
    }  # fmt: skip
    assert found[0.3, False] == {"head"}
    assert {p.ndim for group in groups if group.orthogonal for p in group.parameters} == {4}
    assert {p.ndim for group in groups if group.rate == 0.05 for p in group.parameters} == {1}
    # Without rates of their own: two groups, that of Muon and the others.
    plain = finetuning.prepare(network, settings(optimizer="muon"), (3, 32, 32))
    assert sorted(group.orthogonal for group in plain) == [False, True]


def test_a_head_with_the_same_rate_trains_the_same_weights(
    study: Study,
    tmp_path: Path,
) -> None:
    plain, *_ = run(settings(), *study, tmp_path / "plain")
    apart, *_ = run(settings(head_learning_rate=1e-2), *study, tmp_path / "apart")
    assert all(torch.equal(apart[name], plain[name]) for name in plain)


def test_a_frozen_batch_norm_keeps_statistics_and_weights_and_is_used_as_in_evaluation(
    study: Study,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = set()
    forward = nn.BatchNorm2d.forward

    def spied(self: nn.BatchNorm2d, images: Tensor) -> Tensor:
        seen.add(self.training)
        return forward(self, images)

    monkeypatch.setattr(nn.BatchNorm2d, "forward", spied)
    weights, *_ = run(settings(freeze_batch_norm=True), *study, tmp_path)
    assert seen == {False}
    for name, before in built().state_dict().items():
        of_norm = name.split(".")[1] in {"1", "4", "7"}
        assert torch.equal(weights[name], before) == of_norm


def batches(own: Any, study: Study, epoch: int, count: int) -> list[Tensor]:
    """The first prepared batches of an epoch."""
    digits, split = study
    index = split["index"][split["subset"] == "train"].to_numpy()
    images = torch.from_numpy(digits.images[index]).permute(0, 3, 1, 2).contiguous()
    feed = Feed(own, images, torch.from_numpy(digits.labels[index]), index, 10)
    mean, std = data.channel_statistics(digits.images[index])
    layout = torch.channels_last
    return [
        prepare(shown, mean.tolist(), std.tolist(), own.input_size).contiguous(memory_format=layout)
        for shown, _ in [*feed.batches(epoch)][:count]
    ]


@pytest.mark.parametrize("ema", [None, 0.9])
@pytest.mark.parametrize("count", [1, 3, 99])
def test_recalibrated_statistics_are_torchs_update_bn_of_the_epochs_first_batches(
    ema: float | None,
    count: int,
    study: Study,
    tmp_path: Path,
) -> None:
    from torch.optim.swa_utils import update_bn

    own = settings("affine", ema=ema, keep="last", recalibrate_batch_norm=count)
    weights, metadata, history, _ = run(own, *study, tmp_path)
    network = built().to(memory_format=torch.channels_last)
    network.load_state_dict(weights)
    update_bn(batches(own, study, 2, count), network)
    for name, tensor in network.state_dict().items():
        assert torch.equal(weights[name], tensor)
    # They are those with which the epoch was evaluated.
    digits, split = study
    shown = split["subset"] == "validation"
    images = torch.from_numpy(digits.images[shown]).permute(0, 3, 1, 2)
    with torch.inference_mode():
        scores = network.eval()(prepare(images, metadata["mean"], metadata["std"], 16))
    loss = F.cross_entropy(scores, torch.from_numpy(digits.labels[shown]))
    assert float(loss) == pytest.approx(history["validation_loss"].iloc[-1], rel=1e-4)


def test_recalibration_does_not_change_the_training(
    study: Study,
    tmp_path: Path,
) -> None:
    plain, _, history, _ = run(settings(keep="last"), *study, tmp_path / "plain")
    own = settings(keep="last", recalibrate_batch_norm=4)
    weights, _, other, _ = run(own, *study, tmp_path / "own")
    assert history["train_loss"].tolist() == other["train_loss"].tolist()
    parameters = {name for name, _ in built().named_parameters()}
    for name in plain.keys() & parameters:
        assert torch.equal(weights[name], plain[name])
    assert not torch.equal(weights["features.1.running_var"], plain["features.1.running_var"])


# Networks of one's own ----------------------------------------------------------------------------


class Whitened(nn.Sequential):
    """A first layer that is set from the images; then dropout and a batch norm."""

    seen: list[Tensor]

    def __init__(self, classes: int = 10) -> None:
        super().__init__(
            OrderedDict(
                whitening=nn.Conv2d(1, 9, 3, padding=1, bias=False),
                features=nn.Sequential(
                    nn.Conv2d(9, 8, 3, stride=2), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(0.3)
                ),
                flatten=nn.Flatten(),
                classifier=nn.Linear(8 * 49, classes),
            )
        )
        self.seen = []

    def initialise(self, images: Tensor) -> None:
        self.seen.append(images)
        patches = F.unfold(images, 3).transpose(0, 1).flatten(1)
        _, vectors = torch.linalg.eigh(patches @ patches.T)
        self.whitening.weight.copy_(vectors.T.reshape(9, 1, 3, 3))


@pytest.fixture
def whitened(monkeypatch: pytest.MonkeyPatch) -> list[Whitened]:
    """The networks that are built in place of the registry's."""
    made: list[Whitened] = []

    def build(*_: object, classes: int, seed: int, **__: object) -> Whitened:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            made.append(Whitened(classes))
        return made[-1]

    monkeypatch.setattr(models, "build", build)
    return made


def test_initial_weights_may_depend_on_the_training_images(
    whitened: list[Whitened],
    study: Study,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(train, "SAMPLE", 40)
    own = settings("affine", freeze="whitening", keep="last")
    weights, metadata, *_ = run(own, *study, tmp_path / "a")
    again, *_ = run(own, *study, tmp_path / "b")
    for place, changes in enumerate(({"order_seed": 9}, {"init_seed": 9})):
        run(settings("affine", **changes), *study, tmp_path / f"c{place}")
    first, second, reordered, reseeded = whitened
    (images,) = first.seen  # once
    assert images.shape == (40, 1, 16, 16)
    assert images.dtype == torch.float32
    digits, split = study
    shown = torch.from_numpy(digits.images[split["subset"] == "train"]).permute(0, 3, 1, 2)
    known = prepare(shown, metadata["mean"], metadata["std"], 16)
    assert all(bool((known == image).flatten(1).all(1).any()) for image in images)
    assert torch.equal(images, second.seen[0])
    assert torch.equal(images, reordered.seen[0])
    assert not torch.equal(images, reseeded.seen[0])
    assert all(torch.equal(weights[name], again[name]) for name in weights)
    # Frozen after it was set.
    expected = Whitened()
    with torch.no_grad():
        expected.initialise(images)
    assert torch.equal(weights["whitening.weight"], expected.whitening.weight)


def test_few_images_are_prepared_if_they_are_large(
    whitened: list[Whitened],
    study: Study,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(train, "SAMPLE_VALUES", 16 * 16 * 7)
    run(settings(epochs=1), *study, tmp_path)
    assert len(whitened[0].seen[0]) == 7


def test_stopped_after_any_batch_it_goes_on_with_the_same_weights(
    whitened: list[Whitened],
    study: Study,
    tmp_path: Path,
) -> None:
    """With dropout in recalibration, whose random numbers are those of an unbroken run."""
    own = settings(
        copies=0, batch_size=60, ema=0.8, recalibrate_batch_norm=2, head_learning_rate=0.03,
        freeze=["whitening"], schedule="cosine", optimizer="sgd", keep="last",
    )  # fmt: skip

    def stopping_at(path: Path, last: int | None) -> tuple[dict[str, Tensor], pd.DataFrame]:
        asked = iter(range(10**9))
        weights, _, history = train.train(
            own,
            *study,
            name="a/1",
            checkpoint=path,
            code=[],
            progress=lambda _: None,
            stopping=lambda: next(asked) == last,
        )
        return weights, history.drop(columns=["seconds", "images_per_second"])

    expected, history = stopping_at(tmp_path / "whole", None)
    for last in range(6):  # an epoch: two batches of training, one of validation
        path = tmp_path / str(last)
        with pytest.raises(train.Stopped):
            stopping_at(path, last)
        weights, again = stopping_at(path, None)
        assert all(torch.equal(weights[name], expected[name]) for name in expected)
        pd.testing.assert_frame_equal(again, history, check_exact=True)
        assert np.isfinite(again["train_loss"]).all()
