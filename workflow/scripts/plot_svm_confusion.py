"""Draw the confusion matrix of every SVM."""

from campare import labels, tables
from campare.plots import saving, training
from job import logged

with logged(snakemake.log[0]):
    table = tables.read(snakemake.input.confusion, text=["label", "prediction"])
    named = table.rename(columns={"model": "augmentation"}).replace(
        {"augmentation": labels.CLASSIFIERS}
    )
    saving.save_each(
        snakemake.output,
        lambda name: training.confusion(named, labels.CLASSIFIERS[name]),
        snakemake.params.dpi,
        snakemake.params.font,
        snakemake.params.caption,
    )
