"""Memory and GPU of the machine on which a study is planned."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

PATIENCE = 10  # seconds; nvidia-smi takes five with eight idle GPUs


def memory(root: str | Path = "/") -> int:
    """Memory in MB of this machine, or the limit of the container or allocation of this process.

    `root`: file system root with Linux's cgroup files (of both versions).
    """
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    groups = Path(root, "proc/self/cgroup")
    for line in groups.read_text(encoding="utf-8").splitlines() if groups.exists() else []:
        _, controllers, name = line.split(":", 2)
        if controllers == "":
            folder, file = "sys/fs/cgroup", "memory.max"
        elif controllers == "memory":
            folder, file = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
        else:
            continue
        # In a container the group itself is mounted, and its name may be the host's.
        inner = Path(root, folder, name.lstrip("/"))
        for path in (group / file for group in [inner, *inner.parents]):
            if path.is_file() and (limit := path.read_text(encoding="utf-8").strip()).isdigit():
                limits.append(int(limit))
    return min(limits) // 1_000_000


def gpu(environment: Mapping[str, str] = os.environ) -> tuple[bool, str]:
    """Whether jobs started here can use a CUDA GPU, and the message of `nvidia-smi` if it has none.

    `nvidia-smi` may be installed although the driver is not loaded or there is no GPU. Asking torch
    would take seconds.
    """
    visible = environment.get("CUDA_VISIBLE_DEVICES")
    # As CUDA reads it: nothing after the first name that is not a GPU's; SLURM writes NoDevFiles.
    if visible is not None and not re.match(r"\s*(\d|GPU-|MIG-)", visible):
        return False, ""
    try:
        process = subprocess.Popen(
            ["nvidia-smi", "-L"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except FileNotFoundError:
        return False, ""
    except OSError as error:
        return False, f"nvidia-smi: {error.strerror}"
    try:
        output, _ = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()  # without waiting: a process that hangs in the driver does not end
        return False, f"nvidia-smi does not answer in {PATIENCE} s"
    if process.returncode == 0 and re.search(r"^GPU \d", output, re.MULTILINE):
        return True, ""
    return False, f"nvidia-smi: {' '.join(output.split()) or 'lists none'}"
