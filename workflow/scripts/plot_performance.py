"""Draw accuracy, precision, recall and F1 of all models."""

from campare import plots, tables
from job import logged

with logged(snakemake.log[0]):
    models = tables.read(snakemake.input.performance)
    summary = tables.read(snakemake.input.summary)
    augmentations = list(dict.fromkeys(models["augmentation"]))
    plots.save_each(
        snakemake.output,
        lambda score: plots.performance(models, summary, score, augmentations),
        snakemake.params.dpi,
        snakemake.params.font,
    )
