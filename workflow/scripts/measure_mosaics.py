"""Measure the localisation of one model's maps of mosaics of test images."""

import time

import numpy as np
import pandas as pd

from campare import (
    cams,
    localisation,
    models,
    mosaics,
    split,
    store,
    tables,
)
from campare.sizes import pair
from job import log_usage, logged
from network_job import NetworkJob

with logged(snakemake.log[0]):
    params = snakemake.params
    job = NetworkJob(snakemake)
    dataset, device = job.dataset, job.device
    frame = split.read(snakemake.input.split, len(dataset.images))
    index = frame["index"][frame["subset"] == "test"].to_numpy()
    network, about = job.network()
    size = [params.cells * side for side in pair(params.input_size)]
    shape = (dataset.images.shape[3], *size)
    name, layer = models.target_layer(network, params.target_layer, shape, key="mosaics")
    head = models.head(network, layer, shape)
    start, parts = time.monotonic(), []
    for kind in mosaics.KINDS:
        drawn = mosaics.draw(dataset.labels[index], kind, params.cells, params.mosaics, params.seed)
        images = mosaics.assembled(dataset.images, index[drawn.members], params.cells)
        batches = list(
            cams.compute(
                network,
                layer,
                head,
                images,
                mean=about["mean"],
                std=about["std"],
                input_size=size,
                method=params.method,
                targets=drawn.classes,
                batch_size=max(1, params.batch_size // params.cells**2),
                fold_batch_norm=params.fold_batch_norm,
                device=device,
            )
        )
        logits = np.concatenate([batch.logits for batch in batches])
        maps = store.Store(
            maps=np.concatenate([batch.maps for batch in batches]),
            prediction=logits,
            logit=logits,
            label=drawn.classes,
            index=np.arange(len(images)),
            target=drawn.classes,
            attributes={},
        )
        masks = mosaics.regions(drawn.inside, kind, params.cells, dataset.images.shape[1:3])
        parts.append(localisation.measure(maps, masks))
    table = pd.concat(parts, ignore_index=True)
    tables.write(table, snakemake.output.mosaics)
    print(f"{params.method} at {name}, mosaics of {params.cells}×{params.cells} images")
    print(table.groupby("region", sort=False)[[*localisation.SCORES]].mean().to_string())
    log_usage(len(table), time.monotonic() - start)
