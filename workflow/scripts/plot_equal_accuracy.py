"""Draw the map shift of every augmentation, as it is and between networks of equal accuracy."""

from campare import tables
from campare.plots import equal_accuracy, fitting, saving
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    found = tables.read(snakemake.input.equal_accuracy)
    performance = tables.read(snakemake.input.performance)
    with fitting.ranked(tables.optional(snakemake.input.get("ranking"))):
        saving.save_each(
            snakemake.output,
            lambda _: equal_accuracy.equal_accuracy(found, performance),
            params.dpi,
            params.font,
            params.caption,
        )
