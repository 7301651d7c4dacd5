"""Tabulate the correlations between augmentations had all shared the same baselines."""

from campare import analysis, controls, tables
from job import logged

with logged(snakemake.log[0]):
    wanted = snakemake.params
    pairs = {
        name: tables.read(path)
        for name, path in zip(wanted.augmentations, snakemake.input.pairs, strict=True)
    }
    aggregate = controls.shared(pairs, wanted.baselines, wanted.metrics)
    tables.write(analysis.correlation(aggregate, wanted.metrics), snakemake.output.correlation)
