"""Draw the correlation of every metric between augmentations."""

from campare import tables
from campare.plots import relations, saving
from job import logged

with logged(snakemake.log[0]):
    table = tables.read(snakemake.input.correlation)
    saving.save_each(
        snakemake.output,
        lambda metric: relations.correlation(table, metric, snakemake.params.augmentations),
        snakemake.params.dpi,
        snakemake.params.font,
        snakemake.params.caption,
    )
