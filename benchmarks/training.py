"""Training with augmentation: campare's beside torchvision's transforms behind a DataLoader."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch.utils.data import ConcatDataset, DataLoader, Dataset
from torchvision.transforms import v2

import library
from campare import data, models, registry, train
from rounds import Row, Work, interleaved, row, timed

ARCHITECTURE, SIZE, BATCH = "small_cnn", 32, 32
# Originals and this many augmented copies of each. The thesis's list has one: half its images are
# augmented. The goals are of augmentation, so nine, nine tenths.
COPIES = 9
GOALS = {"affine": 2.2, "elastic": 3.5}


def rows(rounds: int, device: torch.device, images: int = 320) -> Iterator[Row]:
    pictures = library.pictures(images, SIZE)
    labels = np.arange(images) % 10
    sides: dict[str, Work] = {"bare step": bare(pictures, labels, device)}
    for name in GOALS:
        sides[name] = ours(name, COPIES, pictures, labels, device)
        sides[f"library {name}"] = theirs(name, COPIES, pictures, labels, device)
    sides["half"] = ours("affine", 1, pictures, labels, device)
    sides["library half"] = theirs("affine", 1, pictures, labels, device)
    rates = interleaved(sides, rounds)
    for name, goal in GOALS.items():
        yield row(f"train_{name}", rates, name, f"library {name}", goal, "images/s")
    yield row("train_affine_thesis_list", rates, "half", "library half", None, "images/s")
    yield row("train_of_bare_step", rates, "affine", "bare step", 0.9, "images/s")


def defaults(name: str) -> dict[str, object]:
    return {key: one.default for key, one in registry.AUGMENTATIONS[name].parameters.items()}


def ours(
    name: str, copies: int, pictures: np.ndarray, labels: np.ndarray, device: torch.device
) -> Work:
    """`train.train`, by the rate that its history gives: augmentation and steps of an epoch."""
    count = len(pictures)
    dataset = data.Dataset(pictures, labels, [str(k) for k in range(10)], None)
    subsets = ["train"] * count + ["validation"]
    split = pd.DataFrame({"index": [*range(count), 0], "subset": subsets})
    settings = train.Settings(
        architecture=ARCHITECTURE,
        input_size=SIZE,
        epochs=2,
        batch_size=BATCH,
        learning_rate=1e-3,
        weight_decay=0,
        precision="float32",
        device=device.type,
        threads=torch.get_num_threads(),
        copies=copies,
        resample="each_epoch",
        augment_at="native",
        init_seed=0,
        order_seed=0,
        augmentation_seed=0,
        steps=[(name, defaults(name))],
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


def theirs(
    name: str, copies: int, pictures: np.ndarray, labels: np.ndarray, device: torch.device
) -> Work:
    """torchvision's transform of each picture, DataLoader, torch.optim.Adam.

    Without workers, which slow it down on two cores.
    """
    scaled = [v2.ToDtype(torch.float32, scale=True), v2.Normalize(library.MEAN, library.STD)]
    settings = defaults(name)
    transform = {
        "affine": lambda: v2.RandomAffine(
            settings["degrees"],
            (settings["translate"], settings["translate"]),
            settings["scale"],
            settings["shear"],
        ),
        "elastic": lambda: v2.ElasticTransform(settings["alpha"], settings["sigma"]),
    }[name]()
    plain = Pictures(pictures, labels, v2.Compose(scaled))
    augmented = Pictures(pictures, labels, v2.Compose([transform, *scaled]))
    loader = DataLoader(ConcatDataset([plain, *[augmented] * copies]), BATCH, shuffle=True)
    network = models.build(ARCHITECTURE, classes=10, channels=3, seed=0).to(device)
    adam = torch.optim.Adam(network.parameters(), 1e-3)

    def work() -> float:
        count = 0
        for images, targets in loader:
            loss = F.cross_entropy(network(images.to(device)), targets.to(device))
            adam.zero_grad()
            loss.backward()
            adam.step()
            count += len(images)
        loss.item()
        return count

    return timed(work)


def bare(pictures: np.ndarray, labels: np.ndarray, device: torch.device) -> Work:
    """Forward, backward and optimiser on prepared batches: the least that training can take."""
    layout = torch.channels_last
    network = models.build(ARCHITECTURE, classes=10, channels=3, seed=0)
    network = network.to(device, memory_format=layout)
    adam = train.Adam(network.parameters(), 1e-3, 0)
    images = library.prepared(pictures).to(device, memory_format=layout).split(BATCH)
    targets = torch.eye(10, device=device)[torch.from_numpy(labels)].split(BATCH)

    def work() -> float:
        for _ in range(1 + COPIES):
            for batch, wanted in zip(images, targets, strict=True):
                loss = F.cross_entropy(network(batch), wanted)
                network.zero_grad()
                loss.backward()
                adam.step()
        loss.item()
        return (1 + COPIES) * len(pictures)

    return timed(work)
