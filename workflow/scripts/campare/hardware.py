"""What the machine has on which a study is planned: memory, and whether there is a GPU."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

PATIENCE = 10  # seconds; eight GPUs that nothing keeps awake take five


def memory(root: str | Path = "/") -> int:
    """MB of this machine, or what a container or an allocation leaves to this process.

    `root` has the files in which Linux says what that is (cgroups, of both versions).
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
    """Whether jobs started here may use a CUDA GPU; and what `nvidia-smi` says where it finds none.

    It is also there where NVIDIA's driver did not load, and in images that run without a GPU. torch
    would take seconds to say so.
    """
    visible = environment.get("CUDA_VISIBLE_DEVICES")
    # As CUDA reads it: nothing after the first name that is no GPU's; SLURM writes NoDevFiles.
    if visible is not None and not re.match(r"\s*(\d|GPU-|MIG-)", visible):
        return False, ""
    try:
        asking = subprocess.Popen(
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
        said, _ = asking.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        asking.kill()  # not waited for: one that hangs in its driver does not die
        return False, f"nvidia-smi does not answer in {PATIENCE} s"
    if asking.returncode == 0 and re.search(r"^GPU \d", said, re.MULTILINE):
        return True, ""
    return False, f"nvidia-smi: {' '.join(said.split()) or 'lists none'}"
