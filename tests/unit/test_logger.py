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


def tell(handler: plugin.LogHandler, event: LogEvent | None, **given: Any) -> None:
    level = given.pop("level", logging.INFO)
    record = logging.LogRecord("x", level, "x", 1, given.pop("message", ""), None, None)
    vars(record).update(given, event=event)
    handler.emit(record)


def run_job(handler: plugin.LogHandler, rule: str, job: int, now: list[float], last: float) -> None:
    tell(handler, LogEvent.JOB_INFO, rule_name=rule, jobid=job, wildcards={"seed": job})
    now[0] += last
    tell(handler, LogEvent.JOB_FINISHED, job_id=job)


def test_time_left_goes_by_the_rules_still_to_run(
    now: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    handler = plugin.LogHandler(None, None)  # type: ignore[arg-type]
    tell(handler, LogEvent.RUN_INFO, stats={"train": 3, "plot": 1, "total": 4})
    run_job(handler, "train", 1, now, 100)
    tell(handler, LogEvent.PROGRESS, done=1, total=4)
    run_job(handler, "plot", 2, now, 2)
    tell(handler, LogEvent.PROGRESS, done=2, total=4)
    first, second = capsys.readouterr().err.splitlines()
    assert first == "   1 of 4 jobs,  25%, 5:00 left   train 1 (100 s)"
    assert second == "   2 of 4 jobs,  50%, 3:20 left   plot 2 (2 s)"


def test_time_left_counts_jobs_that_run_and_takes_new_rules_for_the_middle_one(
    now: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    handler = plugin.LogHandler(None, None)  # type: ignore[arg-type]
    tell(handler, LogEvent.RUN_INFO, stats={"load": 1, "train": 4, "plot": 10, "total": 15})
    now[0] += 9  # of planning
    run_job(handler, "load", 1, now, 2)
    for job in (2, 3):
        tell(handler, LogEvent.JOB_INFO, rule_name="train", jobid=job, wildcards={"seed": job})
    now[0] += 100
    tell(handler, LogEvent.JOB_FINISHED, job_id=2)
    handler.finished.clear()
    # The other one is through as well; plots are taken for 51 s, between loading and training.
    busy = 2 + 100 + 100
    assert handler.left() == pytest.approx((2 * 100 + 10 * 51) * 102 / busy)
    tell(handler, LogEvent.JOB_ERROR, jobid=3, message="it broke", level=logging.ERROR)
    now[0] += 100  # nothing runs
    assert handler.left() == pytest.approx((3 * 100 + 10 * 51) * 202 / 102)
    assert capsys.readouterr().err == "it broke\n"


def test_end_says_how_long_it_took(now: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    handler = plugin.LogHandler(None, None)  # type: ignore[arg-type]
    tell(handler, LogEvent.RUN_INFO, stats={"train": 1, "total": 1})
    run_job(handler, "train", 1, now, 3725)
    tell(handler, LogEvent.PROGRESS, done=1, total=1)
    assert capsys.readouterr().err.splitlines()[-1] == "1 jobs done in 1 h 02 min"


def test_errors_are_shown_and_chatter_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    handler = plugin.LogHandler(None, None)  # type: ignore[arg-type]
    tell(handler, None, message="Building DAG of jobs...")
    tell(handler, None, message="Nothing to be done")
    tell(handler, LogEvent.ERROR, message="it broke")
    tell(handler, None, message="beware", level=logging.WARNING)
    assert capsys.readouterr().err.splitlines() == ["Nothing to be done", "it broke", "beware"]
