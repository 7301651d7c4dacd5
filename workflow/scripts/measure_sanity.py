"""Measure the sanity checks of one model's maps: random weights, another class, permuted labels."""

import time
from functools import partial

import pandas as pd

from campare import models, sanity, similarity, store, tables
from campare.sizes import pair
from job import log_usage, logged
from network_job import NetworkJob, sampled

with logged(snakemake.log[0]):
    params = snakemake.params
    job = NetworkJob(snakemake)
    dataset, device = job.dataset, job.device
    rows, _ = sampled(snakemake)
    cams = store.read(snakemake.input.store, rows)
    network, about = job.network()
    # Empty if no network is trained on permuted labels.
    permuted = [job.network(path)[0].state_dict() for path in snakemake.input.permuted]

    build = partial(
        models.build,
        params.architecture,
        parameters=about.get("settings", {}).get("architecture_parameters"),
        **job.kinds,
    )
    explainer = sanity.Explainer(
        images=dataset.images[cams.index],
        index=cams.index,
        mean=about["mean"],
        std=about["std"],
        device=device,
        **{
            name: params[name]
            for name in (
                *("input_size", "method", "target_layer", "batch_size", "fold_batch_norm"),
                *("noise", "samples", "seed"),
            )
        },
    )
    compare = partial(
        similarity.tables,
        metrics=params.metrics,
        size=pair(params.input_size) if params.resolution == "input" else None,
        epsilon=params.epsilon,
        threads=snakemake.threads,
    )
    start = time.monotonic()
    checks = sanity.measure(
        build,
        network.state_dict(),
        sanity.random_weights(build, params.seed, params.model),
        cams,
        explainer,
        compare,
        points=params.points,
        bins=params.bins,
        permuted=permuted[0] if permuted else None,
    )
    table = pd.concat(checks, ignore_index=True)
    tables.write(table, snakemake.output.sanity)
    order = ["check", "randomised", "layer"]
    means = table.groupby(order, sort=False)[["entropy", *params.metrics]].mean()
    print(means.to_string(float_format="%.3f"))
    log_usage(len(table), time.monotonic() - start)
