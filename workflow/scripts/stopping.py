"""Ctrl-C ends a run as a cluster ends a job: by SIGTERM, which makes training save; then one line.

A terminal sends SIGINT to Snakemake and to all its jobs at once, where each would end with a
traceback. Here the jobs are deaf to it, Snakemake passes it on to them as SIGTERM, and what they
make of that is no error worth a word.
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

_ASKED = 130  # what shells say of a program that SIGINT ended


def install() -> None:
    """Let this process and its jobs end so. A second Ctrl-C kills jobs that are still saving."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        shell.prefix("set -euo pipefail; trap '' INT; ")  # the first is Snakemake's own
        signal.signal(signal.SIGINT, _Stop())


class _Stop:
    """The handler of SIGINT."""

    def __init__(self) -> None:
        self.passed_on = signal.SIGTERM
        self.asked = False

    def __call__(self, signum: int, frame: FrameType | None) -> None:
        if self.asked:
            self.passed_on = signal.SIGKILL
            return
        self.asked = True
        logging.disable()  # or Snakemake tells of every job that it died
        atexit.register(_tell)
        threading.Thread(target=self._end_jobs, daemon=True).start()
        sys.exit(_ASKED)  # as KeyboardInterrupt does: Snakemake waits for its jobs, and unlocks

    def _end_jobs(self) -> None:
        """Again and again, since a job may be starting just now."""
        while True:
            for process in psutil.Process().children(recursive=True):
                # A shell that ended before its job would hide that the job still saves.
                with suppress(psutil.Error):
                    if process.name() not in ("bash", "sh"):
                        process.send_signal(self.passed_on)
            time.sleep(0.5)


def _tell() -> None:
    clear = CLEAR if sys.stderr.isatty() else ""
    print(f"{clear}stopped; run the same command to go on", file=sys.stderr)
