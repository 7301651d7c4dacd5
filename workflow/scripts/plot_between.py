"""Draw how far models of two augmentations are apart."""

from campare import plots, tables
from job import logged

with logged(snakemake.log[0]):
    table = tables.read(snakemake.input.between)
    plots.save_each(
        snakemake.output,
        lambda metric: plots.between(table, metric),
        snakemake.params.dpi,
        snakemake.params.font,
    )
