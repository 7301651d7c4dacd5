"""Draw the reliance of every augmentation's models on spurious cues."""

from campare import tables
from campare.plots import saving, truth
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    models, summary, reliance = (tables.read(path) for path in snakemake.input)
    saving.save_each(
        snakemake.output,
        lambda name: (
            truth.reliance(reliance)
            if name == "reliance"
            else truth.spurious(models, summary, name if name in params.cues else params.cues[0])
        ),
        params.dpi,
        params.font,
        params.caption,
    )
