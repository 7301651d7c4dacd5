"""Tabulate each metric's mean over seeds, per augmentation and image, and its distribution."""

from campare import analysis, tables
from job import logged

with logged(snakemake.log[0]):
    similarities = [tables.read(path) for path in snakemake.input.similarities]
    aggregate = analysis.aggregate(snakemake.params.models, similarities)
    distribution = analysis.distribution(aggregate)
    tables.write(aggregate, snakemake.output.aggregate)
    tables.write(distribution, snakemake.output.distribution)
    medians = distribution.pivot_table("median", "metric", "augmentation", sort=False)
    print(f"medians over the test images\n{medians.to_string(float_format='%.3f')}")
