"""Draw the sanity checks of the maps."""

from campare import tables
from campare.plots import sanity, saving
from job import logged

with logged(snakemake.log[0]):
    layers, summary = (tables.read(path) for path in snakemake.input)
    saving.save_each(
        snakemake.output,
        lambda metric: sanity.checks(layers, summary, metric),
        snakemake.params.dpi,
        snakemake.params.font,
        snakemake.params.caption,
    )
