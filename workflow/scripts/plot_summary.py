"""Draw accuracy change and map shift of every augmentation."""

from campare import performance, tables
from campare.plots import saving, summary
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    table = tables.read(snakemake.input.summary)
    unequal = performance.unequal(tables.read(snakemake.input.subsets)["test"][:-1])
    saving.save_each(
        snakemake.output,
        lambda _: summary.summary(table, params.study, balanced=unequal),
        params.dpi,
        params.font,
        params.caption,
    )
