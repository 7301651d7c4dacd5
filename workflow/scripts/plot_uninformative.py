"""Draw every metric of the baseline's maps with maps that know nothing, over the test images."""

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
        # Gaussians and edges predict nothing.
        of_maps = registry.metric(metric).of == "maps"
        shown = levels if of_maps else levels.dropna(subset=[metric])
        names = list(dict.fromkeys(shown["augmentation"]))
        return metrics.boxplot(shown, metric, names, [BASELINE], fill="#BBBBBB")

    saving.save_each(snakemake.output, draw, snakemake.params.dpi, snakemake.params.font)
