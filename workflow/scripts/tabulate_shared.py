"""Tabulate correlations between augmentations when all are compared with the same baselines."""

from campare import analysis, controls, tables
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    pairs = tables.Tables(dict(zip(params.augmentations, snakemake.input.pairs, strict=True)))
    aggregate = controls.shared(pairs, params.baselines, params.metrics)
    tables.write(analysis.correlation(aggregate, params.metrics), snakemake.output.correlation)
