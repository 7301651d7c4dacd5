"""Draw the in-domain single deletion score of every augmentation's maps."""

from campare import tables
from campare.plots import saving, truth
from job import logged

with logged(snakemake.log[0]):
    models, summary = (tables.read(path) for path in snakemake.input)
    saving.save_each(
        snakemake.output,
        lambda _: truth.single_deletion(models, summary),
        snakemake.params.dpi,
        snakemake.params.font,
        snakemake.params.caption,
    )
