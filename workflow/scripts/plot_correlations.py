"""Draw how every metric correlates between augmentations."""

from campare import plots, tables
from job import logged

with logged(snakemake.log[0]):
    table = tables.read(snakemake.input.correlation)
    plots.save_each(
        snakemake.output,
        lambda metric: plots.correlation(table, metric, snakemake.params.augmentations),
        snakemake.params.dpi,
        snakemake.params.font,
    )
