"""Draw which augmentations change the look alike."""

from campare import plots, tables
from job import logged

with logged(snakemake.log[0]):
    clusters = tables.read(snakemake.input.clusters)
    correlation = tables.read(snakemake.input.correlation)
    plots.save_each(
        snakemake.output,
        lambda metric: plots.profile(correlation, clusters, metric),
        snakemake.params.dpi,
        snakemake.params.font,
    )
