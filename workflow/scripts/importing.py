"""This workflow as a module of another: whose jobs are whose, and what holds for its own alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from snakemake.jobs import Job

ROOT = Path(__file__).resolve().parents[2]


def imported(workflow: Any) -> bool:
    """Whether Snakemake was started on another workflow, which imports this one."""
    main = Path(workflow.main_snakefile).resolve()
    return main not in (ROOT / "Snakefile", ROOT / "workflow" / "Snakefile")


def is_own(job: Job) -> bool:
    """Whether a job is of this workflow."""
    return Path(str(job.rule.snakefile)).resolve().is_relative_to(ROOT)


def ignore_times_of_scripts() -> None:
    """Let digests alone (provenance.py) tell whether code changed, of the jobs of this workflow.

    Snakemake's trigger `code` goes by the modification times of scripts, which a fresh clone
    changes. profiles/default leaves it out, but an importing workflow has a profile of its own.
    """
    theirs = Job.outputs_older_than_script_or_notebook

    async def older(job: Job) -> AsyncIterator[Any]:
        if not is_own(job):
            async for output in theirs(job):
                yield output

    Job.outputs_older_than_script_or_notebook = older
