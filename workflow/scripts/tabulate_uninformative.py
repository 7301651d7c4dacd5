"""Tabulate the similarity of models' maps to uninformative reference maps."""

from campare import analysis, tables
from job import logged

with logged(snakemake.log[0]):
    table = analysis.uninformative(
        tables.read(snakemake.input.uninformative), snakemake.params.metrics
    )
    tables.write(table, snakemake.output.uninformative)
    print(table.pivot_table("mean", "metric", "level", sort=False).to_string(float_format="%.3f"))
