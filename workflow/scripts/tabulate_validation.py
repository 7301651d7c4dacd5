"""Tabulate the epoch of every model whose weights are saved, and its validation accuracy."""

from campare import analysis, tables
from job import logged

with logged(snakemake.log[0]):
    histories = [tables.read(path) for path in snakemake.input.histories]
    validation = analysis.validation(snakemake.params.models, histories, snakemake.params.keep)
    tables.write(validation, snakemake.output.validation)
    print(validation.to_string(index=False))
