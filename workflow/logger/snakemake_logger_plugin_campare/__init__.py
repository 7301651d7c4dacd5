"""Short progress messages: `snakemake --logger campare`, which `make run` uses.

Prints one line per finished job with the number of finished jobs and the time left, and
Snakemake's warnings and errors; training jobs print a line per epoch in between. `make` installs
this package into the environment. The usual output of Snakemake is in .snakemake/log.
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

ERRORS = {LogEvent.JOB_ERROR, LogEvent.GROUP_ERROR, LogEvent.ERROR}
# Lets training jobs draw a progress bar, which `show` clears (workflow/scripts/progress.py).
BAR = "CAMPARE_BAR"


class LogHandler(LogHandlerBase):
    """Prints progress to stderr."""

    def __post_init__(self) -> None:
        os.environ[BAR] = "yes"
        self.start = self.first_job = time.monotonic()
        self.planned: dict[str, int] = {}  # rule → number of jobs
        self.running: dict[int, tuple[str, str, float]] = {}  # job → rule, name, start
        self.durations: dict[str, list[float]] = {}  # rule → seconds of its finished jobs
        self.finished: list[str] = []  # jobs without a line yet

    def emit(self, record: LogRecord) -> None:
        """Print progress, warnings and errors; ignore all other records."""
        event: Any = getattr(record, "event", None)
        fields = vars(record)
        if event == LogEvent.RUN_INFO:
            self.planned = {rule: n for rule, n in fields["stats"].items() if rule != "total"}
        elif event == LogEvent.JOB_INFO:
            rule = fields["rule_name"]
            words = [rule, *map(str, fields["wildcards"].values())]
            if not any([self.running, self.durations]):
                self.first_job = time.monotonic()
            name = " ".join(filter(None, words))
            self.running[fields["jobid"]] = (rule, name, time.monotonic())
        elif event == LogEvent.JOB_FINISHED and fields["job_id"] in self.running:
            rule, name, start = self.running.pop(fields["job_id"])
            seconds = time.monotonic() - start
            self.durations.setdefault(rule, []).append(seconds)
            self.finished.append(f"{name} ({seconds:.0f} s)")
        elif event == LogEvent.PROGRESS:
            self.progress(fields["done"], fields["total"])
        elif (
            event in ERRORS or record.levelno >= WARNING or "Nothing to be done" in str(record.msg)
        ):
            if event == LogEvent.JOB_ERROR:
                self.running.pop(fields["jobid"], None)
            show(self.format(record))

    def progress(self, done: int, total: int) -> None:
        """Print one line per job that has finished since the last call."""
        state = f"{done:>4} of {total} jobs, {done / total:4.0%}, {clock(self.left())} left"
        for name in self.finished:
            show(f"{state}   {name}")
        self.finished.clear()
        if done == total:
            elapsed = time.monotonic() - self.start
            show(f"{total} jobs done in {clock(elapsed)}")

    def left(self) -> float:
        """Estimate the seconds left.

        Each job is assumed to take the mean time of its rule's finished jobs, with as many jobs in
        parallel as so far. For a rule without finished jobs it is the median over rules: rules
        differ more than jobs of a rule, and most jobs belong to one rule.
        """
        if not self.durations:
            return 0.0
        now = time.monotonic()
        of_rule = {rule: fmean(seconds) for rule, seconds in self.durations.items()}
        typical = median(of_rule.values())
        to_do = sum(
            (count - len(self.durations.get(rule, []))) * of_rule.get(rule, typical)
            for rule, count in self.planned.items()
        )
        busy = sum(map(sum, self.durations.values()))
        for rule, _, start in self.running.values():
            to_do -= min(now - start, of_rule.get(rule, typical))
            busy += now - start
        return to_do * (now - self.first_job) / busy

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
    """Print lines in place of a training job's progress bar."""
    clear = "\r\033[K" if sys.stderr.isatty() else ""
    print(f"{clear}{text}", file=sys.stderr)


def clock(seconds: float) -> str:
    """A duration as minutes and seconds, or as hours and minutes."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes}:{rest:02}"
