"""The device of a job, and its GPU if there are several."""

from __future__ import annotations

import fcntl
import itertools
import os
import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO

import torch

from campare.errors import CampareError

_claimed: list[IO[bytes]] = []  # locks, held as long as this process lives


def choose(name: str, key: str = "compute.device", instead: str = "auto or cpu") -> torch.device:
    """The torch device for a value of `key`; "auto": CUDA, else Apple's MPS, else the CPU.

    Raises
    ------
    CampareError
        The device does not exist.
    """
    available = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        name = next(kind for kind, exists in available.items() if exists)
    if not available[name]:
        raise CampareError(
            f"{key}: {name} is not available to torch here; set it to {instead}, or repair the "
            "driver"
        )
    if name == "cuda" and (count := torch.cuda.device_count()) > 1:
        gpu = claim([str(torch.cuda.get_device_properties(i).uuid) for i in range(count)])
        torch.cuda.set_device(gpu)
        return torch.device("cuda", gpu)
    return torch.device(name)


def convolutions(*, tf32: bool) -> AbstractContextManager[None]:
    """Context of deterministic cuDNN convolutions, with TF32 only if `tf32` (torch's default)."""
    return torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=tf32)


def claim(gpus: Sequence[str], folder: str | Path | None = None) -> int:
    """Claim a GPU for this process, one with the fewest claims; return its position in `gpus`.

    A claim is a lock on a file in `folder` (by default the system's temporary folder), which ends
    with the process, however the process ends. On SLURM a job sees its own GPUs only.
    """
    place = Path(folder or tempfile.gettempdir())
    for turn in itertools.count():
        for i, gpu in enumerate(gpus):
            lock = (place / f"campare-{os.getuid()}-{gpu}-{turn}.lock").open("ab")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.close()
                continue
            _claimed.append(lock)
            return i
    raise AssertionError  # not reached: itertools.count() does not end
