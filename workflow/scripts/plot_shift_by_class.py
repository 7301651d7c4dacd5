"""Draw the map shift of every augmentation by class of the test images."""

from campare import tables
from campare.plots import classes, saving
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    table = tables.read(snakemake.input.table, text=["augmentation", "class"])
    saving.save_each(
        snakemake.output,
        lambda metric: classes.shift_by_class(table, metric),
        params.dpi,
        params.font,
        params.caption,
    )
