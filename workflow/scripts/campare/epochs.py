"""Weights of chosen epochs of a training (`cam.epochs`), without a change of the training itself.

`train.train` writes a checkpoint after every epoch, which has the network as it is then. The
weights of a chosen epoch are copied from it to a file next to it, which stays until the training is
finished: a resumed training has the files of the epochs before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from campare import checkpoints

Progress = Callable[[dict[str, Any]], None]
AVERAGE, MODEL = "average/", "model/"  # of the tensors of a network, with and without `ema`


def file_of(checkpoint: Path, epoch: int) -> Path:
    """The file with the weights of an epoch, until the training is finished."""
    return checkpoint.with_name(f"{checkpoint.name}.{epoch}")


def keep(checkpoint: Path, epoch: int) -> None:
    """Copy the weights from a checkpoint that was written at the end of `epoch`.

    They are those that the epoch was evaluated with, in a file like that of the weights that a
    training keeps, with the metadata of the training and the number of the epoch.
    """
    tensors, about = checkpoints.read(checkpoint)
    prefix = AVERAGE if any(name.startswith(AVERAGE) for name in tensors) else MODEL
    weights = {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }
    checkpoints.save(file_of(checkpoint, epoch), weights, {**about["metadata"], "epoch": epoch})


def keeping(checkpoint: Path, epochs: Sequence[int], progress: Progress) -> Progress:
    """`progress` of `train.train`, which first keeps the weights of the epochs."""

    def kept(event: dict[str, Any]) -> None:
        if event["event"] == "epoch" and event["epoch"] in epochs:
            keep(checkpoint, event["epoch"])
        progress(event)

    return kept


def check(checkpoint: Path, epochs: Sequence[int]) -> str:
    """Remove a checkpoint that is past a chosen epoch whose weights are not there.

    This happens if `epochs` has changed since. A process that was killed between its checkpoint
    and the copy of the weights does not count: the copy is made now.

    Returns
    -------
    str
        What was done, in words; "" if the training can go on, or has not begun.
    """
    if not (epochs and checkpoint.exists()):
        return ""
    about = checkpoints.read(checkpoint)[1]
    done = len(about["history"])
    if done in epochs and "sizes" not in about:
        keep(checkpoint, done)
    for epoch in epochs:
        if epoch <= done and not _is_of(file_of(checkpoint, epoch), about["metadata"], epoch):
            checkpoint.unlink()
            return f"no weights of epoch {epoch}, which is past: starting from zero"
    return ""


def _is_of(file: Path, metadata: dict[str, Any], epoch: int) -> bool:
    """Whether a file has the weights of an epoch of this training."""
    return file.exists() and checkpoints.read(file)[1] == {**metadata, "epoch": epoch}


def collect(checkpoint: Path, epochs: Sequence[int], targets: Sequence[str | Path]) -> None:
    """Copy the weights of the epochs to their places; `discard` then removes the files."""
    for epoch, target in zip(epochs, targets, strict=True):
        weights, about = checkpoints.read(file_of(checkpoint, epoch))
        checkpoints.save(Path(target), weights, about)


def discard(checkpoint: Path, epochs: Sequence[int]) -> None:
    """Remove the files of a finished training."""
    for epoch in epochs:
        file_of(checkpoint, epoch).unlink(missing_ok=True)
