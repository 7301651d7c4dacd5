"""What jobs inherit from where Snakemake was started: a shell, a notebook, a project's folder."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

SET = {
    "MPLBACKEND": "agg",  # Jupyter and Colab name one that is theirs alone
    "PYTHONUTF8": "1",  # whatever the locale
    "PYTHONIOENCODING": "utf-8:backslashreplace",
}
# With fewer threads than it was told, torch waits for ever; without its compiler, Numba's results
# have other last digits.
UNSET = ("OMP_THREAD_LIMIT", "OMP_DYNAMIC", "NUMBA_DISABLE_JIT")


def settle() -> None:
    """Make the environment, and Python's path, such that all jobs started from here can run."""
    os.environ.update(SET)
    for name in UNSET:
        os.environ.pop(name, None)
    # Snakemake writes it into commands as it is, and the environment often lies in a project whose
    # folder has a space in its name. Already escaped, it is no file.
    if Path(sys.executable).exists():
        sys.executable = escaped(sys.executable)


def escaped(path: str) -> str:
    """A path as one word of a shell's command, parts of it too."""
    return re.sub(r"([^\w@%+=:,./-])", r"\\\1", path)
