"""A table of the time, memory and throughput of the jobs of a study."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from math import nan

import pandas as pd

# The line that `log_usage` of workflow/scripts/job.py logs.
_USED = re.compile(r"used: ([\d,]+) images/s, peak GPU memory ([\d,]+) MB")


def table(jobs: Iterable[tuple[str, Mapping[str, float], str]]) -> pd.DataFrame:
    """Time, memory and throughput of jobs, a row each.

    Parameters
    ----------
    jobs
        Name, last row of Snakemake's benchmark file, and text of the log, of each job. Both are of
        the process that finished the job, without processes that were killed before.

    Returns
    -------
    DataFrame
        job; wall_s, cpu_s; peak_memory_mb (resident); peak_gpu_memory_mb and images_per_s, NaN if
        they are not in the log. Images are trained on (including augmentation), mapped or compared,
        depending on the job. In the order of `jobs`.
    """
    rows = []
    for name, measured, log in jobs:
        logged = _USED.findall(log)
        speed, gpu = (float(x.replace(",", "")) for x in logged[-1]) if logged else (nan, nan)
        rows.append(
            {
                "job": name,
                "wall_s": measured["s"],
                "cpu_s": measured["cpu_time"],
                "peak_memory_mb": measured["max_rss"],
                "peak_gpu_memory_mb": gpu,
                "images_per_s": speed,
            }
        )
    return pd.DataFrame(rows)
