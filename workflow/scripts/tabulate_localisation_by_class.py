"""Tabulate the energy of the maps on each region by class of the test images."""

from campare import data, localisation, tables
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    table = localisation.by_class(
        params.models,
        [tables.read(path) for path in snakemake.input.measured],
        data.read(snakemake.input.data).classes,
        params.seed,
        paired=params.paired,
    )
    tables.write(table, snakemake.output.table)
    print(table.to_string(index=False, float_format="%.3f"))
