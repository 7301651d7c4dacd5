"""Draw the map shift of each augmentation for all kinds of maps."""

from campare import tables
from campare.plots import saving, variants
from job import logged

with logged(snakemake.log[0]):
    params, paths = snakemake.params, snakemake.input
    shifts, agreement, ranking = map(tables.read, (paths.variants, paths.agreement, paths.ranking))
    saving.save_each(
        snakemake.output,
        lambda _: variants.variants(shifts, agreement, ranking),
        params.dpi,
        params.font,
        params.caption,
    )
