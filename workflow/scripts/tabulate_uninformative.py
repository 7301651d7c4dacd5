"""Tabulate every metric of models' maps with maps that know nothing."""

from campare import analysis, tables
from job import logged

with logged(snakemake.log[0]):
    table = analysis.uninformative(
        tables.read(snakemake.input.uninformative), snakemake.params.metrics
    )
    tables.write(table, snakemake.output.uninformative)
    print(table.pivot_table("mean", "metric", "level", sort=False).to_string(float_format="%.3f"))
