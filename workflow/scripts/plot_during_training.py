"""Draw accuracy and map shift of every augmentation against the epoch of training."""

from campare import tables
from campare.plots import during_training, saving
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    shifts = tables.read(snakemake.input.shifts, text=["epoch"])
    saving.save_each(
        snakemake.output,
        lambda _: during_training.during_training(shifts),
        params.dpi,
        params.font,
        params.caption,
    )
