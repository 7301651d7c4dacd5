"""Draw accuracy and map similarity against the size of the occluded patch."""

from campare import performance, tables
from campare.plots import saving, stages
from job import logged

with logged(snakemake.log[0]):
    table = tables.read(snakemake.input.occlusion, text=["class"])
    saving.save_each(
        snakemake.output,
        lambda measure: stages.occlusion(table, measure, performance.ALL),
        snakemake.params.dpi,
        snakemake.params.font,
        snakemake.params.caption,
    )
