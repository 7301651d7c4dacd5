"""Settings at the start of Snakemake: environment of jobs, resource limits, presence of a GPU."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path
from typing import Any

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

import remembered
import stopping
from campare import hardware

SCRIPTS = Path(__file__).parent
# First commands in the shell of every job, wherever Snakemake was started.
PREFIX = (
    # Jupyter and Colab set a backend that works only within them.
    "export MPLBACKEND=agg; "
    # UTF-8 for text and names of files, whatever the locale.
    "export PYTHONUTF8=1 PYTHONIOENCODING=utf-8:backslashreplace; "
    # torch waits forever if it gets fewer threads than requested.
    "unset OMP_THREAD_LIMIT OMP_DYNAMIC; "
    # Without compilation, results of the similarity engine differ in their last digits.
    "unset NUMBA_DISABLE_JIT; "
    # This package, not an installed one.
    f"export PYTHONPATH={shlex.quote(str(SCRIPTS))}${{{{PYTHONPATH:+:$PYTHONPATH}}}}; "
)
# Per machine or submission: one job per GPU; the shares of jobs that declare one, at most 100 %.
LIMITS = {"gpu": 1, "share": 100}
ANSWER = "CAMPARE_GPU"


def prepare(workflow: Any, shell: Any) -> None:
    """Set environment and limits of jobs; keep the shell prefix of an importing workflow."""
    remembered.keep_in(".snakemake/campare")
    find_python(workflow)
    limit(workflow)
    before = shell._process_prefix or "set -euo pipefail; "
    ours = PREFIX + stopping.PREFIX
    if ours.format() not in before:
        shell.prefix(before.replace("{", "{{").replace("}", "}}") + ours)


def find_python(workflow: Any) -> None:
    """Let jobs find Python if its path has special characters.

    Snakemake writes the path of Python into commands without quotes, and the environment is in
    the project's folder.

    Raises
    ------
    WorkflowError
        A path has a character that cannot be used in submissions to SLURM, which are quoted twice.
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
    """A path with shell escapes; every parent folder is escaped as well."""
    return re.sub(r"([^\w@%+=:,./-])", r"\\\1", path)


def limit(workflow: Any) -> None:
    """Set the resource limits that the user does not set.

    They are not in a profile, because `--resources` on the command line replaces all limits of a
    profile. Snakemake reduces the request of a job to the limit, so that a job with a larger
    request runs alone.
    """
    limits = dict(LIMITS)
    if workflow.is_main_process and workflow.nodes is None:  # SLURM manages memory itself
        limits["mem_mb"] = hardware.memory()
    for name, most in limits.items():
        if name not in workflow.global_resources:
            workflow.global_resources[name] = most


def has_gpu(workflow: Any, device: str) -> bool:
    """Whether jobs run on a CUDA GPU.

    With `auto`, the main process checks once; jobs on a cluster inherit the answer.
    """
    if device != "auto":
        return device == "cuda"
    if workflow.is_main_process or ANSWER not in os.environ:
        present, reason = hardware.gpu()
        if reason:
            logger.warning(
                f"compute.device: auto, and no GPU on this machine ({reason}): jobs are planned "
                "for the CPU. If the nodes of a cluster have GPUs, set it to cuda."
            )
        os.environ[ANSWER] = str(int(present))
    return os.environ[ANSWER] == "1"
