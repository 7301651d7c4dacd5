"""Tabulate the similarity of two models' maps by class, compared with chance."""

from campare import agreement, data, performance, tables
from job import logged

with logged(snakemake.log[0]):
    classes = data.read(snakemake.input.data).classes
    table = agreement.agreement(
        tables.read(snakemake.input.pairs),
        tables.read(snakemake.input.chance),
        snakemake.params.metrics,
        classes,
    )
    tables.write(table, snakemake.output.agreement)
    print(table[table["class"] == performance.ALL].to_string(index=False))
