"""The recipes of config/cifar10.yaml and config/finetune.yaml: operations, speed and accuracy.

`bench.py` has their rows, for the networks trained with flips and shifts. A round takes seconds: a
training of a few batches, beside a loop of torch and torchvision with the same recipe, and beside
the bare step. Accuracies are those of whole studies. `recipes.csv` has them; of studies run since,

    python benchmarks/recipes.py --machine "2 cores of an AMD EPYC" --accuracies results/cifar10 …

adds them. It needs tables/performance.csv and models/ of each study.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
import torch.nn.functional as F
import yaml
from safetensors import safe_open
from torch import nn
from torch.optim import lr_scheduler
from torch.utils.data import DataLoader
from torch.utils.flop_counter import FlopCounterMode, conv_backward_flop
from torchvision.transforms import v2

import library
from campare import config, data, devices, finetuning, models, optimizers, split, train, user_code
from campare.design import BASELINE, Design
from campare.errors import CampareError
from campare.losses import Loss
from campare.pooling import pool_leanly
from campare.preprocess import normalisation, prepare
from campare.schedules import Schedule
from campare.settings import Settings
from rounds import Row, Work, interleaved, row, timed
from training import Pictures

CONFIGS = Path(__file__).parents[1] / "config"
MEASURED = Path(__file__).with_name("recipes.csv")
ARM = "flip_and_shift"
SIDE = 32  # of an image, pixels
CLASSES = 10
# Batches of a round.
BATCHES = {"cifar10": 6, "finetune": 4}
# Goals: operations of a training from random weights, and test accuracies. The goal from random
# weights was derived from airbench, whose accuracies are those of six views of each image.
OPERATIONS = 0.25e15
ACCURACY = {("cifar10", ARM): 0.90, ("cifar10", BASELINE): 0.84, ("finetune", ARM): 0.88}
# Settings that have no share in a recipe: they change the machine, and the rounding.
MACHINE = {"device", "threads", "precision", "cuda_graph", "weights_sha256"}


@dataclass(frozen=True)
class Recipe:
    """How a study trains.

    settings: of the first network with flips and shifts; images: for training.
    """

    name: str
    design: Design
    settings: Settings
    images: int

    @classmethod
    def read(cls, name: str) -> Recipe:
        """The recipe of config/<name>.yaml.

        Raises
        ------
        CampareError
            The study does not pass the checks, for example because its file of weights is missing.
        """
        source = CONFIGS / f"{name}.yaml"
        user_code.use(CONFIGS)
        study = config.complete(yaml.safe_load(source.read_text(encoding="utf-8")), source.name)
        design = Design(study)
        settings = Settings(**design.training((ARM, design.first_seed)))
        return cls(name, design, settings, int(study["split"]["subset"]["train"]))

    @property
    def steps(self) -> int:
        """Of the whole training."""
        return self.settings.epochs * -(-self.images // self.settings.batch_size)

    @property
    def operations(self) -> Operations:
        image, step = operations(self.settings)
        return Operations(image, image * self.images * self.settings.epochs + step * self.steps)


@dataclass(frozen=True)
class Operations:
    """Floating-point operations of training, by torch's flop counter.

    image: forward and backward pass of an image. total: of all images and epochs, with the matrix
    products of the optimizer, without evaluations.
    """

    image: float
    total: float


def rows(rounds: int, device: torch.device) -> Iterator[Row]:
    """All rows of the recipes that can be trained here, and a line for each that cannot."""
    table = pd.read_csv(MEASURED) if MEASURED.exists() else None
    for name in BATCHES:
        if table is not None:
            yield from accuracy_rows(name, table)
        try:
            recipe = Recipe.read(name)
            counted = recipe.operations
        except CampareError as missing:
            print(f"recipe_{name} is not trained: {missing}")
            continue
        yield from operation_rows(recipe, counted)
        yield from speed_rows(recipe, rounds, device, BATCHES[name])


def accuracy_rows(name: str, table: pd.DataFrame) -> Iterator[Row]:
    """Accuracies of `recipes.csv`, of networks from all machines, beside their goals, if any."""
    table = table[table["recipe"] == name]
    for arm, group in table.groupby("augmentation", sort=False):
        if (goal := ACCURACY.get((name, arm))) is None:
            continue
        suffix = "" if arm == ARM else f"_{arm}"
        for column in ("test_accuracy", "test_accuracy_six_views"):
            found = group[column].dropna().to_numpy()
            if not len(found):
                continue
            ratios = found / goal
            measured = np.mean(ratios), ratios.min(), ratios.max()
            yield Row(
                f"recipe_{name}_{column.removeprefix('test_')}{suffix}",
                *map(float, measured),
                1,
                column.replace("_", " "),
                len(found),
                float(found.mean()),
                goal,
            )


def operation_rows(recipe: Recipe, counted: Operations) -> Iterator[Row]:
    """Operations of a whole training and of an image, beside the goal from random weights."""
    goal = 1 if recipe.settings.weights is None else None
    images = recipe.images * recipe.settings.epochs
    for suffix, ours, theirs, unit in (
        ("", counted.total / 1e15, OPERATIONS / 1e15, "PFLOP"),
        ("_per_image", counted.image / 1e9, OPERATIONS / images / 1e9, "GFLOP"),
    ):
        ratio = theirs / ours
        name = f"recipe_{recipe.name}_operations{suffix}"
        yield Row(name, ratio, ratio, ratio, None if suffix else goal, unit, 1, ours, theirs)


def speed_rows(recipe: Recipe, rounds: int, device: torch.device, batches: int) -> Iterator[Row]:
    """campare's training beside a plain loop, and beside the bare step."""
    threads = torch.get_num_threads()
    settings = replace(recipe.settings, epochs=1, device=device.type, threads=threads)
    count = batches * settings.batch_size
    pictures, labels = library.pictures(count, SIDE), np.arange(count) % CLASSES
    loop = plain(settings, pictures, labels, device)
    sides: dict[str, Work] = {
        "ours": lambda: ours(settings, pictures, labels)[1],
        "plain": lambda: loop()[1],
        "bare": lambda: bare(settings, pictures, labels, device)[1],
    }
    rates = interleaved(sides, rounds)
    name = f"recipe_{recipe.name}"
    yield row(name, rates, "ours", "plain", None, "images/s")
    yield row(f"{name}_of_bare_step", rates, "ours", "bare", 0.9, "images/s")


# Operations ---------------------------------------------------------------------------------------


def operations(settings: Settings) -> tuple[float, float]:
    """Operations of an image, forward and backward, and of a step of the optimizer."""
    images, labels = library.pictures(2, SIDE), np.arange(2)
    network, own = _with_optimizers(settings, images)
    loss, shown = _loss(settings, labels, torch.device("cpu")), _shown(settings, images)
    backward = {torch.ops.aten.convolution_backward: grouped_backward}
    with FlopCounterMode(display=False, custom_mapping=backward) as passes:
        loss(network(shown), _targets(labels)).backward()
    with FlopCounterMode(display=False) as steps:
        for optimizer, _ in own:
            optimizer.step()
    return passes.get_total_flops() / len(images), steps.get_total_flops()


def grouped_backward(*arguments: Any, out_shape: Any, **_: Any) -> int:
    """torch's count for the gradients of a convolution; torch counts weights as without groups."""
    *others, groups, (images, weights, bias) = arguments
    counts = [
        conv_backward_flop(*others, groups, needed, out_val=out_shape)
        for needed in ((images, False, bias), (False, weights, bias))
    ]
    return counts[0] + counts[1] // groups


# Training -----------------------------------------------------------------------------------------

Trained = tuple[dict[str, torch.Tensor], float]  # weights, images per second of the last epoch


def ours(settings: Settings, pictures: np.ndarray, labels: np.ndarray) -> Trained:
    """`train.train`, by the rate that its history gives: augmentation and steps of an epoch."""
    count = len(pictures)
    subsets = ["train"] * count + ["validation"]
    split = pd.DataFrame({"index": [*range(count), 0], "subset": subsets})
    with tempfile.TemporaryDirectory() as folder:
        weights, _, history = train.train(
            settings,
            _dataset(pictures, labels),
            split,
            name="benchmark",
            checkpoint=Path(folder) / "checkpoint",
            code=[],
            progress=lambda _: None,
        )
    return weights, float(history["images_per_second"].iloc[-1])


def start(settings: Settings, pictures: np.ndarray) -> nn.Module:
    """The network with which `train.train` starts, on the CPU."""
    mean, std = normalisation(settings.normalise, pictures)
    dataset = _dataset(pictures, np.zeros(len(pictures), np.int64))
    about = {"mean": mean, "std": std}
    network, _ = train._initial(settings, dataset, np.arange(len(pictures)), about)
    return network.train()


def bare(
    settings: Settings, pictures: np.ndarray, labels: np.ndarray, device: torch.device
) -> Trained:
    """Forward, backward and optimizer on prepared batches: the least that training can take."""
    network, own = _with_optimizers(settings, pictures)
    layout = torch.channels_last
    network = network.to(device, memory_format=layout)
    pool_leanly(network)
    loss, size = _loss(settings, labels, device), settings.batch_size
    images = _shown(settings, pictures).to(device, memory_format=layout).split(size)
    targets = _targets(labels).to(device).split(size)
    schedule = Schedule.of(settings, len(images))
    half = settings.precision == "bfloat16"

    def work() -> float:
        batches = list(zip(images, targets, strict=True)) * settings.epochs
        for done, (batch, expected) in enumerate(batches):
            for optimizer, highest in own:
                optimizer.set_rate(schedule.rate(highest, done))
            with devices.convolutions(tf32=settings.precision == "tf32"):
                with torch.autocast(device.type, torch.bfloat16, enabled=half):
                    scores = network(batch)
                value = loss(scores.float(), expected)
                network.zero_grad()
                value.backward()
                for optimizer, _ in own:
                    optimizer.step()
        value.item()
        return len(pictures) * settings.epochs

    rate = timed(work)()
    return network.state_dict(), rate


def plain(
    settings: Settings, pictures: np.ndarray, labels: np.ndarray, device: torch.device
) -> Callable[[], Trained]:
    """The same recipe with DataLoader, torchvision's transforms, torch's optimizer and schedule.

    Without workers on the CPU, which slow it down on two cores. Each call trains anew; workers and
    images stay.
    """
    on_gpu = device.type == "cuda"
    loader = DataLoader(
        Pictures(pictures, labels, transform(settings, pictures)),
        settings.batch_size,
        shuffle=True,
        num_workers=(os.cpu_count() or 1) if on_gpu else 0,
        persistent_workers=on_gpu,
        pin_memory=on_gpu,
    )
    half = settings.precision == "bfloat16"

    def trained() -> Trained:
        network = start(settings, pictures)
        groups = finetuning.prepare(network, settings, _shape(settings))
        network.to(device)
        own = torch_optimizers(settings, groups)
        schedules = [torch_schedule(settings, one, len(loader)) for one in own]

        def work() -> float:
            for _ in range(settings.epochs):
                for images, targets in loader:
                    images, targets = (
                        part.to(device, non_blocking=True) for part in (images, targets)
                    )
                    with devices.convolutions(tf32=settings.precision == "tf32"):
                        with torch.autocast(device.type, torch.bfloat16, enabled=half):
                            loss = F.cross_entropy(
                                network(images), targets, label_smoothing=settings.label_smoothing
                            )
                        network.zero_grad()
                        loss.backward()
                        for one in (*own, *schedules):
                            one.step()
            loss.item()
            return len(pictures) * settings.epochs

        rate = timed(work)()
        return network.state_dict(), rate

    return trained


def transform(settings: Settings, pictures: np.ndarray) -> v2.Compose:
    """torchvision's transforms of an image: those of the arm, the input size, normalisation."""
    augmenting = [TRANSFORMS[name](parameters) for name, parameters in settings.steps]
    sized = [] if settings.input_size == SIDE else [v2.Resize(settings.input_size)]
    normalising = v2.Normalize(*normalisation(settings.normalise, pictures))
    return v2.Compose([*augmenting, *sized, v2.ToDtype(torch.float32, scale=True), normalising])


# torchvision draws each flip anew; with `alternate`, an image is flipped in every second epoch.
TRANSFORMS: dict[str, Callable[[dict[str, Any]], v2.Transform]] = {
    "horizontal_flip": lambda own: v2.RandomHorizontalFlip(own["probability"]),
    "shift": lambda own: v2.RandomCrop(
        SIDE, own["padding"], fill=own["fill"], padding_mode=BORDERS[own["border"]]
    ),
}
BORDERS = {"reflect": "reflect", "fill": "constant"}


class Muon(torch.optim.Muon):
    """`torch.optim.Muon`, which takes matrices only, of convolutions: a row is a filter."""

    def __init__(self, weights: Sequence[nn.Parameter], **options: Any) -> None:
        self.weights = weights
        # In the same memory as the weights.
        self.matrices = [nn.Parameter(weight.detach().view(len(weight), -1)) for weight in weights]
        super().__init__(self.matrices, **options)

    def step(self) -> None:
        for weight, matrix in zip(self.weights, self.matrices, strict=True):
            matrix.grad = None if weight.grad is None else weight.grad.flatten(1)
        super().step()


def torch_optimizers(
    settings: Settings, groups: Sequence[finetuning.Group]
) -> list[torch.optim.Optimizer]:
    """torch's optimizers of the recipes, "muon" and "adamw"."""
    matrices = [group for group in groups if group.orthogonal]
    others = [{"params": one.parameters, "lr": one.rate} for one in groups if not one.orthogonal]
    decay = {"weight_decay": settings.weight_decay}
    if settings.optimizer == "adamw":
        return [torch.optim.AdamW(others, **decay)]
    assert settings.optimizer == "muon"
    moving = {"momentum": settings.momentum, "nesterov": settings.nesterov}
    return [
        torch.optim.SGD(others, **moving),
        *(Muon(group.parameters, lr=group.rate, **moving, **decay) for group in matrices),
    ]


def torch_schedule(
    settings: Settings, optimizer: torch.optim.Optimizer, batches: int
) -> lr_scheduler.LRScheduler:
    """torch's schedules of the recipes, "linear" and "one_cycle"."""
    steps = batches * settings.epochs
    if settings.schedule == "one_cycle":
        highest = [group["lr"] for group in optimizer.param_groups]
        return lr_scheduler.OneCycleLR(optimizer, highest, total_steps=steps, cycle_momentum=False)
    assert settings.schedule == "linear"
    return lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / steps)


def _dataset(pictures: np.ndarray, labels: np.ndarray) -> data.Dataset:
    return data.Dataset(pictures, labels, [str(k) for k in range(CLASSES)], None)


def _shape(settings: Settings) -> tuple[int, int, int]:
    return 3, settings.input_size, settings.input_size


def _shown(settings: Settings, pictures: np.ndarray) -> torch.Tensor:
    """The images as the network is shown them: float32 (N, 3, S, S)."""
    stacked = torch.from_numpy(pictures).permute(0, 3, 1, 2)
    return prepare(stacked, *normalisation(settings.normalise, pictures), settings.input_size)


def _targets(labels: np.ndarray) -> torch.Tensor:
    """float32 (N, classes)."""
    return torch.eye(CLASSES)[torch.from_numpy(labels)]


def _loss(settings: Settings, labels: np.ndarray, device: torch.device) -> Loss:
    return Loss(settings, torch.bincount(torch.from_numpy(labels), minlength=CLASSES).to(device))


def _with_optimizers(
    settings: Settings, pictures: np.ndarray
) -> tuple[nn.Module, list[tuple[optimizers.Optimizer, float]]]:
    """The network before training, and campare's optimizers with their highest rates."""
    network = start(settings, pictures)
    groups = finetuning.prepare(network, settings, _shape(settings))
    own = [(optimizers.make(settings, group, group.rate), group.rate) for group in groups]
    return network, own


# Accuracies ---------------------------------------------------------------------------------------


def accuracies(results: Path, machine: str) -> pd.DataFrame:
    """What a study measured of its recipe, a row per network with flips and shifts or without.

    Columns: recipe, augmentation, seed, test_accuracy, test_accuracy_six_views (see `six_views`),
    gflop_per_image, pflop (of the training), minutes (of the training, with an evaluation per
    epoch), precision, machine.

    Raises
    ------
    CampareError
        The study is no recipe, or was trained otherwise than its config says now.
    """
    name = results.name
    if name not in BATCHES:
        raise CampareError(f"{results}: no recipe; recipes are {', '.join(BATCHES)}")
    recipe = Recipe.read(name)
    counted = recipe.operations
    performance = pd.read_csv(results / "tables" / "performance.csv")
    images, labels = _test_images(results)
    found = []
    for arm, seed, accuracy in performance[["augmentation", "seed", "accuracy"]].to_numpy():
        if arm not in (ARM, BASELINE):
            continue
        model = results / "models" / arm / f"{seed}.safetensors"
        used = _settings_of(model)
        _check(model, used, Settings(**recipe.design.training((arm, seed))))
        history = pd.read_csv(model.with_suffix(".csv"))
        found.append(
            {
                "recipe": name,
                "augmentation": arm,
                "seed": seed,
                "test_accuracy": accuracy,
                "test_accuracy_six_views": accuracy_of_six_views(model, used, images, labels),
                "gflop_per_image": round(counted.image / 1e9, 4),
                "pflop": round(counted.total / 1e15, 4),
                "minutes": round(history["seconds"].sum() / 60, 2),
                "precision": used["precision"],
                "machine": machine,
            }
        )
    return pd.DataFrame(found)


def accuracy_of_six_views(
    model: Path, used: dict[str, Any], images: npt.NDArray[np.uint8], labels: npt.NDArray[np.int64]
) -> float:
    """Accuracy of a network of a study if it sees six views of each image.

    images: (N, side, side, channels); labels: (N,); used: the settings of its training.
    """
    classes, channels = int(labels.max()) + 1, images.shape[-1]
    network, about = models.load(model, used["architecture"], classes=classes, channels=channels)
    network = network.eval().to(memory_format=torch.channels_last)
    correct = 0
    with torch.inference_mode():
        for first in range(0, len(images), 250):
            batch = torch.from_numpy(images[first : first + 250]).permute(0, 3, 1, 2)
            shown = prepare(batch, about["mean"], about["std"], used["input_size"])
            predicted = six_views(network, shown).argmax(1).numpy()
            correct += int((predicted == labels[first : first + 250]).sum())
    return correct / len(images)


def six_views(network: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """Mean logits of six views, (N, classes), as in airbench (`infer_mirror_translate`).

    The views are the image, weight 1/2, and the image shifted by one pixel towards either end of
    the diagonal, weight 1/4 each; each view is also mirrored. Pixels from outside are reflected.
    """
    shifted = F.pad(images, (1, 1, 1, 1), "reflect")
    views = ((images, 2), (shifted[..., :-2, :-2], 1), (shifted[..., 2:, 2:], 1))
    logits = [weight * (network(view) + network(view.flip(-1))) for view, weight in views]
    return torch.stack(logits).sum(0) / 8


def _test_images(results: Path) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    dataset = data.read(results / "data.h5")
    subsets = split.read(results / "split.csv", len(dataset.images))
    test = subsets.loc[subsets["subset"] == "test", "index"].to_numpy()
    return dataset.images[test], dataset.labels[test]


def _settings_of(model: Path) -> dict[str, Any]:
    with safe_open(model, framework="pt") as file:
        about: dict[str, Any] = json.loads(file.metadata()["campare"])
    return about["settings"]


def _check(model: Path, used: dict[str, Any], configured: Settings) -> None:
    """Check that a model was trained as the config says now."""
    expected = json.loads(json.dumps(asdict(configured)))
    other = [key for key in expected if key not in MACHINE and used.get(key) != expected[key]]
    if other:
        raise CampareError(f"{model}: trained with other settings: {', '.join(other)}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--accuracies", type=Path, nargs="+", required=True, metavar="RESULTS")
    parser.add_argument("--machine", required=True, help="what the studies ran on, in words")
    options = parser.parse_args()
    try:
        tables = [accuracies(results, options.machine) for results in options.accuracies]
    except (CampareError, FileNotFoundError) as problem:
        sys.exit(str(problem))
    known = [pd.read_csv(MEASURED)] if MEASURED.exists() else []
    table = pd.concat([*known, *tables])
    table = table.drop_duplicates(["recipe", "augmentation", "seed", "machine"], keep="last")
    table.to_csv(MEASURED, index=False)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
