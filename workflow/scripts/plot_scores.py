"""Draw the test accuracy of several classifiers."""

from campare import labels, tables
from campare.plots import saving, stages
from job import logged

with logged(snakemake.log[0]):
    table = tables.read(snakemake.input.scores)
    saving.save_each(
        snakemake.output,
        lambda _: stages.scores(table, labels.CLASSIFIERS),
        snakemake.params.dpi,
        snakemake.params.font,
        snakemake.params.caption,
    )
