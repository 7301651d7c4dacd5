"""Training with augmentation: campare's beside torchvision's transforms behind a DataLoader."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch.utils.data import ConcatDataset, DataLoader, Dataset
from torchvision.transforms import v2

import library
from campare import data, devices, models, registry, train
from campare.optimizers import Adam
from campare.pooling import pool_leanly
from campare.settings import Settings
from rounds import Row, Work, interleaved, row, timed


@dataclass(frozen=True)
class Case:
    """What is trained: pictures of 32 px, shown at `size`, and `copies` augmented ones of each."""

    augmentation: str = "affine"
    # The thesis's list has one copy: half its images are augmented. The goals are of augmentation.
    copies: int = 9
    architecture: str = "small_cnn"
    size: int = 32
    batch: int = 32
    precision: str = "float32"
    cuda_graph: bool = False


SIDE = 32  # of a picture, pixels
GOALS = {"affine": 2.2, "elastic": 3.5}
HALF = Case(copies=1)
# On a GPU: the thesis's network.
LARGE = [
    Case(copies=1, architecture="efficientnet_b0", size=224, batch=batch, precision=precision)
    for batch in (32, 256)
    for precision in ("float32", "tf32", "bfloat16")
]


def rows(rounds: int, device: torch.device, images: int = 320) -> Iterator[Row]:
    pictures = library.pictures(images, SIDE)
    labels = np.arange(images) % 10
    sides: dict[str, Work] = {"bare step": bare(Case(), pictures, labels, device)}
    for name in GOALS:
        sides[name] = ours(Case(name), pictures, labels, device)
        sides[f"library {name}"] = theirs(Case(name), pictures, labels, device)
    sides["half"] = ours(HALF, pictures, labels, device)
    sides["library half"] = theirs(HALF, pictures, labels, device)
    if device.type == "cuda":
        sides["graph"] = ours(Case(cuda_graph=True), pictures, labels, device)
    rates = interleaved(sides, rounds)
    for name, goal in GOALS.items():
        yield row(f"train_{name}", rates, name, f"library {name}", goal, "images/s")
    yield row("train_affine_thesis_list", rates, "half", "library half", None, "images/s")
    yield row("train_of_bare_step", rates, "affine", "bare step", 0.9, "images/s")
    if device.type == "cuda":
        yield row("train_cuda_graph_of_steps", rates, "graph", "affine", None, "images/s")
        yield from large_rows(min(rounds, 2), device, LARGE)


def large_rows(
    rounds: int, device: torch.device, cases: Iterable[Case], least: int = 1024
) -> Iterator[Row]:
    """Each case beside torchvision, and beside itself with its steps launched whole.

    An epoch has at least `least` images, and a batch for each of torchvision's workers on 16 cores.
    """
    for case in cases:
        images = max(least, 16 * case.batch) // (1 + case.copies)
        pictures = library.pictures(images, SIDE)
        labels = np.arange(images) % 10
        sides = {
            "ours": ours(case, pictures, labels, device),
            "library": theirs(case, pictures, labels, device),
            "graph": ours(replace(case, cuda_graph=True), pictures, labels, device),
        }
        rates = interleaved(sides, rounds)
        name = f"train_{case.architecture}_{case.batch}_{case.precision}"
        yield row(name, rates, "ours", "library", None, "images/s")
        yield row(f"{name}_cuda_graph_of_steps", rates, "graph", "ours", None, "images/s")


def defaults(name: str) -> dict[str, object]:
    return {key: one.default for key, one in registry.AUGMENTATIONS[name].parameters.items()}


def ours(case: Case, pictures: np.ndarray, labels: np.ndarray, device: torch.device) -> Work:
    """`train.train`, by the rate that its history gives: augmentation and steps of an epoch."""
    count = len(pictures)
    dataset = data.Dataset(pictures, labels, [str(k) for k in range(10)], None)
    subsets = ["train"] * count + ["validation"]
    split = pd.DataFrame({"index": [*range(count), 0], "subset": subsets})
    settings = Settings(
        architecture=case.architecture,
        input_size=case.size,
        epochs=2,
        batch_size=case.batch,
        learning_rate=1e-3,
        weight_decay=0,
        precision=case.precision,
        device=device.type,
        threads=torch.get_num_threads(),
        copies=case.copies,
        resample="each_epoch",
        augment_at="native",
        init_seed=0,
        order_seed=0,
        augmentation_seed=0,
        steps=[(case.augmentation, defaults(case.augmentation))],
        cuda_graph=case.cuda_graph,
    )

    def rate() -> float:
        with tempfile.TemporaryDirectory() as folder:
            _, _, history = train.train(
                settings,
                dataset,
                split,
                name="benchmark",
                checkpoint=Path(folder) / "checkpoint",
                code=[],
                progress=lambda _: None,
            )
        return float(history["images_per_second"].iloc[-1])

    return rate


class Pictures(Dataset):
    """Pictures through a transform, one at a time."""

    def __init__(self, pictures: np.ndarray, labels: np.ndarray, transform: v2.Transform) -> None:
        self.pictures = torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous()
        self.labels = labels.tolist()
        self.transform = transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return self.transform(self.pictures[index]), self.labels[index]


def theirs(case: Case, pictures: np.ndarray, labels: np.ndarray, device: torch.device) -> Work:
    """torchvision's transform of each picture, DataLoader, torch.optim.Adam.

    Without workers on the CPU, which slow it down on two cores.
    """
    scaled: list[v2.Transform] = [v2.Resize(case.size)] if case.size != SIDE else []
    scaled += [v2.ToDtype(torch.float32, scale=True), v2.Normalize(library.MEAN, library.STD)]
    settings = defaults(case.augmentation)
    transform = {
        "affine": lambda: v2.RandomAffine(
            settings["degrees"],
            (settings["translate"], settings["translate"]),
            settings["scale"],
            settings["shear"],
        ),
        "elastic": lambda: v2.ElasticTransform(settings["alpha"], settings["sigma"]),
    }[case.augmentation]()
    plain = Pictures(pictures, labels, v2.Compose(scaled))
    augmented = Pictures(pictures, labels, v2.Compose([transform, *scaled]))
    on_gpu = device.type == "cuda"
    loader = DataLoader(
        ConcatDataset([plain, *[augmented] * case.copies]),
        case.batch,
        shuffle=True,
        num_workers=(os.cpu_count() or 1) if on_gpu else 0,
        persistent_workers=on_gpu,
        pin_memory=on_gpu,
    )
    network = models.build(case.architecture, classes=10, channels=3, seed=0).to(device)
    adam = torch.optim.Adam(network.parameters(), 1e-3)
    half = case.precision == "bfloat16"

    def work() -> float:
        count = 0
        for images, targets in loader:
            images, targets = (part.to(device, non_blocking=True) for part in (images, targets))
            with devices.convolutions(tf32=case.precision == "tf32"):
                with torch.autocast(device.type, torch.bfloat16, enabled=half):
                    loss = F.cross_entropy(network(images), targets)
                adam.zero_grad()
                loss.backward()
                adam.step()
            count += len(images)
        loss.item()
        return count

    return timed(work)


def bare(case: Case, pictures: np.ndarray, labels: np.ndarray, device: torch.device) -> Work:
    """Forward, backward and optimiser on prepared batches: the least that training can take."""
    layout = torch.channels_last
    network = models.build(case.architecture, classes=10, channels=3, seed=0)
    network = network.to(device, memory_format=layout)
    pool_leanly(network)
    adam = Adam(network.parameters(), 1e-3, 0)
    images = library.prepared(pictures).to(device, memory_format=layout).split(case.batch)
    targets = torch.eye(10, device=device)[torch.from_numpy(labels)].split(case.batch)

    def work() -> float:
        with devices.convolutions(tf32=case.precision == "tf32"):
            for batch, expected in list(zip(images, targets, strict=True)) * (1 + case.copies):
                loss = F.cross_entropy(network(batch), expected)
                network.zero_grad()
                loss.backward()
                adam.step()
        loss.item()
        return (1 + case.copies) * len(pictures)

    return timed(work)
