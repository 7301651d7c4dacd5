"""What the jobs of a study used, as a table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from math import nan

import pandas as pd

# What `used` of workflow/scripts/job.py logs.
_USED = re.compile(r"used: ([\d,]+) images/s, peak GPU memory ([\d,]+) MB")


def table(jobs: Iterable[tuple[str, Mapping[str, float], str]]) -> pd.DataFrame:
    """A row per job: `job`, and what it used.

    Parameters
    ----------
    jobs
        Name, the last row of Snakemake's benchmark file, and the text of the log. Both tell of the
        process that finished the job, not of those killed before.

    Returns
    -------
    job; wall_s, cpu_s; peak_memory_mb (resident), peak_gpu_memory_mb and images_per_s, NaN where
    the log says nothing of them. Images are trained on (augmentation included), mapped or
    compared, by what the job does. In the order of `jobs`.
    """
    rows = []
    for name, measured, log in jobs:
        said = _USED.findall(log)
        speed, gpu = (float(x.replace(",", "")) for x in said[-1]) if said else (nan, nan)
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
