"""Training of one network: fixed image order, keyed augmentation, resumable bit for bit."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from campare import (
    checkpoints,
    devices,
    memory,
    models,
    performance,
    pretrained,
    registry,
    replay,
    seeding,
)
from campare.checkpoints import Weights
from campare.data import Dataset
from campare.errors import CampareError
from campare.feed import Feed
from campare.optimizers import Adam
from campare.pooling import pool_leanly
from campare.preprocess import normalisation, prepare
from campare.settings import Settings

Metadata = dict[str, Any]
Progress = Callable[[dict[str, Any]], None]


class Stopped(Exception):  # noqa: N818, no error
    """Training has stopped on request; its checkpoint is written."""


def train(
    settings: Settings,
    dataset: Dataset,
    split: pd.DataFrame,
    *,
    name: str,
    checkpoint: Path,
    code: Sequence[str],
    progress: Progress,
    stopping: Callable[[], bool] = lambda: False,
) -> tuple[Weights, Metadata, pd.DataFrame]:
    """Train one model; continue from `checkpoint` if it exists.

    Parameters
    ----------
    split
        Columns `index` and `subset` of the images used.
    name
        Name of the model in messages, such as "affine/2".
    checkpoint
        Path of the checkpoint, written after every epoch; the caller passes it to
        `checkpoints.release` once the results are stored. A checkpoint of other settings, data,
        code or versions is not used.
        It belongs to the process that started last; an older process that still runs (on a lost
        node, for instance) stops at its next epoch.
    code
        Identifies the training code, such as digests of its functions.
    progress
        Called with a dict whose `event` is "note" (`message`), "batch" (at most once a second:
        `epoch` of `epochs`, `done` of `images`, `loss`) or "epoch" (a row of the history, `epochs`,
        and `left`, the estimated remaining seconds).
    stopping
        Called after every batch. If it returns True, the checkpoint is written within the epoch,
        and a later call continues with the next batch.

    Returns
    -------
    weights
        CPU tensors of the epoch with the highest validation accuracy, the first of equals.
    metadata
        Settings, code, digest of the data, classes, mean, std, device, versions, and that epoch;
        no clock times.
    history
        A row per epoch: epoch, train_loss, <subset>_<loss, accuracy, precision, recall, f1>,
        seconds, images_per_second (in training, including augmentation).

    Raises
    ------
    CampareError
        The device does not exist; the loss is not finite; the checkpoint cannot be read, or
        belongs to another process now.
    Stopped
        `stopping` has returned True.
    """
    seeding.deterministic(settings.threads)
    device = devices.choose(settings.device)
    memory.keep_freed()

    subsets = ("train", *settings.evaluate)
    rows = {subset: split["index"][split["subset"] == subset].to_numpy() for subset in subsets}
    mean, std = normalisation(settings.normalise, dataset.images[rows["train"]])
    packages = ["torch", "torchvision", "numpy"]
    if registry.timm_name(settings.architecture):
        packages.append("timm")
    metadata: Metadata = {
        "settings": asdict(settings),
        "code": list(code),
        "data": _digest(dataset, rows),
        "classes": dataset.classes,
        "mean": mean,
        "std": std,
        "device": device.type,
        "versions": {package: version(package) for package in packages},
    }
    run = _Run(settings, dataset, rows, metadata, device, stopping)
    for note in run.notes:
        progress({"event": "note", "message": note})
    if checkpoint.exists():
        progress({"event": "note", "message": run.resume(checkpoint)})
    run.save(checkpoint)
    while run.epoch < settings.epochs:
        try:
            with devices.convolutions(tf32=settings.precision == "tf32"):
                run.advance(name, progress)
        except Stopped:
            checkpoints.check_owner(checkpoint)
            run.save(checkpoint)
            raise
        checkpoints.check_owner(checkpoint)
        run.save(checkpoint)
        spent = sum(row["seconds"] for row in run.history)
        left = spent / run.epoch * (settings.epochs - run.epoch)
        progress({"event": "epoch", **run.history[-1], "epochs": settings.epochs, "left": left})
    scores = "loss", *performance.SCORES
    measured = [f"{subset}_{score}" for subset in settings.evaluate for score in scores]
    columns = ["epoch", "train_loss", *measured, "seconds", "images_per_second"]
    history = pd.DataFrame(run.history, columns=columns)
    return run.best, {**metadata, "epoch": run.best_epoch}, history


class _Run:
    """The state of a training run: network, optimizer, history and position in the epoch."""

    def __init__(
        self,
        settings: Settings,
        dataset: Dataset,
        rows: Mapping[str, NDArray[np.int64]],
        metadata: Metadata,
        device: torch.device,
        stopping: Callable[[], bool],
    ) -> None:
        self.settings = settings
        self.stopping = stopping
        self.metadata = metadata
        self.device = device
        self.mean = torch.tensor(metadata["mean"], dtype=torch.float32, device=device)
        self.std = torch.tensor(metadata["std"], dtype=torch.float32, device=device)
        self.sets = {
            subset: (
                torch.from_numpy(dataset.images[index]).permute(0, 3, 1, 2).contiguous().to(device),
                torch.from_numpy(dataset.labels[index]).to(device),
            )
            for subset, index in rows.items()
        }
        self.feed = Feed(settings, *self.sets["train"], rows["train"], len(dataset.classes))
        self.layout = torch.contiguous_format if device.type == "mps" else torch.channels_last
        network, self.notes = _initial(settings, len(dataset.classes), dataset.images.shape[3])
        self.model = network.to(device, memory_format=self.layout)  # type: ignore[call-overload]
        pool_leanly(self.model)
        self.adam = Adam(self.model.parameters(), settings.learning_rate, settings.weight_decay)
        self.step: replay.Step = self._step
        if settings.cuda_graph and device.type == "cuda":
            self.step = replay.Replay(self._step, [*self._state().values()], replay.on_cuda)
        self.history: list[dict[str, float]] = []
        self.best = self._weights()
        # Of the current epoch: loss and size of each batch so far, and the time that they took.
        self.losses: list[torch.Tensor] = []
        self.sizes: list[int] = []
        self.spent = 0.0
        self.began = 0.0

    @property
    def epoch(self) -> int:
        """Number of finished epochs."""
        return len(self.history)

    @property
    def best_epoch(self) -> int:
        """The epoch with the highest validation accuracy, the first of equals."""
        return 1 + int(np.argmax([row["validation_accuracy"] for row in self.history]))

    def advance(self, name: str, progress: Progress) -> None:
        """Train one epoch or the rest of it, evaluate it, and keep the weights if they are best.

        Raises
        ------
        Stopped
            Within the epoch; `save` then stores the position in the epoch.
        """
        epoch = self.epoch + 1
        self.began = time.perf_counter() - self.spent
        if not self.sizes:
            # Dropout and stochastic depth: a resumed run draws the same numbers as an unbroken one.
            words = np.random.SeedSequence([self.settings.order_seed, epoch])
            torch.manual_seed(int(words.generate_state(1, np.uint64)[0]))
        self._train(progress)
        speed = self.feed.length / (time.perf_counter() - self.began)
        # The losses stay on the device until here, because reading one waits for the device.
        losses = torch.stack(self.losses).cpu().double().numpy()
        mean = float(np.average(losses, weights=self.sizes))
        row: dict[str, float] = {"epoch": epoch, "train_loss": mean}
        for subset in self.settings.evaluate:
            row |= self._measure(subset)
        for key, value in row.items():
            if not np.isfinite(value):
                raise CampareError(
                    f"{name}: {key} is {value} in epoch {epoch}; lower training.learning_rate, or "
                    "set training.precision to float32"
                )
        row |= {"seconds": time.perf_counter() - self.began, "images_per_second": speed}
        self.history.append(row)
        self.losses, self.sizes, self.spent = [], [], 0.0
        if self.best_epoch == epoch:
            self.best = self._weights()

    def _train(self, progress: Progress) -> None:
        """Train on the rest of the training list."""
        self.model.train()
        reported = time.monotonic()
        for images, targets in self.feed.batches(self.epoch + 1, len(self.sizes)):
            self.losses.append(self.step(images, targets))
            self.sizes.append(len(images))
            if time.monotonic() - reported >= 1:
                reported = time.monotonic()
                state = {"epoch": self.epoch + 1, "epochs": self.settings.epochs}
                loss = self.losses[-1].item()
                done = {"done": sum(self.sizes), "images": self.feed.length, "loss": loss}
                progress({"event": "batch", **state, **done})
                if not np.isfinite(done["loss"]):
                    break
            self._check_stopping()

    def _step(self, images: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Update the weights with a batch; return its loss before the update."""
        loss = F.cross_entropy(self._logits(images), targets)
        self.model.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.adam.step()
        return loss.detach()

    def _measure(self, subset: str) -> dict[str, float]:
        """Loss and scores of a subset, as <subset>_<score>."""
        images, labels = self.sets[subset]
        self.model.eval()
        outputs = []
        with torch.inference_mode():
            for part in torch.split(images, 4 * self.settings.batch_size):
                outputs.append(self._logits(part))
                self._check_stopping()
            logits = torch.cat(outputs)
            loss = F.cross_entropy(logits, labels).item()
        predictions = logits.argmax(1).cpu().numpy()
        counts = performance.confusion(labels.cpu().numpy(), predictions, logits.shape[1])
        measured = {"loss": loss, **performance.scores(counts)}
        return {f"{subset}_{name}": value for name, value in measured.items()}

    def _check_stopping(self) -> None:
        """Raise `Stopped` if `stopping` returns True."""
        if self.stopping():
            self.spent = time.perf_counter() - self.began
            raise Stopped(f"in epoch {self.epoch + 1}, after {sum(self.sizes):,} images")

    def _logits(self, images: torch.Tensor) -> torch.Tensor:
        """uint8 (B, C, H, W) -> float32 (B, classes)."""
        shown = prepare(images, self.mean, self.std, self.settings.input_size)
        bfloat16 = self.settings.precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=bfloat16):
            logits: torch.Tensor = self.model(shown.contiguous(memory_format=self.layout))
        return logits.float()

    def _weights(self) -> Weights:
        """A copy of the weights on the CPU."""
        return {name: t.detach().cpu().clone() for name, t in self.model.state_dict().items()}

    def _state(self) -> Weights:
        """The tensors that training changes; not copies."""
        model = {f"model/{name}": tensor for name, tensor in self.model.state_dict().items()}
        return model | {f"adam/{name}": tensor for name, tensor in self.adam.state().items()}

    def save(self, checkpoint: Path) -> None:
        """Write the checkpoint: the state of the run, and the process that owns it."""
        best = {f"best/{name}": tensor for name, tensor in self.best.items()}
        about: Metadata = {
            "metadata": self.metadata,
            "history": self.history,
            "owner": checkpoints.owner(),
        }
        within_epoch = {}
        if self.sizes:
            about |= {"sizes": self.sizes, "seconds": self.spent}
            within_epoch = {"losses": torch.stack(self.losses), "random": torch.get_rng_state()}
            if self.device.type == "cuda":
                within_epoch["random/cuda"] = torch.cuda.get_rng_state(self.device)
        checkpoints.save(checkpoint, self._state() | best | within_epoch, about)

    def resume(self, checkpoint: Path) -> str:
        """Continue from a checkpoint if it is of the same run; return what was done, in words."""
        tensors, about = checkpoints.read(checkpoint)
        if about["metadata"] != json.loads(json.dumps(self.metadata)):
            return (
                f"stale checkpoint {checkpoint}, of other settings, data, code or versions: "
                "starting from zero"
            )
        self.history = about["history"]
        for name, tensor in self._state().items():
            tensor.copy_(tensors[name])  # in place, which keeps the memory layout
        self.best = {name: tensors[f"best/{name}"] for name in self.best}
        if sizes := about.get("sizes"):
            self.sizes, self.spent = sizes, about["seconds"]
            self.losses = list(tensors["losses"].to(self.device))
            torch.set_rng_state(tensors["random"])
            if self.device.type == "cuda":
                torch.cuda.set_rng_state(tensors["random/cuda"], self.device)
            done = f"{sum(sizes):,} images of epoch {self.epoch + 1}"
            return f"goes on after {done}, where {about['owner']} stopped"
        if not self.history:
            return f"starting from zero, {about['owner']} finished no epoch"
        return f"goes on after epoch {self.epoch}, which {about['owner']} finished"


def _initial(settings: Settings, classes: int, channels: int) -> tuple[torch.nn.Module, list[str]]:
    """The network before training, and notes on its weights for the log."""
    network = models.build(
        settings.architecture, classes=classes, channels=channels, seed=settings.init_seed
    )
    if settings.batch_norm_momentum is not None:
        models.set_batch_norm_momentum(network, settings.batch_norm_momentum)
    if settings.weights is None:
        return network, []
    notes = pretrained.load(
        network,
        settings.architecture,
        settings.weights,
        classes=classes,
        sha256=settings.weights_sha256,
    )
    return network, notes


def _digest(dataset: Dataset, rows: Mapping[str, NDArray[np.int64]]) -> str:
    """SHA-256 of the images used, their labels and their subsets."""
    digest = hashlib.sha256()
    for subset, index in rows.items():
        digest.update(subset.encode())
        for values in (index, dataset.labels[index], dataset.images[index]):
            digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()
