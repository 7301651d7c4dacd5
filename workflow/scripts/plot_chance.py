"""Draw every metric of the baseline's maps with maps that know nothing, over the test images."""

from campare import analysis, plots, tables
from job import logged

with logged(snakemake.log[0]):
    found = tables.read(snakemake.input.chance)
    levels = found[found["augmentation"] == plots.BASELINE].drop(columns="augmentation")
    levels = levels.rename(columns={"level": "augmentation"})
    baselines = snakemake.input.baselines
    floor = analysis.floor(tables.read(baselines), [], []) if baselines else None
    names = list(dict.fromkeys(levels["augmentation"]))
    plots.save_each(
        snakemake.output,
        lambda metric: plots.boxplot(levels, metric, names, floor),
        snakemake.params.dpi,
    )
