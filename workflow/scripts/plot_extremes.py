"""Draw the maps of all models, for the images with the most extreme metrics."""

import numpy as np
from matplotlib.figure import Figure

from campare import data, plots, registry, store, tables
from job import logged

WORDS = {"mean": "highest mean", "std": "highest standard deviation"}

with logged(snakemake.log[0]):
    wanted = snakemake.params
    size = (wanted.input_size, wanted.input_size)
    dataset = data.read(snakemake.input.data)
    extremes = tables.read(snakemake.input.extremes).set_index("metric")
    extremes = extremes[extremes["statistic"] == wanted.statistic]
    indices = np.unique(extremes["index"])
    looks: dict[int, list[plots.Look]] = {index: [] for index in indices}
    for path in snakemake.input.stores:
        kept = store.read(path)
        rows = np.searchsorted(kept.index, indices)
        seen = plots.looks(kept, rows, size, dataset.classes)
        for index, look in zip(indices, seen, strict=True):
            looks[index].append(look)

    def draw(name: str) -> Figure:
        metric = name.removesuffix(f"_{wanted.statistic}")
        index, value = extremes.loc[metric, ["index", "value"]]
        why = f"{WORDS[wanted.statistic]} over augmentations, {value:.3g}"
        return plots.extreme(
            dataset.images[int(index)],
            looks[int(index)],
            true=dataset.classes[dataset.labels[int(index)]],
            heading=f"Image {int(index)}. {registry.metric(metric).label}: "
            + (why if np.isfinite(value) else "undefined for every image"),
        )

    plots.save_each(snakemake.output, draw, wanted.dpi)
