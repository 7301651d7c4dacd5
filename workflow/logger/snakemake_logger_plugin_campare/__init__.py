"""Progress a person can follow: `snakemake --logger campare`, which `make run` uses.

One line per finished job with jobs done and time left; the training jobs' own lines (epochs) and
Snakemake's warnings and errors stand between them. `make` puts this folder on the environment's
path; everything Snakemake usually prints is in .snakemake/log.
"""

from __future__ import annotations

import sys
import time
from logging import WARNING, LogRecord
from typing import Any

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

SHOWN = {LogEvent.JOB_ERROR, LogEvent.GROUP_ERROR, LogEvent.ERROR}


class LogHandler(LogHandlerBase):
    """Prints progress to stderr."""

    def __post_init__(self) -> None:
        self.began = time.monotonic()
        self.jobs: dict[int, tuple[str, float]] = {}
        self.finished: list[str] = []

    def emit(self, record: LogRecord) -> None:
        event: Any = getattr(record, "event", None)
        if event == LogEvent.JOB_INFO:
            name = " ".join([record.rule_name, *map(str, record.wildcards.values())])  # type: ignore[attr-defined]
            self.jobs[record.jobid] = (name, time.monotonic())  # type: ignore[attr-defined]
        elif event == LogEvent.JOB_FINISHED:
            name, began = self.jobs.pop(record.job_id, ("", 0.0))  # type: ignore[attr-defined]
            self.finished.append(f"{name} ({time.monotonic() - began:.0f} s)")
        elif event == LogEvent.PROGRESS:
            self.progress(record.done, record.total)  # type: ignore[attr-defined]
        elif event in SHOWN or record.levelno >= WARNING or "Nothing to be done" in str(record.msg):
            print(self.format(record), file=sys.stderr)

    def progress(self, done: int, total: int) -> None:
        """One line per job that finished since the last one."""
        elapsed = time.monotonic() - self.began
        left = elapsed / done * (total - done)
        state = f"{done:>4} of {total} jobs, {done / total:4.0%}, {clock(left)} left"
        for name in self.finished:
            print(f"{state}   {name}", file=sys.stderr)
        self.finished.clear()
        if done == total:
            print(f"{total} jobs done in {clock(elapsed)}", file=sys.stderr)

    @property
    def writes_to_stream(self) -> bool:
        return True

    @property
    def writes_to_file(self) -> bool:
        return False

    @property
    def has_filter(self) -> bool:
        return False

    @property
    def has_formatter(self) -> bool:
        return False

    @property
    def needs_rulegraph(self) -> bool:
        return False


def clock(seconds: float) -> str:
    """Minutes and seconds, or hours and minutes."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes}:{rest:02}"
