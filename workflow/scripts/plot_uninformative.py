"""Draw the similarity of the baseline's maps to uninformative reference maps."""

import pandas as pd
from matplotlib.figure import Figure

from campare import analysis, registry, tables
from campare.design import BASELINE
from campare.plots import metrics, saving
from job import logged

with logged(snakemake.log[0]):
    rows = tables.read(snakemake.input.uninformative)
    levels = rows[rows["augmentation"] == BASELINE].drop(columns="augmentation")
    levels = levels.rename(columns={"level": "augmentation"})
    if path := snakemake.input.baselines:
        pairs = tables.read(path).assign(augmentation=BASELINE)
        levels = pd.concat([levels, analysis.image_means(pairs)])

    def draw(metric: str) -> Figure:
        # A central Gaussian and edges have no predictions.
        of_maps = registry.metric(metric).of == "maps"
        defined = levels if of_maps else levels.dropna(subset=[metric])
        names = list(dict.fromkeys(defined["augmentation"]))
        about = "Baseline's map of each test image against uninformative reference maps"
        return metrics.boxplot(defined, metric, names, [BASELINE], fill="#BBBBBB", about=about)

    saving.save_each(
        snakemake.output,
        draw,
        snakemake.params.dpi,
        snakemake.params.font,
        snakemake.params.caption,
    )
