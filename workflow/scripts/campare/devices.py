"""Where a job computes: which device, and which of several GPUs is its own."""

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
    """The device that this key of a study means; "auto" is CUDA, else Apple's MPS, else the CPU.

    Raises
    ------
    CampareError
        The device asked for is not there.
    """
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        name = next(kind for kind, is_there in there.items() if is_there)
    if not there[name]:
        raise CampareError(
            f"{key}: {name} is asked for, but torch finds none here; "
            f"set it to {instead}, or mend the driver"
        )
    if name == "cuda" and (count := torch.cuda.device_count()) > 1:
        gpu = claim([str(torch.cuda.get_device_properties(i).uuid) for i in range(count)])
        torch.cuda.set_device(gpu)
        return torch.device("cuda", gpu)
    return torch.device(name)


def convolutions(*, tf32: bool) -> AbstractContextManager[None]:
    """cuDNN's convolutions: deterministic, and TF32 only on request; torch takes it by itself."""
    return torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=tf32)


def claim(gpus: Sequence[str], folder: str | Path | None = None) -> int:
    """The position in `gpus` of one that the fewest processes have claimed; it is this process's.

    A claim is a lock on a file in `folder` (the system's temporary folder), which ends with the
    process, however that ends. On SLURM a job sees its own GPUs only.
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
    raise AssertionError  # itertools.count() has no end
