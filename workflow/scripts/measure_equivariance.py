"""Compare one model's maps of transformed test images with its transformed maps."""

import time

import numpy as np
import pandas as pd
import torch

from campare import (
    data,
    devices,
    equivariance,
    faithfulness,
    models,
    seeding,
    store,
    tables,
)
from campare.preprocess import resized
from job import log_usage, logged

with logged(snakemake.log[0]):
    params = snakemake.params
    seeding.deterministic(params.threads)
    device = devices.choose(params.device)
    dataset = data.read(snakemake.input.data)
    cams = store.read(snakemake.input.store)
    rows = faithfulness.sampled_rows(len(cams.index), params.images, params.seed)
    index = cams.index[rows]
    stored = torch.from_numpy(dataset.images[index]).permute(0, 3, 1, 2)
    images = resized(stored, params.input_size).permute(0, 2, 3, 1).numpy()
    network, about = models.load(
        snakemake.input.weights,
        params.architecture,
        classes=len(dataset.classes),
        channels=dataset.images.shape[3],
    )
    shape = (dataset.images.shape[3], params.input_size, params.input_size)
    name, layer = models.target_layer(network, params.target_layer, shape)
    start = time.monotonic()
    table = pd.concat(
        equivariance.measure(
            network,
            layer,
            models.head(network, layer, shape),
            np.ascontiguousarray(images),
            index,
            cams.target[rows],
            params.transforms,
            params.metrics,
            seed=params.seed,
            epsilon=params.epsilon,
            mean=about["mean"],
            std=about["std"],
            input_size=params.input_size,
            method=params.method,
            batch_size=params.batch_size,
            fold_batch_norm=params.fold_batch_norm,
            device=device,
        ),
        ignore_index=True,
    )
    tables.write(table, snakemake.output.equivariance)
    print(f"{params.method} at {name}")
    means = table.groupby(["transform", "map"], sort=False)[[*params.metrics]].mean()
    print(means.to_string(float_format="{:.3f}".format))
    log_usage(len(table), time.monotonic() - start)
