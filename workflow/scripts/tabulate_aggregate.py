"""Tabulate each metric's mean over seeds, per augmentation and image, and its distribution."""

import pandas as pd

from campare import analysis, tables
from job import logged

with logged(snakemake.log[0]):
    wanted = snakemake.params
    similarities = [tables.read(path) for path in snakemake.input.similarities]
    aggregate = analysis.aggregate(wanted.models, similarities)
    tables.write(aggregate, snakemake.output.aggregate)
    described = [aggregate]
    if path := snakemake.output.get("floor"):
        baselines = snakemake.input.baselines
        matched = [tables.read(path) for path in snakemake.input.matched]
        floor = analysis.floor(
            tables.read(baselines) if baselines else None, wanted.matched, matched
        )
        tables.write(floor, path)
        described.append(floor)
    distribution = pd.concat(map(analysis.distribution, described), ignore_index=True)
    tables.write(distribution, snakemake.output.distribution)
    medians = distribution.pivot_table("median", "metric", "augmentation", sort=False)
    print(f"medians over the test images\n{medians.to_string(float_format='%.3f')}")
