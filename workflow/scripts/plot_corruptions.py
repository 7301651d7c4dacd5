"""Draw the accuracy on corrupted images, by augmentation."""

from campare import tables
from campare.plots import robustness, saving
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    accuracy, change = (tables.read(path) for path in snakemake.input)
    drawn = {"accuracy": robustness.accuracy, "change": robustness.change}
    saving.save_each(
        snakemake.output,
        lambda name: drawn[name](accuracy, change, params.reference),
        params.dpi,
        params.font,
        params.caption,
    )
