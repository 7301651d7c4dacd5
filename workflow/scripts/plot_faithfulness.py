"""Draw deletion, insertion and ROAD: the curves, and the gain over random maps."""

from campare import tables
from campare.plots import saving, truth
from job import logged

with logged(snakemake.log[0]):
    curves, models, summary = (tables.read(path) for path in snakemake.input)
    draw = {
        "curves": lambda: truth.faithfulness_curves(curves),
        "gain": lambda: truth.faithfulness_gain(models, summary),
    }
    saving.save_each(
        snakemake.output,
        lambda name: draw[name](),
        snakemake.params.dpi,
        snakemake.params.font,
        snakemake.params.caption,
    )
