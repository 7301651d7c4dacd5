"""Draw the distribution of every metric over the test images."""

from campare import plots, tables
from job import logged

with logged(snakemake.log[0]):
    table = tables.read(snakemake.input.aggregate)
    plots.save_each(
        snakemake.output,
        lambda metric: plots.boxplot(table, metric, snakemake.params.augmentations),
        snakemake.params.dpi,
    )
