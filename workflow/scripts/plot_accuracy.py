"""Draw every metric's mean against accuracy, a point per model."""

from campare import plots, tables
from job import logged

with logged(snakemake.log[0]):
    means = tables.read(snakemake.input.means)
    correlation = tables.read(snakemake.input.correlation)
    augmentations = snakemake.params.augmentations
    plots.save_each(
        snakemake.output,
        lambda metric: plots.accuracy(means, correlation, metric, augmentations),
        snakemake.params.dpi,
        snakemake.params.font,
    )
