"""A job that refused its input is not tried again; what jobs say to the user ends the output.

Snakemake knows one number of retries for whatever ended a job. A lost node, a time limit or too
little memory may pass; what a job itself refuses (job.py: `error: …`) never does.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

from snakemake.jobs import GroupJob, Job

import importing

_began = time.time()
_refusals: dict[str, str] = {}


def refusals() -> list[str]:
    """The messages of this run's refused jobs."""
    return list(_refusals.values())


def warnings(logs: Path) -> list[str]:
    """What jobs of this run warn of: the lines `warning: …` of the logs in a folder."""
    distinct = {
        line: f"{line}\n  (from {log})"
        for log in sorted(logs.rglob("*.log"), reverse=True)
        for line in _lines(log)
        if line.startswith("warning: ")
    }
    return list(distinct.values())


def install() -> None:
    """Make Snakemake ask `_retries` where it decides whether a failed job is tried again.

    Of jobs that another workflow, which imports this one, brings, only what is their own counts.
    """
    Job.restart_times = property(lambda job: _retries([job]))
    GroupJob.restart_times = property(lambda group: _retries(group.jobs))


def _retries(jobs: Iterable[Job]) -> int:
    own = (job for job in jobs if importing.is_own(job))
    refused = [message for job in own for log in job.log if (message := _refusal(Path(log)))]
    return 0 if refused else max(job.rule.restart_times for job in jobs)


def _refusal(log: Path) -> str | None:
    """What a job refused in this run, by the last line of its log, and indented ones after it."""
    lines = _lines(log)
    last = next((line for line in reversed(lines) if not line.startswith("  ")), "")
    if not last.startswith("error: "):
        return None
    message = lines[-1 - lines[::-1].index(last) :]
    return _refusals.setdefault(str(log), "\n".join([*message, f"  (from {log})"]))


def _lines(log: Path) -> list[str]:
    """The lines of a log; none where it is of an earlier run."""
    if not log.exists() or log.stat().st_mtime < _began:
        return []
    return log.read_text(encoding="utf-8", errors="replace").splitlines()
