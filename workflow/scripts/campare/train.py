"""Training of one network: fixed image order, keyed augmentation, resumable bit for bit."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch.nn.utils import clip_grad_norm_

from campare import (
    checkpoints,
    devices,
    finetuning,
    initial,
    memory,
    models,
    optimizers,
    performance,
    pretrained,
    registry,
    replay,
    seeding,
)
from campare.averages import Average
from campare.checkpoints import Weights
from campare.data import Dataset, Rows
from campare.errors import CampareError
from campare.feed import Feed
from campare.losses import Loss
from campare.pooling import pool_deterministically, pool_leanly
from campare.preprocess import normalisation, prepare
from campare.schedules import Schedule
from campare.scratch import slices
from campare.settings import Settings
from campare.sizes import pair
from campare.training_images import images_of, parts

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
        CPU tensors of the epoch that is kept: that with the highest validation accuracy, the first
        of equals, or the last one (`settings.keep`); averaged ones with `settings.ema`.
    metadata
        Settings, code, digest of the data, classes, mean, std, device, versions, and that epoch;
        no clock times.
    history
        A row per epoch: epoch, train_loss, <subset>_<loss, accuracy, precision, recall, f1> (of the
        weights that would be kept), learning_rate (of the last step of the epoch; only if the rate
        changes), seconds, images_per_second (in training, including augmentation).

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
    mean, std = normalisation(settings.normalise, Rows(dataset.images, rows["train"]))
    packages = ["torch", "torchvision", "numpy"]
    if registry.timm_name(settings.architecture):
        packages.append("timm")
    if any(name == "albumentations" for name, _ in settings.steps):
        packages.append("albumentations")
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
    run.save(checkpoint, claim=True)
    while not run.finished:
        try:
            with devices.convolutions(tf32=settings.precision == "tf32"):
                run.advance(name, progress)
        except Stopped:
            run.save(checkpoint)
            raise
        run.save(checkpoint)
        spent = sum(row["seconds"] for row in run.history)
        left = 0 if run.finished else spent / run.epoch * (settings.epochs - run.epoch)
        progress({"event": "epoch", **run.history[-1], "epochs": settings.epochs, "left": left})
    if run.epoch < settings.epochs:
        patience = f"{settings.early_stopping} epoch(s) without a higher validation accuracy"
        progress({"event": "note", "message": f"training ends after {patience}"})
    scores = "loss", *performance.SCORES
    measured = [f"{subset}_{score}" for subset in settings.evaluate for score in scores]
    rate = ["learning_rate"] if run.schedule.changes else []
    columns = ["epoch", "train_loss", *measured, *rate, "seconds", "images_per_second"]
    history = pd.DataFrame(run.history, columns=columns)
    return run.kept, {**metadata, "epoch": run.kept_epoch}, history


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
                images_of(dataset, index, device),
                torch.from_numpy(dataset.labels[index]).to(device),
            )
            for subset, index in rows.items()
        }
        self.feed = Feed(settings, *self.sets["train"], rows["train"], len(dataset.classes))
        self.layout = torch.contiguous_format if device.type == "mps" else torch.channels_last
        channels = dataset.images.shape[3]
        network, self.notes = _initial(settings, dataset, rows["train"], metadata)
        shape = (channels, *pair(settings.input_size))
        groups = finetuning.prepare(network, settings, shape)
        self.model = network.to(device, memory_format=self.layout)  # type: ignore[call-overload]
        pool_leanly(self.model)
        if device.type == "cuda":
            pool_deterministically(self.model)
        self.average = None if settings.ema is None else Average(self.model, settings.ema)
        counts = np.bincount(dataset.labels[rows["train"]], minlength=len(dataset.classes))
        self.loss = Loss(settings, torch.from_numpy(counts).to(device))
        self.steps = -(-self.feed.length // settings.batch_size)  # of an epoch
        self.schedule = Schedule.of(settings, self.steps)
        # With the highest learning rate of each.
        self.optimizers = [
            (optimizers.make(settings, group, self._rate(group.rate)), group.rate)
            for group in groups
        ]
        self.step: replay.Step = self._step
        if settings.cuda_graph and device.type == "cuda":
            self.step = replay.Replay(self._step, [*self._state().values()], replay.on_cuda)
        self.history: list[dict[str, float]] = []
        self.kept = self._weights()
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

    @property
    def kept_epoch(self) -> int:
        """The epoch whose weights are kept."""
        return self.best_epoch if self.settings.keep == "best" else self.epoch

    @property
    def finished(self) -> bool:
        """Whether all epochs are trained, or the accuracy has not risen for too many of them."""
        patience = self.settings.early_stopping
        if patience is not None and self.history and self.epoch - self.best_epoch >= patience:
            return True
        return self.epoch >= self.settings.epochs

    def advance(self, name: str, progress: Progress) -> None:
        """Train one epoch or the rest of it, evaluate it, and keep its weights by `settings.keep`.

        Raises
        ------
        Stopped
            Within the epoch; `save` then stores the position in the epoch.
        """
        epoch = self.epoch + 1
        self.began = time.perf_counter() - self.spent
        if not self.sizes:
            self._seed(epoch)
        self._train(progress)
        speed = self.feed.length / (time.perf_counter() - self.began)
        # The losses stay on the device until here, because reading one waits for the device.
        losses = torch.stack(self.losses).cpu().double().numpy()
        mean = float(np.average(losses, weights=self.sizes))
        if self.settings.recalibrate_batch_norm:
            self._recalibrate(self.settings.recalibrate_batch_norm)
        row: dict[str, float] = {"epoch": epoch, "train_loss": mean}
        for subset in self.settings.evaluate:
            row |= self._measure(subset)
        if self.schedule.changes:
            last = epoch * self.steps - 1
            row["learning_rate"] = self.schedule.rate(self.settings.learning_rate, last)
        for key, value in row.items():
            if not np.isfinite(value):
                raise CampareError(
                    f"{name}: {key} is {value} in epoch {epoch}; lower training.learning_rate, or "
                    "set training.precision to float32"
                )
        row |= {"seconds": time.perf_counter() - self.began, "images_per_second": speed}
        self.history.append(row)
        self.losses, self.sizes, self.spent = [], [], 0.0
        if self.kept_epoch == epoch:
            self.kept = self._weights()

    def _train(self, progress: Progress) -> None:
        """Train on the rest of the training list."""
        finetuning.train_mode(self.model, freeze_batch_norm=self.settings.freeze_batch_norm)
        reported = time.monotonic()
        for images, targets in self.feed.batches(self.epoch + 1, len(self.sizes)):
            done = self.epoch * self.steps + len(self.sizes)
            if self.schedule.changes:
                for optimizer, rate in self.optimizers:
                    optimizer.set_rate(self.schedule.rate(rate, done))
            self.losses.append(self.step(images, targets))
            self.sizes.append(len(images))
            if self.average:
                self.average.update(self.model, done + 1)
            if time.monotonic() - reported >= 1:
                reported = time.monotonic()
                state = {"epoch": self.epoch + 1, "epochs": self.settings.epochs}
                loss = self.losses[-1].item()
                images_done = {"done": sum(self.sizes), "images": self.feed.length}
                progress({"event": "batch", **state, **images_done, "loss": loss})
                if not np.isfinite(loss):
                    break
            self._check_stopping()

    def _step(self, images: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Update the weights with a batch; return its loss before the update."""
        loss = self.loss(self._logits(self.model, images), targets)
        self.model.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        if self.settings.gradient_clip is not None:
            clip_grad_norm_(self.model.parameters(), self.settings.gradient_clip)
        for optimizer, _ in self.optimizers:
            optimizer.step()
        return loss.detach()

    def _measure(self, subset: str) -> dict[str, float]:
        """Loss and scores of a subset, as <subset>_<score>."""
        images, labels = self.sets[subset]
        network = self.measured.eval()
        outputs = []
        with torch.inference_mode():
            for part in parts(images, 4 * self.settings.batch_size):
                outputs.append(self._logits(network, part))
                self._check_stopping()
            logits = torch.cat(outputs)
            loss = self.loss.plain(logits, labels).item()
        predictions = logits.argmax(1).cpu().numpy()
        counts = performance.confusion(labels.cpu().numpy(), predictions, logits.shape[1])
        measured = {"loss": loss, **performance.scores(counts)}
        return {f"{subset}_{name}": value for name, value in measured.items()}

    def _seed(self, *key: int) -> None:
        """Seed dropout and stochastic depth, so that a resumed run is like an unbroken one."""
        words = np.random.SeedSequence([self.settings.order_seed, *key])
        torch.manual_seed(int(words.generate_state(1, np.uint64)[0]))

    def _recalibrate(self, count: int) -> None:
        """Compute batch-norm statistics from the first batches of the epoch."""
        self._seed(self.epoch + 1, 1)
        batches = islice(self.feed.batches(self.epoch + 1), count)
        finetuning.recalibrate(self.measured, (images for images, _ in batches), self._logits)

    @property
    def measured(self) -> torch.nn.Module:
        """The network that is evaluated and kept: the average, if there is one."""
        return self.average.network if self.average else self.model

    def _rate(self, rate: float) -> float | torch.Tensor:
        """A learning rate as the optimizer needs it."""
        if self.schedule.changes and self.device.type == "cuda":
            return torch.tensor(rate, dtype=torch.float32, device=self.device)
        return rate

    def _check_stopping(self) -> None:
        """Raise `Stopped` if `stopping` returns True."""
        if self.stopping():
            self.spent = time.perf_counter() - self.began
            raise Stopped(f"in epoch {self.epoch + 1}, after {sum(self.sizes):,} images")

    def _logits(self, network: torch.nn.Module, images: torch.Tensor) -> torch.Tensor:
        """uint8 (B, C, H, W) -> float32 (B, classes)."""
        shown = prepare(images, self.mean, self.std, self.settings.input_size)
        bfloat16 = self.settings.precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=bfloat16):
            logits: torch.Tensor = network(shown.contiguous(memory_format=self.layout))
        return logits.float()

    def _weights(self) -> Weights:
        """A copy, on the CPU, of the weights that are measured."""
        return {name: t.detach().cpu().clone() for name, t in self.measured.state_dict().items()}

    def _state(self) -> Weights:
        """The tensors that training changes; not copies."""
        parts: dict[str, Weights] = {"model": self.model.state_dict()}
        for place, (optimizer, _) in enumerate(self.optimizers):
            parts[f"optimizer/{place}"] = optimizer.state()
        if self.average:
            parts["average"] = self.average.network.state_dict()
        return {f"{part}/{key}": t for part, own in parts.items() for key, t in own.items()}

    def save(self, checkpoint: Path, *, claim: bool = False) -> None:
        """Write the checkpoint: the state of the run, and the process that owns it.

        Unless `claim`, it must still be this process's, up to the moment in which it is replaced: a
        process may stop for long while it writes.
        """
        kept = {f"kept/{name}": tensor for name, tensor in self.kept.items()}
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
        check = None if claim else partial(checkpoints.check_owner, checkpoint)
        checkpoints.save(checkpoint, self._state() | kept | within_epoch, about, check)

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
        self.kept = {name: tensors[f"kept/{name}"] for name in self.kept}
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


def _initial(
    settings: Settings, dataset: Dataset, rows: NDArray[np.int64], metadata: Metadata
) -> tuple[torch.nn.Module, list[str]]:
    """The network before training, and notes on its weights for the log."""
    built: dict[str, Any] = {
        "classes": len(dataset.classes),
        "seed": settings.init_seed,
        "parameters": settings.architecture_parameters,
    }
    notes: list[str] = []
    if settings.weights is None:
        network = initial.network(
            settings.architecture,
            Rows(dataset.images, rows),
            input_size=settings.input_size,
            mean=metadata["mean"],
            std=metadata["std"],
            **built,
        )
    else:
        channels = dataset.images.shape[3]
        network = models.build(settings.architecture, channels=channels, **built)
        notes = pretrained.load(
            network,
            settings.architecture,
            settings.weights,
            classes=len(dataset.classes),
            sha256=settings.weights_sha256,
        )
    if settings.batch_norm_momentum is not None:
        models.set_batch_norm_momentum(network, settings.batch_norm_momentum)
    return network, notes


def _digest(dataset: Dataset, rows: Mapping[str, NDArray[np.int64]]) -> str:
    """SHA-256 of the images used, their labels and their subsets."""
    digest = hashlib.sha256()
    for subset, index in rows.items():
        digest.update(subset.encode())
        images = Rows(dataset.images, index)
        read = (images[part] for part in slices(len(index), dataset.images[0].nbytes))
        for values in chain((index, dataset.labels[index]), read):
            digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()
