"""Draw the reliance of every augmentation's models on a spurious cue."""

from campare import tables
from campare.plots import saving, truth
from job import logged

with logged(snakemake.log[0]):
    models, summary = (tables.read(path) for path in snakemake.input)
    saving.save_each(
        snakemake.output,
        lambda _: truth.spurious(models, summary, snakemake.params.region),
        snakemake.params.dpi,
        snakemake.params.font,
        snakemake.params.caption,
    )
