"""Do not retry jobs that refused their input; collect messages of jobs for the end of the run.

Snakemake has one number of retries for every kind of failure. A lost node, a time limit or a lack
of memory may be temporary; a refusal by the job itself (job.py: `error: …`) is permanent.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

from snakemake.jobs import GroupJob, Job

import importing

_start = time.time()
_refusals: dict[str, str] = {}


def refusals() -> list[str]:
    """The messages of this run's refused jobs."""
    return list(_refusals.values())


def warnings(logs: Path) -> list[str]:
    """Warnings by jobs of this run: the lines `warning: …` in the logs of a folder."""
    distinct = {
        line: f"{line}\n  (from {log})"
        for log in sorted(logs.rglob("*.log"), reverse=True)
        for line in _lines(log)
        if line.startswith("warning: ")
    }
    return list(distinct.values())


def install() -> None:
    """Make Snakemake call `_retries` for the number of retries of a failed job.

    For jobs of an importing workflow, only their own setting counts.
    """
    Job.restart_times = property(lambda job: _retries([job]))
    GroupJob.restart_times = property(lambda group: _retries(group.jobs))


def _retries(jobs: Iterable[Job]) -> int:
    own = (job for job in jobs if importing.is_own(job))
    refused = [message for job in own for log in job.log if (message := _refusal(Path(log)))]
    return 0 if refused else max(job.rule.restart_times for job in jobs)


def _refusal(log: Path) -> str | None:
    """Why a job of this run refused its input: the last line of its log and indented ones after."""
    lines = _lines(log)
    last = next((line for line in reversed(lines) if not line.startswith("  ")), "")
    if not last.startswith("error: "):
        return None
    message = lines[-1 - lines[::-1].index(last) :]
    return _refusals.setdefault(str(log), "\n".join([*message, f"  (from {log})"]))


def _lines(log: Path) -> list[str]:
    """The lines of a log; none if it is from an earlier run."""
    if not log.exists() or log.stat().st_mtime < _start:
        return []
    return log.read_text(encoding="utf-8", errors="replace").splitlines()
