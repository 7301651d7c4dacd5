"""Draw the answer on one page."""

from campare import plots, tables
from job import logged

with logged(snakemake.log[0]):
    wanted = snakemake.params
    table = tables.read(snakemake.input.summary)
    plots.save_each(
        snakemake.output, lambda _: plots.summary(table, wanted.study), wanted.dpi, wanted.font
    )
