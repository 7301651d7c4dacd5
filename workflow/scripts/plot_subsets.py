"""Draw the number of images of each class in each subset."""

from campare import tables
from campare.plots import classes, saving
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    table = tables.read(snakemake.input.subsets, text=["class"])
    saving.save_each(
        snakemake.output,
        lambda _: classes.subsets(table),
        params.dpi,
        params.font,
        params.caption,
    )
