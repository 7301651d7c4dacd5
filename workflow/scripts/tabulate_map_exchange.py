"""Tabulate deletion and insertion with exchanged maps, by pair of models and by augmentation."""

from campare import exchange, tables
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    measured = [tables.read(path) for path in snakemake.input.measured]
    summary = exchange.summary(params.partners, measured, params.seed)
    tables.write(exchange.by_pair(params.partners, measured), snakemake.output.pairs)
    tables.write(summary, snakemake.output.summary)
    print(summary.to_string(index=False, float_format="%.3f"))
