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
from types import FrameType

import psutil
from snakemake.shell import shell

from job import CLEAR

# In the environment of a job, but not of its shell: that one, ended first, would hide that the job
# still saves.
_JOB = "CAMPARE_JOB"


def install() -> None:
    """Let this process and its jobs end so. A second Ctrl-C kills jobs that are still at it."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # Snakemake's own prefix, and ours.
        shell.prefix(f"set -euo pipefail; export {_JOB}=1; trap '' INT; ")
        signal.signal(signal.SIGINT, _Stop())


class _Stop:
    """The handler of SIGINT."""

    def __init__(self) -> None:
        self.asked = False
        self.sent = signal.SIGTERM

    def __call__(self, signum: int, frame: FrameType | None) -> None:
        if self.asked:
            self.sent = signal.SIGKILL
            return
        self.asked = True
        logging.disable()
        atexit.register(_tell)
        threading.Thread(target=self._end_jobs, daemon=True).start()
        sys.exit(
            128 + signum
        )  # which Snakemake takes as an interrupt: it waits for jobs, and unlocks

    def _end_jobs(self) -> None:
        """Again and again: a job may be just starting."""
        while True:
            for process in psutil.Process().children(recursive=True):
                with suppress(psutil.Error):
                    if _JOB in process.environ():
                        process.send_signal(self.sent)
            time.sleep(0.5)


def _tell() -> None:
    clear = CLEAR if sys.stderr.isatty() else ""
    print(f"{clear}stopped; run the same command to go on", file=sys.stderr)
