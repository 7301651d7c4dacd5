"""Draw the distribution of every metric over the test images."""

from campare import plots, tables
from job import logged

with logged(snakemake.log[0]):
    table = tables.read(snakemake.input.aggregate)
    floor = tables.read(snakemake.input.floor) if snakemake.input.floor else None
    plots.save_each(
        snakemake.output,
        lambda metric: plots.boxplot(table, metric, snakemake.params.augmentations, floor),
        snakemake.params.dpi,
        snakemake.params.font,
    )
