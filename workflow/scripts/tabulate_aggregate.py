"""Tabulate each metric's mean over seeds, per augmentation and image, and its distribution."""

import pandas as pd

from campare import analysis, tables
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    similarities = map(tables.read, snakemake.input.similarities)
    aggregate = analysis.aggregate(params.models, similarities)
    tables.write(aggregate, snakemake.output.aggregate)
    distribution = analysis.distribution(aggregate).assign(pairs="reference")
    if path := snakemake.output.get("across"):
        aggregates = [aggregate]
        if matched := snakemake.input.matched:
            aggregates.append(analysis.aggregate(params.matched, map(tables.read, matched)))
        pairs = tables.Tables(dict(zip(params.beside_floor, snakemake.input.pairs, strict=True)))
        comparable = [(tuple(first), tuple(second)) for first, second in params.like]
        across = analysis.across_seeds(pairs, comparable, pd.concat(aggregates, ignore_index=True))
        tables.write(across, path)
        of_pairs = analysis.distribution(across.dropna(axis=1, how="all"))
        distribution = pd.concat([distribution, of_pairs.assign(pairs="across seeds")])
    tables.write(distribution, snakemake.output.distribution)
    medians = distribution.pivot_table("median", "metric", ["pairs", "augmentation"], sort=False)
    print(f"medians over the test images\n{medians.to_string(float_format='%.3f')}")
