"""Compare one model's maps of transformed test images with its transformed maps."""

import time

import pandas as pd

from campare import equivariance, models, store, tables
from campare.preprocess import at_input_size
from campare.sizes import pair
from job import log_usage, logged
from network_job import NetworkJob, sampled

with logged(snakemake.log[0]):
    params = snakemake.params
    job = NetworkJob(snakemake)
    dataset, device = job.dataset, job.device
    rows, index = sampled(snakemake)
    network, about = job.network()
    shape = (dataset.images.shape[3], *pair(params.input_size))
    name, layer = models.target_layer(network, params.target_layer, shape)
    start = time.monotonic()
    table = pd.concat(
        equivariance.measure(
            network,
            layer,
            models.head(network, layer, shape),
            at_input_size(dataset.images[index], params.input_size),
            index,
            store.read(snakemake.input.store, rows).target,
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
