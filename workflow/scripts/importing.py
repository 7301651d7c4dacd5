"""This workflow as a module of another: which jobs are its own, and settings for those alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from snakemake.jobs import Job

ROOT = Path(__file__).resolve().parents[2]


def imported(workflow: Any) -> bool:
    """Whether Snakemake runs another workflow that imports this one."""
    main = Path(workflow.main_snakefile).resolve()
    return main not in (ROOT / "Snakefile", ROOT / "workflow" / "Snakefile")


def is_own(job: Job) -> bool:
    """Whether a job belongs to this workflow."""
    return Path(str(job.rule.snakefile)).resolve().is_relative_to(ROOT)


def ignore_times_of_scripts() -> None:
    """For jobs of this workflow, let digests alone (provenance.py) decide whether code changed.

    Snakemake's `code` trigger compares the modification times of scripts, which a fresh clone
    changes. profiles/default disables it, but an importing workflow has its own profile.
    """
    original = Job.outputs_older_than_script_or_notebook

    async def outdated(job: Job) -> AsyncIterator[Any]:
        if not is_own(job):
            async for output in original(job):
                yield output

    Job.outputs_older_than_script_or_notebook = outdated
