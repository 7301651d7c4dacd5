"""Draw the change of the energy of the maps on a region by class of the test images."""

from campare import tables
from campare.plots import classes, saving
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    table = tables.read(snakemake.input.table, text=["augmentation", "region", "class"])
    saving.save_each(
        snakemake.output,
        lambda _: classes.localisation_by_class(table),
        params.dpi,
        params.font,
        params.caption,
    )
