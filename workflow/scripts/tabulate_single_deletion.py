"""Tabulate the in-domain single deletion score, by model and by augmentation."""

from campare import deletion, tables
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    measured = [tables.read(path) for path in snakemake.input.measured]
    summary = deletion.summary(params.models, measured, params.seed, paired=params.paired)
    tables.write(deletion.by_model(params.models, measured), snakemake.output.models)
    tables.write(summary, snakemake.output.summary)
    print(summary.to_string(index=False, float_format="%.3f"))
