"""Draw how well maps follow transformations of the images, by augmentation."""

from campare import tables
from campare.plots import robustness, saving
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    models, change = (tables.read(path) for path in snakemake.input)
    saving.save_each(
        snakemake.output,
        lambda metric: robustness.equivariance(models, change, metric, params.reference),
        params.dpi,
        params.font,
        params.caption,
    )
