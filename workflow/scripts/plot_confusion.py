"""Draw a confusion matrix per augmentation."""

from campare import tables
from campare.plots import saving, training
from job import logged

with logged(snakemake.log[0]):
    table = tables.read(snakemake.input.confusion, text=["augmentation", "label", "prediction"])
    saving.save_each(
        snakemake.output,
        lambda augmentation: training.confusion(table, augmentation),
        snakemake.params.dpi,
        snakemake.params.font,
        snakemake.params.caption,
    )
