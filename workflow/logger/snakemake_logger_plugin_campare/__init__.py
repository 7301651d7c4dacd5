"""Progress a person can follow: `snakemake --logger campare`, which `make run` uses.

One line per finished job with jobs done and time left; the training jobs' own lines (epochs) and
Snakemake's warnings and errors stand between them. `make` puts this folder on the environment's
path; everything Snakemake usually prints is in .snakemake/log.
"""

from __future__ import annotations

import sys
import time
from logging import WARNING, LogRecord
from statistics import mean, median
from typing import Any

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

SHOWN = {LogEvent.JOB_ERROR, LogEvent.GROUP_ERROR, LogEvent.ERROR}


class LogHandler(LogHandlerBase):
    """Prints progress to stderr."""

    def __post_init__(self) -> None:
        self.began = time.monotonic()
        self.planned: dict[str, int] = {}
        self.running: dict[int, tuple[str, str, float]] = {}
        self.spent: dict[str, list[float]] = {}
        self.finished: list[str] = []

    def emit(self, record: LogRecord) -> None:
        event: Any = getattr(record, "event", None)
        given = vars(record)
        if event == LogEvent.RUN_INFO:
            self.planned = {rule: n for rule, n in given["stats"].items() if rule != "total"}
        elif event == LogEvent.JOB_INFO:
            rule = given["rule_name"]
            name = " ".join([rule, *map(str, given["wildcards"].values())])
            self.running[given["jobid"]] = (rule, name, time.monotonic())
        elif event == LogEvent.JOB_FINISHED and given["job_id"] in self.running:
            rule, name, began = self.running.pop(given["job_id"])
            seconds = time.monotonic() - began
            self.spent.setdefault(rule, []).append(seconds)
            self.finished.append(f"{name} ({seconds:.0f} s)")
        elif event == LogEvent.PROGRESS:
            self.progress(given["done"], given["total"])
        elif event in SHOWN or record.levelno >= WARNING or "Nothing to be done" in str(record.msg):
            print(self.format(record), file=sys.stderr)

    def progress(self, done: int, total: int) -> None:
        """One line per job that finished since the last one."""
        state = f"{done:>4} of {total} jobs, {done / total:4.0%}, {clock(self.left())} left"
        for name in self.finished:
            print(f"{state}   {name}", file=sys.stderr)
        self.finished.clear()
        if done == total:
            elapsed = time.monotonic() - self.began
            print(f"{total} jobs done in {clock(elapsed)}", file=sys.stderr)

    def left(self) -> float:
        """Seconds to go: each rule's jobs take as long as its others did, as many at once."""
        durations = [seconds for spent in self.spent.values() for seconds in spent]
        if not durations:
            return 0.0
        typical = median(durations)
        work = sum(
            (count - len(self.spent.get(rule, []))) * mean(self.spent.get(rule, [typical]))
            for rule, count in self.planned.items()
        )
        return work * (time.monotonic() - self.began) / sum(durations)

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
