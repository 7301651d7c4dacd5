"""Tabulate correlations of metrics between augmentations; the most and least correlated pairs."""

from campare import analysis, tables
from job import logged

with logged(snakemake.log[0]):
    aggregate = tables.read(snakemake.input.aggregate)
    correlation = analysis.correlation(aggregate, snakemake.params.metrics)
    tables.write(correlation, snakemake.output.correlation)
    for name, strongest in (("strongest", True), ("weakest", False)):
        pairs = analysis.top_pairs(correlation, snakemake.params.top_pairs, strongest=strongest)
        tables.write(pairs, snakemake.output[name])
        print(f"{name} pairs\n{pairs.to_string(index=False)}\n")
