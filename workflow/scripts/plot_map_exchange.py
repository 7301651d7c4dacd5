"""Draw deletion or insertion with exchanged maps, divided into networks and maps."""

from campare import tables
from campare.plots import saving, truth
from job import logged

with logged(snakemake.log[0]):
    pairs, summary = (tables.read(path) for path in snakemake.input)
    saving.save_each(
        snakemake.output,
        lambda measure: truth.map_exchange(pairs, summary, measure),
        snakemake.params.dpi,
        snakemake.params.font,
        snakemake.params.caption,
    )
