"""Draw which metrics detect which known changes of the networks."""

from campare import tables
from campare.plots import known_changes, saving
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    changes = tables.read(snakemake.input.changes)
    summary = tables.read(snakemake.input.summary)
    saving.save_each(
        snakemake.output,
        lambda _: known_changes.detection(changes, summary, params.study),
        params.dpi,
        params.font,
        params.caption,
    )
