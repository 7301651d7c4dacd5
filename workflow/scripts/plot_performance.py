"""Draw test accuracy, precision, recall and F1 score of all models."""

from campare import tables
from campare.plots import fitting, saving, training
from job import logged

with logged(snakemake.log[0]):
    models = tables.read(snakemake.input.performance)
    summary = tables.read(snakemake.input.summary)
    augmentations = list(dict.fromkeys(models["augmentation"]))
    with fitting.ranked(tables.optional(snakemake.input.get("ranking"))):
        saving.save_each(
            snakemake.output,
            lambda score: training.performance(models, summary, score, augmentations),
            snakemake.params.dpi,
            snakemake.params.font,
            snakemake.params.caption,
        )
