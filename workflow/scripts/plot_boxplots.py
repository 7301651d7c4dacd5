"""Draw the distribution of every metric over the test images."""

from matplotlib.figure import Figure

from campare import registry, tables
from campare.design import BASELINE
from campare.plots import fitting, metrics, saving
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    table = tables.read(snakemake.input.aggregate)
    floor = [name for name in (BASELINE, *registry.MATCHED) if params.across_seeds]

    def draw(metric: str) -> Figure:
        about = "One value per test image: mean over seeds"
        if params.across_seeds and registry.metric(metric).same is not None:
            about = "One value per test image: mean over pairs of model and baseline of other seeds"
            if not registry.metric(metric).symmetric:
                about += ", both directions"
        return metrics.boxplot(table, metric, params.augmentations, floor, about=about)

    with fitting.ranked(tables.optional(snakemake.input.get("ranking"))):
        saving.save_each(snakemake.output, draw, params.dpi, params.font, params.caption)
