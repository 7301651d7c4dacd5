"""`--logger campare` prints a line per finished job, with the time left, and every error."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import snakemake_logger_plugin_campare as plugin
from snakemake_interface_logger_plugins.common import LogEvent


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    clock = [0.0]
    monkeypatch.setattr(plugin.time, "monotonic", lambda: clock[0])
    return clock


def emit(handler: plugin.LogHandler, event: LogEvent | None, **fields: Any) -> None:
    level = fields.pop("level", logging.INFO)
    record = logging.LogRecord("x", level, "x", 1, fields.pop("message", ""), None, None)
    vars(record).update(fields, event=event)
    handler.emit(record)


def run_job(
    handler: plugin.LogHandler, rule: str, job: int, now: list[float], seconds: float
) -> None:
    emit(handler, LogEvent.JOB_INFO, rule_name=rule, jobid=job, wildcards={"seed": job})
    now[0] += seconds
    emit(handler, LogEvent.JOB_FINISHED, job_id=job)


def test_time_left_depends_on_the_rules_of_the_remaining_jobs(
    now: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    handler = plugin.LogHandler(None, None)  # type: ignore[arg-type]
    emit(handler, LogEvent.RUN_INFO, stats={"train": 3, "plot": 1, "total": 4})
    run_job(handler, "train", 1, now, 100)
    emit(handler, LogEvent.PROGRESS, done=1, total=4)
    run_job(handler, "plot", 2, now, 2)
    emit(handler, LogEvent.PROGRESS, done=2, total=4)
    first, second = capsys.readouterr().err.splitlines()
    assert first == "   1 of 4 jobs,  25%, 5:00 left   train 1 (100 s)"
    assert second == "   2 of 4 jobs,  50%, 3:20 left   plot 2 (2 s)"


def test_time_left_counts_running_jobs_and_uses_the_median_for_new_rules(
    now: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    handler = plugin.LogHandler(None, None)  # type: ignore[arg-type]
    emit(handler, LogEvent.RUN_INFO, stats={"load": 1, "train": 4, "plot": 10, "total": 15})
    now[0] += 9  # of planning
    run_job(handler, "load", 1, now, 2)
    for job in (2, 3):
        emit(handler, LogEvent.JOB_INFO, rule_name="train", jobid=job, wildcards={"seed": job})
    now[0] += 100
    emit(handler, LogEvent.JOB_FINISHED, job_id=2)
    handler.finished.clear()
    # The other job has run as long; plots count as 51 s, the median of loading and training.
    busy = 2 + 100 + 100
    assert handler.left() == pytest.approx((2 * 100 + 10 * 51) * 102 / busy)
    emit(handler, LogEvent.JOB_ERROR, jobid=3, message="it broke", level=logging.ERROR)
    now[0] += 100  # nothing runs
    assert handler.left() == pytest.approx((3 * 100 + 10 * 51) * 202 / 102)
    assert capsys.readouterr().err == "it broke\n"


def test_the_last_line_has_the_total_time(
    now: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    handler = plugin.LogHandler(None, None)  # type: ignore[arg-type]
    emit(handler, LogEvent.RUN_INFO, stats={"train": 1, "total": 1})
    run_job(handler, "train", 1, now, 3725)
    emit(handler, LogEvent.PROGRESS, done=1, total=1)
    assert capsys.readouterr().err.splitlines()[-1] == "1 jobs done in 1 h 02 min"


def test_errors_and_warnings_are_printed_and_other_messages_are_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    handler = plugin.LogHandler(None, None)  # type: ignore[arg-type]
    emit(handler, None, message="Building DAG of jobs...")
    emit(handler, None, message="Nothing to be done")
    emit(handler, LogEvent.ERROR, message="it broke")
    emit(handler, None, message="beware", level=logging.WARNING)
    assert capsys.readouterr().err.splitlines() == ["Nothing to be done", "it broke", "beware"]
