"""Tabulate localisation scores by model and by augmentation."""

from campare import localisation, tables
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    measured = [tables.read(path) for path in snakemake.input.measured]
    means = localisation.by_model(params.models, measured)
    summary = localisation.summary(params.models, measured, params.seed, paired=params.paired)
    tables.write(means, snakemake.output.models)
    tables.write(summary, snakemake.output.summary)
    print(summary.to_string(index=False, float_format="%.3f"))
