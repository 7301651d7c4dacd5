"""Draw the maps of one model per training set, with and without the test images."""

import numpy as np
import pandas as pd

from campare import data, display, maps, naming, store, tables
from campare.plots import fitting, saving, views
from campare.sizes import pair
from job import logged

IMAGES = 10  # test images per figure

with logged(snakemake.log[0]):
    params = snakemake.params
    size = pair(params.input_size)
    dataset = display.of(data.read(snakemake.input.data), params.get("shown"))
    path_of = dict(zip((name for name, _ in params.models), snakemake.input.stores, strict=True))
    with fitting.ranked(tables.optional(snakemake.input.get("ranking"))):
        names, note = fitting.chosen(path_of)
    paths = [path_of[name] for name in names]

    # The first test image of each class, then the second of each, …
    baseline = store.read(paths[0])
    labels = baseline.label
    occurrence = pd.Series(labels).groupby(labels).cumcount()
    rows = np.lexsort((naming.ranks(dataset.classes)[labels], occurrence))[:IMAGES]

    stores = [store.read(path, rows) for path in paths]
    of_models = [
        views.of_store(
            cams,
            np.arange(len(rows)),
            maps.show(cams.maps, size),
            dataset.images,
            dataset.classes,
        )
        for cams in stores
    ]
    saving.save_each(
        snakemake.output,
        lambda name: views.overlays(
            list(zip(*of_models, strict=True)), map_only=name == "alone", note=note
        ),
        params.dpi,
        params.font,
        params.caption,
    )
