"""Draw the test accuracy of several classifiers."""

from campare import hybrids, plots, tables
from job import logged

with logged(snakemake.log[0]):
    table = tables.read(snakemake.input.scores)
    plots.save_each(
        snakemake.output,
        lambda _: plots.scores(table, hybrids.NAMES),
        snakemake.params.dpi,
        snakemake.params.font,
    )
