"""Draw a confusion matrix per augmentation."""

from campare import plots, tables
from job import logged

with logged(snakemake.log[0]):
    table = tables.read(snakemake.input.confusion, text=["augmentation", "label", "prediction"])
    plots.save_each(
        snakemake.output,
        lambda augmentation: plots.confusion(table, augmentation),
        snakemake.params.dpi,
        snakemake.params.font,
    )
