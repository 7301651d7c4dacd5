"""Tabulate the test images with the highest mean and standard deviation of every metric."""

from campare import analysis, tables
from job import logged

with logged(snakemake.log[0]):
    aggregate = tables.read(snakemake.input.aggregate)
    extremes = analysis.extremes(aggregate, snakemake.params.metrics)
    tables.write(extremes, snakemake.output.extremes)
    print(extremes.to_string(index=False))
