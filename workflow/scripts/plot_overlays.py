"""Draw the maps of one model of each training set, over the test images and alone."""

import numpy as np
import pandas as pd

from campare import data, plots, store
from job import logged

SHOWN = 10

with logged(snakemake.log[0]):
    wanted = snakemake.params
    size = (wanted.input_size, wanted.input_size)
    dataset = data.read(snakemake.input.data)
    stores = [store.read(path) for path in snakemake.input.stores]

    # The first test image of each class, then the second of each, …
    labels = stores[0].label
    turn = pd.Series(labels).groupby(labels).cumcount()
    rows = np.lexsort((labels, turn))[:SHOWN]

    looks = [plots.looks(kept, rows, size, dataset.classes) for kept in stores]
    plots.save_each(
        snakemake.output,
        lambda name: plots.overlays(
            dataset.images[stores[0].index[rows]],
            list(zip(*looks, strict=True)),
            [dataset.classes[label] for label in labels[rows]],
            alone=name == "alone",
        ),
        wanted.dpi,
    )
