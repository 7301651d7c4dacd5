"""Draw accuracy change and map shift against the strength of each augmentation of a sweep."""

from campare import tables
from campare.plots import dose, saving
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    table = tables.read(snakemake.input.summary)
    trends = tables.read(snakemake.input.trends)
    saving.save_each(
        snakemake.output,
        lambda name: dose.dose_response(
            table, *params.sweeps[name], trends=trends[trends["sweep"] == name]
        ),
        params.dpi,
        params.font,
        params.caption,
    )
