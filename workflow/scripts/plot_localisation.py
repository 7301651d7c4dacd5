"""Draw the localisation scores of every augmentation's maps."""

from campare import tables
from campare.plots import saving, truth
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    models, summary = (tables.read(path) for path in snakemake.input)
    saving.save_each(
        snakemake.output,
        lambda score: truth.localisation(models, summary, score, params.labels[score]),
        params.dpi,
        params.font,
        params.caption,
    )
