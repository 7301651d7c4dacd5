"""Draw where the maps of each augmentation lie."""

from campare import tables
from campare.plots import saving, truth
from job import logged

with logged(snakemake.log[0]):
    wanted = snakemake.params
    models, summary = (tables.read(path) for path in snakemake.input)
    saving.save_each(
        snakemake.output,
        lambda score: truth.localisation(models, summary, score, wanted.labels[score]),
        wanted.dpi,
        wanted.font,
    )
