"""Draw the shift of maps, features and predictions by every augmentation, side by side."""

from campare import tables
from campare.plots import representations, saving
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    summary = tables.read(snakemake.input.summary)
    shifts = tables.read(snakemake.input.shift)
    saving.save_each(
        snakemake.output,
        lambda _: representations.shift(summary, shifts, params.study),
        params.dpi,
        params.font,
        params.caption,
    )
