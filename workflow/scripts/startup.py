"""What Snakemake is told as it starts: the environment of jobs, their limits, whether GPUs wait."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path
from typing import Any

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

import stopping
from campare import hardware

SCRIPTS = Path(__file__).parent
# What the shell of every job does first, wherever Snakemake was started.
PREFIX = (
    # Jupyter and Colab name a backend that is theirs alone.
    "export MPLBACKEND=agg; "
    # Text and names of files, whatever the locale says.
    "export PYTHONUTF8=1 PYTHONIOENCODING=utf-8:backslashreplace; "
    # With fewer threads than it was told, torch waits for ever.
    "unset OMP_THREAD_LIMIT OMP_DYNAMIC; "
    # Uncompiled, the similarity engine's results have other last digits.
    "unset NUMBA_DISABLE_JIT; "
    # This package, not one that is installed.
    f"export PYTHONPATH={shlex.quote(str(SCRIPTS))}${{{{PYTHONPATH:+:$PYTHONPATH}}}}; "
)
# Of one machine, or of one submission: a job per GPU; jobs that ask for a share, at most 100 %.
LIMITS = {"gpu": 1, "share": 100}
ANSWER = "CAMPARE_GPU"


def prepare(workflow: Any, shell: Any) -> None:
    """Set the environment of jobs, keeping what an importing workflow set, and their limits."""
    find_python(workflow)
    limit(workflow)
    before = shell._process_prefix or "set -euo pipefail; "
    ours = PREFIX + stopping.PREFIX
    if ours.format() not in before:
        shell.prefix(before.replace("{", "{{").replace("}", "}}") + ours)


def find_python(workflow: Any) -> None:
    """Let jobs find Python where its path, or the project's, has other characters than letters.

    Snakemake writes the path into commands as it is, and the environment lies in the project.

    Raises
    ------
    WorkflowError
        A character that is not possible in submissions to SLURM, which are quoted twice.
    """
    if not Path(sys.executable).exists():  # escaped already
        return
    for path in (workflow.basedir, sys.executable) if workflow.nodes is not None else ():
        if special := re.search(r'["$`%\\]', str(path)):
            raise WorkflowError(
                f"{path}: jobs cannot be submitted from a folder with {special[0]} in its name; "
                "rename it"
            )
    sys.executable = escaped(sys.executable)


def escaped(path: str) -> str:
    """A path as a word of a shell's command; so is any folder of it."""
    return re.sub(r"([^\w@%+=:,./-])", r"\\\1", path)


def limit(workflow: Any) -> None:
    """Set the limits that the user does not.

    Not in a profile: `--resources` on the command line takes the place of all of a profile's.
    Snakemake cuts what a job asks for down to a limit, so that one that asks for more runs alone.
    """
    limits = dict(LIMITS)
    if workflow.is_main_process and workflow.nodes is None:  # SLURM minds the memory of its nodes
        limits["mem_mb"] = hardware.memory()
    for name, most in limits.items():
        if name not in workflow.global_resources:
            workflow.global_resources[name] = most


def has_gpu(workflow: Any, device: str) -> bool:
    """Whether jobs run on a CUDA GPU; `auto` looks once, and jobs on a cluster are told."""
    if device != "auto":
        return device == "cuda"
    if workflow.is_main_process or ANSWER not in os.environ:
        there, reason = hardware.gpu()
        if reason:
            logger.warning(
                f"compute.device: auto, and no GPU here ({reason}): jobs are planned for the CPU. "
                "Where a cluster's nodes have GPUs, set it to cuda."
            )
        os.environ[ANSWER] = str(int(there))
    return os.environ[ANSWER] == "1"
