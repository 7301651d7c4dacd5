"""Draw where the maps of each augmentation lie."""

from campare import plots, tables
from job import logged

with logged(snakemake.log[0]):
    wanted = snakemake.params
    models, summary = (tables.read(path) for path in snakemake.input)
    plots.save_each(
        snakemake.output,
        lambda score: plots.localisation(models, summary, score, wanted.labels[score]),
        wanted.dpi,
        wanted.font,
    )
