"""Draw deletion, insertion and ROAD: the curves, and how much better a map is than a random one."""

from campare import plots, tables
from job import logged

with logged(snakemake.log[0]):
    curves, models, summary = (tables.read(path) for path in snakemake.input)
    draw = {
        "curves": lambda: plots.faithfulness_curves(curves),
        "gain": lambda: plots.faithfulness_gain(models, summary),
    }
    plots.save_each(
        snakemake.output, lambda name: draw[name](), snakemake.params.dpi, snakemake.params.font
    )
