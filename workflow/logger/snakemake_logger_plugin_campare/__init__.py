"""Progress a person can follow: `snakemake --logger campare`, which `make run` uses.

One line per finished job with jobs done and time left; the training jobs' own lines (epochs) and
Snakemake's warnings and errors stand between them. `make` installs this package into the
environment; everything Snakemake usually prints is in .snakemake/log.
"""

from __future__ import annotations

import os
import sys
import time
from logging import WARNING, LogRecord
from statistics import fmean, median
from typing import Any

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

SHOWN = {LogEvent.JOB_ERROR, LogEvent.GROUP_ERROR, LogEvent.ERROR}
# Tells training jobs that what prints here makes way for their bar (workflow/scripts/progress.py).
BAR = "CAMPARE_BAR"


class LogHandler(LogHandlerBase):
    """Prints progress to stderr."""

    def __post_init__(self) -> None:
        os.environ[BAR] = "yes"
        self.began = self.first = time.monotonic()
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
            words = [rule, *map(str, given["wildcards"].values())]
            if not any([self.running, self.spent]):
                self.first = time.monotonic()
            self.running[given["jobid"]] = (rule, " ".join(filter(None, words)), time.monotonic())
        elif event == LogEvent.JOB_FINISHED and given["job_id"] in self.running:
            rule, name, began = self.running.pop(given["job_id"])
            seconds = time.monotonic() - began
            self.spent.setdefault(rule, []).append(seconds)
            self.finished.append(f"{name} ({seconds:.0f} s)")
        elif event == LogEvent.PROGRESS:
            self.progress(given["done"], given["total"])
        elif event in SHOWN or record.levelno >= WARNING or "Nothing to be done" in str(record.msg):
            if event == LogEvent.JOB_ERROR:
                self.running.pop(given["jobid"], None)
            show(self.format(record))

    def progress(self, done: int, total: int) -> None:
        """One line per job that finished since the last one."""
        state = f"{done:>4} of {total} jobs, {done / total:4.0%}, {clock(self.left())} left"
        for name in self.finished:
            show(f"{state}   {name}")
        self.finished.clear()
        if done == total:
            elapsed = time.monotonic() - self.began
            show(f"{total} jobs done in {clock(elapsed)}")

    def left(self) -> float:
        """Seconds to go: each job takes as long as others of its rule did, as many at once.

        A rule that has not run yet is taken for the middle one of those that have: rules differ
        more than jobs do, and most jobs are of one rule.
        """
        if not self.spent:
            return 0.0
        now = time.monotonic()
        of_rule = {rule: fmean(seconds) for rule, seconds in self.spent.items()}
        typical = median(of_rule.values())
        to_do = sum(
            (count - len(self.spent.get(rule, []))) * of_rule.get(rule, typical)
            for rule, count in self.planned.items()
        )
        busy = sum(map(sum, self.spent.values()))
        for rule, _, began in self.running.values():
            to_do -= min(now - began, of_rule.get(rule, typical))
            busy += now - began
        return to_do * (now - self.first) / busy

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


def show(text: str) -> None:
    """Print lines, in place of the bar of a training job."""
    clear = "\r\033[K" if sys.stderr.isatty() else ""
    print(f"{clear}{text}", file=sys.stderr)


def clock(seconds: float) -> str:
    """Minutes and seconds, or hours and minutes."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes}:{rest:02}"
