"""Draw the confusion matrix of every SVM."""

from campare import hybrids, plots, tables
from job import logged

with logged(snakemake.log[0]):
    table = tables.read(snakemake.input.confusion, text=["label", "prediction"])
    named = table.rename(columns={"model": "augmentation"}).replace({"augmentation": hybrids.NAMES})
    plots.save_each(
        snakemake.output,
        lambda name: plots.confusion(named, hybrids.NAMES[name]),
        snakemake.params.dpi,
        snakemake.params.font,
    )
