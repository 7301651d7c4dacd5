"""Draw what each kind of mask leaves of the first test image of every class."""

import numpy as np

from campare import data, hybrids, maps, masks, plots, store
from job import logged

with logged(snakemake.log[0]):
    wanted = snakemake.params
    dataset = data.read(snakemake.input.data)
    kept = store.read(snakemake.input.test)
    images = dataset.images[kept.index]
    mask = masks.kept(maps.show(kept.maps, images.shape[1:3]), **wanted.keep)
    rows = hybrids.first_of_each(kept.label)
    seen = {
        hybrids.NAMES[kind]: masks.masked(
            images,
            mask,
            kind,
            predicted=kept.predicted,
            training=np.zeros(len(images), bool),
            seed=wanted.seed,
        )[rows]
        for kind in wanted.machines
    }
    names = [dataset.classes[label] for label in kept.label[rows]]
    plots.save_each(snakemake.output, lambda _: plots.tiles(seen, names), wanted.dpi)
    print(f"masks keep {mask.mean():.1%} of the pixels; {(~mask.any(axis=(1, 2))).sum()} keep none")
