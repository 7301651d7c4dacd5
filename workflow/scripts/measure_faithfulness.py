"""Measure the faithfulness of one model's maps by deletion, insertion and ROAD."""

import time

import pandas as pd

from campare import faithfulness, store, tables
from job import log_usage, logged
from network_job import NetworkJob, sampled

with logged(snakemake.log[0]):
    params = snakemake.params
    job = NetworkJob(snakemake)
    dataset, device = job.dataset, job.device
    network, about = job.network()
    rows, _ = sampled(snakemake)
    cams = store.read(snakemake.input.store, rows)
    start = time.monotonic()
    curves = faithfulness.measure(
        network,
        dataset.images[cams.index],
        cams,
        mean=about["mean"],
        std=about["std"],
        input_size=params.input_size,
        steps=params.steps,
        road=params.road,
        blur=params.blur,
        seed=params.seed,
        batch_size=params.batch_size,
        device=device,
    )
    tables.write(pd.concat(curves, ignore_index=True), snakemake.output.faithfulness)
    log_usage(len(rows), time.monotonic() - start)
