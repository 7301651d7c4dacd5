"""Ctrl-C ends jobs by SIGTERM, as clusters do, so that training saves its state; then one message.

A terminal sends SIGINT to Snakemake and to all its jobs at once, and each would end with a
traceback. Here jobs ignore SIGINT, except for training jobs, which save (job.py), and Snakemake
sends them SIGTERM instead. Their end is then not reported as an error.
"""

from __future__ import annotations

import atexit
import logging
import signal
import sys
import threading
import time
from contextlib import suppress
from itertools import count
from types import FrameType

import psutil

from job import CLEAR

# Set in the environment of a job, but not of its shell: if the shell ended first, Snakemake would
# not wait for the job to save.
_JOB = "CAMPARE_JOB"
# First commands in the shell of every job.
PREFIX = f"export {_JOB}=1; trap '' INT; "


def install() -> None:
    """Handle Ctrl-C in this process and in jobs with `PREFIX`; a second one kills the jobs."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _Stop())


class _Stop:
    """The handler of SIGINT."""

    def __init__(self) -> None:
        self.first: float | None = None  # time of the first Ctrl-C
        self.sent = signal.SIGTERM

    def __call__(self, signum: int, frame: FrameType | None) -> None:
        if self.first is not None:
            # Programs between the terminal and this one (uv run) send the same Ctrl-C again.
            if time.monotonic() - self.first > 1:
                self.sent = signal.SIGKILL
            return
        self.first = time.monotonic()
        logging.disable()
        atexit.register(_print, "stopped; run the same command to go on")
        threading.Thread(target=self._end_jobs, daemon=True).start()
        # Snakemake treats this as an interrupt: it waits for its jobs and unlocks.
        sys.exit(128 + signum)

    def _end_jobs(self) -> None:
        """Send the signal repeatedly, because a job may be just starting."""
        for sweep in count():
            if sweep == 4:
                _print("stopping: jobs are saving their state; Ctrl-C again kills them")
            for process in psutil.Process().children(recursive=True):
                with suppress(psutil.Error):
                    if _JOB in process.environ():
                        process.send_signal(self.sent)
            time.sleep(0.5)


def _print(text: str) -> None:
    print(f"{CLEAR if sys.stderr.isatty() else ''}{text}", file=sys.stderr)
