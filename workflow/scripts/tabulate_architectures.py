"""Tabulate the scores of the candidate architectures after every epoch."""

from campare import analysis, tables
from job import logged

with logged(snakemake.log[0]):
    histories = [tables.read(path) for path in snakemake.input.histories]
    table = analysis.architectures(snakemake.params.architectures, histories)
    tables.write(table, snakemake.output.architectures)
    print(table.groupby("architecture", sort=False).tail(1).to_string(index=False))
