"""Tabulate the test images whose metrics are highest in mean and in standard deviation."""

from campare import analysis, tables
from job import logged

with logged(snakemake.log[0]):
    aggregate = tables.read(snakemake.input.aggregate)
    extremes = analysis.extremes(aggregate, snakemake.params.metrics)
    tables.write(extremes, snakemake.output.extremes)
    print(extremes.to_string(index=False))
