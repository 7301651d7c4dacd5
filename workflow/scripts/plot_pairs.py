"""Draw how often pairs of augmentations are among the most and the least correlated."""

from campare import tables
from campare.plots import relations, saving
from job import logged

with logged(snakemake.log[0]):
    found = {which: tables.read(snakemake.input[which]) for which in ("strongest", "weakest")}
    metrics, top = snakemake.params.number, snakemake.params.top_pairs
    saving.save_each(
        snakemake.output,
        lambda which: relations.pairs(found[which], which, metrics, top),
        snakemake.params.dpi,
        snakemake.params.font,
    )
