"""Draw the map shift between every two augmentations."""

from campare import tables
from campare.plots import relations, saving
from job import logged

with logged(snakemake.log[0]):
    table = tables.read(snakemake.input.between)
    saving.save_each(
        snakemake.output,
        lambda metric: relations.between(table, metric),
        snakemake.params.dpi,
        snakemake.params.font,
        snakemake.params.caption,
    )
