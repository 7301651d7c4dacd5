"""Draw the calibration of every model by augmentation."""

from campare import tables
from campare.plots import representations, saving
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    table = tables.read(snakemake.input.calibration)
    saving.save_each(
        snakemake.output,
        lambda _: representations.calibration(table),
        params.dpi,
        params.font,
        params.caption,
    )
