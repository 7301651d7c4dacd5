"""Draw what each augmentation makes of a cue that goes with one class in training."""

from campare import plots, tables
from job import logged

with logged(snakemake.log[0]):
    models, summary = (tables.read(path) for path in snakemake.input)
    plots.save_each(
        snakemake.output,
        lambda _: plots.spurious(models, summary, snakemake.params.region),
        snakemake.params.dpi,
        snakemake.params.font,
    )
