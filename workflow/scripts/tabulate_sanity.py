"""Tabulate the sanity checks of the maps, by augmentation and by randomised layer."""

from campare import sanity, tables
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    measured = [tables.read(path) for path in snakemake.input.measured]
    models, metrics, seed = params.models, params.metrics, params.seed
    layers = sanity.by_layer(models, measured, metrics, seed)
    summary = sanity.summary(models, measured, metrics, seed, paired=params.paired)
    tables.write(layers, snakemake.output.layers)
    tables.write(summary, snakemake.output.summary)
    print(summary.to_string(index=False, float_format="%.3f"))
