"""Draw the maps of one model of each training set, over the test images and alone."""

import numpy as np
import pandas as pd

from campare import data, naming, plots, store
from job import logged

SHOWN = 10

with logged(snakemake.log[0]):
    wanted = snakemake.params
    size = (wanted.input_size, wanted.input_size)
    dataset = data.read(snakemake.input.data)
    paths, note = plots.first(snakemake.input.stores, plots.MOST_SETS, "training sets")

    # The first test image of each class, then the second of each, …
    baseline = store.read(paths[0])
    labels = baseline.label
    turn = pd.Series(labels).groupby(labels).cumcount()
    rows = np.lexsort((naming.ranks(dataset.classes)[labels], turn))[:SHOWN]

    stores = [store.read(path, rows) for path in paths]
    looks = [plots.looks(kept, np.arange(len(rows)), size, dataset.classes) for kept in stores]
    plots.save_each(
        snakemake.output,
        lambda name: plots.overlays(
            dataset.images[baseline.index[rows]],
            list(zip(*looks, strict=True)),
            [dataset.classes[label] for label in labels[rows]],
            alone=name == "alone",
            note=note,
        ),
        wanted.dpi,
        wanted.font,
    )
