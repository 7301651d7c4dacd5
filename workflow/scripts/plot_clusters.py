"""Draw clusters of augmentations that change the maps of the same images."""

from campare import tables
from campare.plots import relations, saving
from job import logged

with logged(snakemake.log[0]):
    clusters = tables.read(snakemake.input.clusters)
    correlation = tables.read(snakemake.input.correlation)
    saving.save_each(
        snakemake.output,
        lambda metric: relations.clusters(correlation, clusters, metric),
        snakemake.params.dpi,
        snakemake.params.font,
        snakemake.params.caption,
    )
