"""Draw the maps of all models for the test images with the most extreme metrics."""

import numpy as np
from matplotlib.figure import Figure

from campare import data, display, maps, registry, store, tables
from campare.plots import fitting, saving, views
from campare.sizes import pair
from job import logged

STATISTICS = {"mean": "highest mean", "std": "highest standard deviation"}

with logged(snakemake.log[0]):
    params = snakemake.params
    size = pair(params.input_size)
    dataset = display.of(data.read(snakemake.input.data), params.get("shown"))
    extremes = tables.read(snakemake.input.extremes).set_index("metric")
    extremes = extremes[extremes["statistic"] == params.statistic]
    indices = np.unique(extremes["index"])
    with fitting.ranked(tables.optional(snakemake.input.get("ranking"))):
        models, note = fitting.models_shown(params.models)
    # Maps at their stored resolution: the resized maps of many models would not fit into memory.
    stores = [
        store.read(path, np.searchsorted(store.read_index(path), indices))
        for path, model in zip(snakemake.input.stores, params.models, strict=True)
        if tuple(model) in models
    ]

    def draw(name: str) -> Figure:
        metric = name.removesuffix(f"_{params.statistic}")
        index, value = extremes.loc[metric, ["index", "value"]]
        reason = f"{STATISTICS[params.statistic]} over augmentations, {value:.3g}"
        row = np.searchsorted(indices, [int(index)])
        model_views = [
            views.of_store(
                cams, row, maps.show(cams.maps[row], size), dataset.images, dataset.classes
            )
            for cams in stores
        ]
        return views.extreme(
            [view for (view,) in model_views],
            f"Test image {int(index)}. {registry.metric(metric).label}: "
            + (reason if np.isfinite(value) else "undefined for every image")
            + (f". {note}" if note else ""),
        )

    saving.save_each(snakemake.output, draw, params.dpi, params.font, params.caption)
