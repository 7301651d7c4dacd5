"""Training of one network: fixed image order, keyed augmentation, resumable bit for bit."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialized
from torch.optim.adam import adam

from campare import data, devices, feasibility, memory, models, performance, replay, seeding
from campare.atomic import replacing
from campare.augment import Augmenter, Batch
from campare.data import Dataset
from campare.errors import CampareError, reading
from campare.preprocess import prepare, resized

Weights = dict[str, torch.Tensor]
Metadata = dict[str, Any]
Progress = Callable[[dict[str, Any]], None]

# Values of the images that are augmented together: many small images at once, for speed, but few
# enough that intermediate results stay in the cache.
BLOCK = 1 << 21


@dataclass(frozen=True)
class Settings:
    """The settings that decide the weights, together with the data.

    Attributes
    ----------
    precision
        "float32", "tf32" (convolutions on CUDA, torch's default; float32 elsewhere), or "bfloat16"
        (autocast; weights, loss and optimizer stay float32).
    device
        "cpu", "cuda", "mps" or "auto".
    threads
        Number of CPU threads, on which the weights depend.
    copies
        Augmented copies of every image in addition to the original; 0 for the baseline.
    resample
        "each_epoch" draws the copies anew in every epoch, "once" draws them before the first.
    augment_at
        "native" augments images at their stored size, "input" after the resize to `input_size`;
        then all training images are rounded to uint8 after the resize.
    steps
        The augmentation: [registry name, all its parameters], applied in turn; empty: identity.
    cuda_graph
        On CUDA, replay each step as one recorded graph (`replay.Replay`).
    evaluate
        Subsets of the split that are evaluated after every epoch; "validation" selects the best.
    architecture_parameters
        Parameters of an architecture in a file of the user.
    """

    architecture: str
    input_size: int
    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    precision: str
    device: str
    threads: int
    copies: int
    resample: str
    augment_at: str
    init_seed: int
    order_seed: int
    augmentation_seed: int
    steps: Sequence[tuple[str, dict[str, Any]]] = ()
    cuda_graph: bool = False
    evaluate: Sequence[str] = ("validation",)
    architecture_parameters: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, training: Mapping[str, Any], split: pd.DataFrame) -> Settings:
        """Settings from `Design.training`, for the training images of a split.

        `steps_per_epoch`, if given instead of `batch_size`, is converted to the batch size that
        divides the training list into this number of batches.

        Raises
        ------
        CampareError
            No batch size gives this number of steps.
        """
        if "steps_per_epoch" not in training:
            return cls(**training)
        fixed = dict(training)
        steps = fixed.pop("steps_per_epoch")
        length = int((split["subset"] == "train").sum()) * (1 + fixed["copies"])
        return cls(batch_size=feasibility.batch_size(length, steps), **fixed)

    @property
    def recorded(self) -> dict[str, Any]:
        """The settings as metadata of the weights, without parameters if there are none."""
        settings = asdict(self)
        if not settings["architecture_parameters"]:
            del settings["architecture_parameters"]
        return settings


def order(n: int, copies: int, seed: int) -> NDArray[np.int64]:
    """The training list: n originals and `copies` copies of each, shuffled once.

    Every (image, copy) has a sort key that depends on `seed` only. Position k therefore has the
    same source image for every augmentation. Fewer copies give the same list without the others:
    the baseline's list (copies = 0) has the originals in the order of the augmented list (thesis,
    Appendix B).

    Returns
    -------
    int64 (n·(1 + copies), 2): source position in [0, n), and copy number, 0 for the original.
    """
    keys = np.random.default_rng(seed).random((1 + copies, n))
    ranks = np.argsort(keys, axis=None, kind="stable")
    return np.stack([ranks % n, ranks // n], axis=1)


class Stopped(Exception):  # noqa: N818, no error
    """Training has stopped on request; its checkpoint is written."""


def save(path: Path, tensors: Weights, about: Mapping[str, Any]) -> None:
    """Write tensors as safetensors; equal content gives equal bytes.

    The header has `about` as one JSON text under the key "campare", because safetensors writes
    several keys in random order.
    """
    contiguous = {name: tensor.cpu().contiguous() for name, tensor in tensors.items()}
    header = {"campare": json.dumps(about, sort_keys=True)}
    with replacing(path) as aside:
        aside.write_bytes(serialized(contiguous, header))


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
        Path of the checkpoint, written after every epoch; the caller passes it to `release` once
        the results are stored. A checkpoint of other settings, data, code or versions is not used.
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
    mean, std = data.channel_statistics(dataset.images[rows["train"]])
    metadata: Metadata = {
        "settings": settings.recorded,
        "code": list(code),
        "data": _digest(dataset, rows),
        "classes": dataset.classes,
        "mean": mean.tolist(),
        "std": std.tolist(),
        "device": device.type,
        "versions": {package: version(package) for package in ("torch", "torchvision", "numpy")},
    }
    run = _Run(settings, dataset, rows, metadata, device, stopping)
    if checkpoint.exists():
        progress({"event": "note", "message": run.resume(checkpoint)})
    run.save(checkpoint)
    while run.epoch < settings.epochs:
        try:
            with devices.convolutions(tf32=settings.precision == "tf32"):
                run.advance(name, progress)
        except Stopped:
            _check_owner(checkpoint)
            run.save(checkpoint)
            raise
        _check_owner(checkpoint)
        run.save(checkpoint)
        spent = sum(row["seconds"] for row in run.history)
        left = spent / run.epoch * (settings.epochs - run.epoch)
        progress({"event": "epoch", **run.history[-1], "epochs": settings.epochs, "left": left})
    scores = "loss", *performance.SCORES
    measured = [f"{subset}_{score}" for subset in settings.evaluate for score in scores]
    columns = ["epoch", "train_loss", *measured, "seconds", "images_per_second"]
    history = pd.DataFrame(run.history, columns=columns)
    return run.best, {**metadata, "epoch": run.best_epoch}, history


def release(checkpoint: Path) -> None:
    """Remove a checkpoint that is no longer needed, unless another process has claimed it."""
    if checkpoint.exists() and _read(checkpoint)[1]["owner"] == _owner():
        checkpoint.unlink()


class Adam:
    """torch's Adam in its functional form; `torch.optim.Adam` imports the compiler (one second).

    All tensors, including the step counts, are on the device of their parameter.
    """

    def __init__(
        self, parameters: Iterable[torch.nn.Parameter], learning_rate: float, weight_decay: float
    ) -> None:
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.parameters = list(parameters)
        self.means = [torch.zeros_like(weight) for weight in self.parameters]
        self.squares = [torch.zeros_like(weight) for weight in self.parameters]
        self.steps = [torch.zeros((), device=weight.device) for weight in self.parameters]

    @torch.no_grad()
    def step(self) -> None:
        """Update the parameters that have a gradient."""
        rows = zip(self.parameters, self.means, self.squares, self.steps, strict=True)
        used = [(row[0], row[0].grad, *row[1:]) for row in rows if row[0].grad is not None]
        weights, gradients, means, squares, steps = (
            list(column) for column in zip(*used, strict=True)
        )
        adam(
            weights,
            gradients,
            means,
            squares,
            [],
            steps,
            fused=True,
            amsgrad=False,
            maximize=False,
            beta1=0.9,
            beta2=0.999,
            eps=1e-8,
            lr=self.learning_rate,
            weight_decay=self.weight_decay,
        )

    def state(self) -> Weights:
        """The tensors that a step changes, apart from the parameters."""
        kinds = {"mean": self.means, "square": self.squares, "step": self.steps}
        return {f"{kind}/{i}": t for kind, tensors in kinds.items() for i, t in enumerate(tensors)}


class Pooling(torch.autograd.Function):
    """`F.adaptive_avg_pool2d(maps, 1)` of maps (B, C, H, W), bit for bit, with a cheaper gradient.

    The gradient of every pixel is that of the mean divided by the number of pixels, so one number
    per map is stored and expanded as a view. torch stores all of them, in another memory layout
    than the maps have; then the ReLU before the pooling takes 30 times as long, a twelfth of the
    training time of a small network.
    """

    @staticmethod
    def forward(ctx: Any, maps: torch.Tensor) -> torch.Tensor:
        ctx.shape = maps.shape
        return F.adaptive_avg_pool2d(maps, 1)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        shape: torch.Size = ctx.shape
        return (gradient / shape[2:].numel()).expand(shape)


def pool_leanly(network: torch.nn.Module) -> None:
    """Replace the forward pass of all global average pooling layers by `Pooling`, for training."""
    for module in network.modules():
        if isinstance(module, torch.nn.AdaptiveAvgPool2d) and module.output_size in (1, (1, 1)):
            module.forward = Pooling.apply  # type: ignore[method-assign]


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
        self.model = models.build(
            settings.architecture,
            classes=len(dataset.classes),
            channels=dataset.images.shape[3],
            seed=settings.init_seed,
            parameters=settings.architecture_parameters,
        ).to(device, memory_format=self.layout)  # type: ignore[call-overload]
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
        about: Metadata = {"metadata": self.metadata, "history": self.history, "owner": _owner()}
        within_epoch = {}
        if self.sizes:
            about |= {"sizes": self.sizes, "seconds": self.spent}
            within_epoch = {"losses": torch.stack(self.losses), "random": torch.get_rng_state()}
            if self.device.type == "cuda":
                within_epoch["random/cuda"] = torch.cuda.get_rng_state(self.device)
        save(checkpoint, self._state() | best | within_epoch, about)

    def resume(self, checkpoint: Path) -> str:
        """Continue from a checkpoint if it is of the same run; return what was done, in words."""
        tensors, about = _read(checkpoint)
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


class Feed:
    """The training list as batches of (images, targets)."""

    def __init__(
        self,
        settings: Settings,
        images: torch.Tensor,
        labels: torch.Tensor,
        index: NDArray[np.int64],
        classes: int,
    ) -> None:
        self.batch_size = settings.batch_size
        self.input_size = settings.input_size if settings.augment_at == "input" else None
        self.pool = Batch(images, torch.eye(classes, device=images.device)[labels])
        self.index = torch.tensor(index, device=images.device)
        self.augmenter = Augmenter(
            settings.steps, settings.augmentation_seed, self.pool, self._sized
        )
        listing = torch.from_numpy(order(len(images), settings.copies, settings.order_seed))
        self.length = len(listing)
        values = images.shape[1] * (self.input_size**2 if self.input_size else images[0, 0].numel())
        self.per_block = max(1, BLOCK // (self.batch_size * values))  # batches
        blocks = torch.split(listing, self.per_block * self.batch_size)
        self.plan = [Block.of(block, images.device) for block in blocks]
        once = settings.resample == "once"
        self.kept = [self._drawn(block, 0) for block in self.plan] if once else []

    def batches(self, epoch: int, start: int = 0) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """The batches of an epoch (1, 2, …), without the first `start`.

        Images uint8 (B, C, H, W) and targets float32 (B, classes).
        """
        for k, plan in enumerate(self.plan):
            skipped = max(0, start - k * self.per_block)
            if skipped >= self.per_block:
                continue
            block = self.kept[k] if self.kept else self._drawn(plan, epoch)
            images = torch.split(block.images, self.batch_size)
            targets = torch.split(block.targets, self.batch_size)
            yield from zip(images[skipped:], targets[skipped:], strict=True)

    def _drawn(self, block: Block, epoch: int) -> Batch:
        """The images of a block, its copies augmented."""
        plain = self._of(block.plain)
        if not len(block.source):
            return plain
        drawn = self.augmenter(self._of(block.source), self.index[block.source], block.copy, epoch)
        return Batch(
            torch.cat([plain.images, drawn.images])[block.place],
            torch.cat([plain.targets, drawn.targets])[block.place],
        )

    def _of(self, source: torch.Tensor) -> Batch:
        """Original images and their targets."""
        return Batch(self._sized(self.pool.images[source]), self.pool.targets[source])

    def _sized(self, images: torch.Tensor) -> torch.Tensor:
        """Images uint8 (B, C, H, W) at the size at which they are augmented."""
        return images if self.input_size is None else resized(images, self.input_size)


@dataclass(frozen=True)
class Block:
    """Consecutive rows of the training list, as int64 index tensors.

    plain: source positions of the originals. source, copy: source positions and copy numbers of the
    rows to augment. place: position of each row of the list in the originals followed by the
    augmented rows.
    """

    plain: torch.Tensor
    source: torch.Tensor
    copy: torch.Tensor
    place: torch.Tensor

    @classmethod
    def of(cls, listing: torch.Tensor, device: torch.device) -> Block:
        """The block of some rows of the training list (`order`)."""
        source, copy = listing.unbind(1)
        plain = copy == 0
        place = torch.where(plain, plain.cumsum(0), plain.sum() + (~plain).cumsum(0)) - 1
        parts = source[plain], source[~plain], copy[~plain], place
        return cls(*(part.to(device) for part in parts))


def _digest(dataset: Dataset, rows: Mapping[str, NDArray[np.int64]]) -> str:
    """SHA-256 of the images used, their labels and their subsets."""
    digest = hashlib.sha256()
    for subset, index in rows.items():
        digest.update(subset.encode())
        for values in (index, dataset.labels[index], dataset.images[index]):
            digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()


def _owner() -> str:
    return f"process {os.getpid()} on {socket.gethostname()}"


def _check_owner(checkpoint: Path) -> None:
    """Check that no other process has claimed the checkpoint, or removed it after finishing.

    Raises
    ------
    CampareError
        Another process has.
    """
    owner = _read(checkpoint)[1]["owner"] if checkpoint.exists() else "another process, now done"
    if owner != _owner():
        raise CampareError(
            f"{checkpoint}: this model has been taken over by {owner}; this process stops, and "
            "nothing needs to be done"
        )


def _read(path: Path) -> tuple[Weights, dict[str, Any]]:
    """The tensors, on the CPU, and `about`, as `save` wrote them."""
    remedy = "move it away, and training starts from zero"
    with reading(path, "checkpoint", SafetensorError, remedy=remedy), safe_open(path, "pt") as file:
        about = json.loads((file.metadata() or {}).get("campare", ""))
        # Copies, because the file disappears when the next one is renamed to its path.
        return {key: file.get_tensor(key).clone() for key in file.keys()}, about  # noqa: SIM118
