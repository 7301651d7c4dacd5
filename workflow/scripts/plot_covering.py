"""Draw accuracy and likeness of the maps as a patch grows."""

from campare import hybrids, plots, tables
from job import logged

with logged(snakemake.log[0]):
    table = tables.read(snakemake.input.covering, text=["class"])
    plots.save_each(
        snakemake.output,
        lambda measure: plots.covering(table, measure, hybrids.ALL),
        snakemake.params.dpi,
        snakemake.params.font,
    )
