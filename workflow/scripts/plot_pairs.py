"""Draw how often pairs of augmentations are among the most and the least correlated."""

from campare import tables
from campare.plots import relations, saving
from job import logged

with logged(snakemake.log[0]):
    pairs = {which: tables.read(snakemake.input[which]) for which in ("strongest", "weakest")}
    metrics, top = snakemake.params.number, snakemake.params.top_pairs
    saving.save_each(
        snakemake.output,
        lambda which: relations.pairs(pairs[which], which, metrics, top),
        snakemake.params.dpi,
        snakemake.params.font,
        snakemake.params.caption,
    )
