"""Tensors on disk: weights, and checkpoints that belong to one process."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialized

from campare.atomic import replacing
from campare.errors import CampareError, reading

Weights = dict[str, torch.Tensor]


def save(
    path: Path,
    tensors: Weights,
    about: Mapping[str, Any],
    check: Callable[[], None] | None = None,
) -> None:
    """Write tensors as safetensors; equal content gives equal bytes.

    The header has `about` as one JSON text under the key "campare", because safetensors writes
    several keys in random order. `check` is called just before an older file is replaced.
    """
    contiguous = {name: tensor.cpu().contiguous() for name, tensor in tensors.items()}
    header = {"campare": json.dumps(about, sort_keys=True)}
    with replacing(path, check) as aside:
        aside.write_bytes(serialized(contiguous, header))


def release(checkpoint: Path) -> None:
    """Remove a checkpoint that is no longer needed, unless another process has claimed it.

    With it go the temporary files of processes that were killed while they wrote it.
    """
    if checkpoint.exists() and _owner_of(checkpoint) == owner():
        checkpoint.unlink()
        for left in checkpoint.parent.glob(f".{escape(checkpoint.stem)}.*{checkpoint.suffix}"):
            left.unlink(missing_ok=True)


def owner() -> str:
    """This process, in words."""
    return f"process {os.getpid()} on {socket.gethostname()}"


def check_owner(checkpoint: Path) -> None:
    """Check that no other process has claimed the checkpoint, or removed it after finishing.

    Raises
    ------
    CampareError
        Another process has.
    """
    current = _owner_of(checkpoint) if checkpoint.exists() else "another process, now done"
    if current != owner():
        raise CampareError(
            f"{checkpoint}: this model has been taken over by {current}; this process stops, and "
            "nothing needs to be done"
        )


def read(path: Path) -> tuple[Weights, dict[str, Any]]:
    """The tensors, on the CPU, and `about`, as `save` wrote them."""
    with _opened(path) as (file, about):
        # Copies, because the file disappears when the next one is renamed to its path.
        return {key: file.get_tensor(key).clone() for key in file.keys()}, about  # noqa: SIM118


def _owner_of(checkpoint: Path) -> str:
    with _opened(checkpoint) as (_, about):
        return str(about["owner"])


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, dict[str, Any]]]:
    """The open file, and its `about`; the tensors are not read."""
    remedy = "move it away, and training starts from zero"
    with reading(path, "checkpoint", SafetensorError, remedy=remedy), safe_open(path, "pt") as file:
        yield file, json.loads((file.metadata() or {}).get("campare", ""))
