"""Draw the mean of every metric against test accuracy, a point per model."""

from campare import tables
from campare.plots import fitting, metrics, saving
from job import logged

with logged(snakemake.log[0]):
    means = tables.read(snakemake.input.means)
    correlation = tables.read(snakemake.input.correlation)
    augmentations = snakemake.params.augmentations
    with fitting.ranked(tables.optional(snakemake.input.get("ranking"))):
        saving.save_each(
            snakemake.output,
            lambda metric: metrics.accuracy(means, correlation, metric, augmentations),
            snakemake.params.dpi,
            snakemake.params.font,
            snakemake.params.caption,
        )
