"""Ctrl-C ends a run as a cluster ends a job: by SIGTERM, which makes training save; then one line.

A terminal sends SIGINT to Snakemake and to all its jobs at once, and each would end with a
traceback. Here jobs do not heed it but where they save (job.py), and Snakemake passes it on to them
as SIGTERM. That they then end is no error: it is not told.
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

# In the environment of a job, but not of its shell: that one, ended first, would hide that the job
# still saves.
_JOB = "CAMPARE_JOB"
# What the shell of every job does first.
PREFIX = f"export {_JOB}=1; trap '' INT; "


def install() -> None:
    """Let this process end so, and jobs with `PREFIX`. A second Ctrl-C kills those still at it."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _Stop())


class _Stop:
    """The handler of SIGINT."""

    def __init__(self) -> None:
        self.asked: float | None = None
        self.sent = signal.SIGTERM

    def __call__(self, signum: int, frame: FrameType | None) -> None:
        if self.asked is not None:
            # Programs between the terminal and this one (uv run) pass a Ctrl-C on that came anyway.
            if time.monotonic() - self.asked > 1:
                self.sent = signal.SIGKILL
            return
        self.asked = time.monotonic()
        logging.disable()
        atexit.register(_tell, "stopped; run the same command to go on")
        threading.Thread(target=self._end_jobs, daemon=True).start()
        # Snakemake takes it as an interrupt: it waits for its jobs, and unlocks.
        sys.exit(128 + signum)

    def _end_jobs(self) -> None:
        """Again and again: a job may be just starting."""
        for sweep in count():
            if sweep == 4:
                _tell("stopping: jobs save what they have; Ctrl-C again kills them")
            for process in psutil.Process().children(recursive=True):
                with suppress(psutil.Error):
                    if _JOB in process.environ():
                        process.send_signal(self.sent)
            time.sleep(0.5)


def _tell(text: str) -> None:
    print(f"{CLEAR if sys.stderr.isatty() else ''}{text}", file=sys.stderr)
