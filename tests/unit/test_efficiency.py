"""What jobs used: the line that a job logs is the line that the table reads."""

from __future__ import annotations

import math

import pytest

from campare import efficiency
from job import log_usage

MEASURED = {"s": 12.5, "cpu_time": 11.0, "max_rss": 640.2, "io_in": 0.0}


def test_the_table_reads_what_a_job_logs(capsys: pytest.CaptureFixture[str]) -> None:
    log_usage(30_000, 12.0)
    log_usage(24_690, 2.0)  # a job may log again; the last one counts
    row = efficiency.table([("train/affine/1", MEASURED, capsys.readouterr().out)]).iloc[0]
    assert row.to_dict() == {
        "job": "train/affine/1",
        "wall_s": 12.5,
        "cpu_s": 11.0,
        "peak_memory_mb": 640.2,
        "peak_gpu_memory_mb": 0.0,
        "images_per_s": 12_345.0,
    }


def test_a_job_that_says_nothing_has_no_speed() -> None:
    row = efficiency.table([("plot_pairs", MEASURED, "drawn")]).iloc[0]
    assert row["wall_s"] == 12.5
    assert math.isnan(row["images_per_s"])
    assert math.isnan(row["peak_gpu_memory_mb"])
