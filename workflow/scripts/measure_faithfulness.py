"""Measure the faithfulness of one model's maps by deletion, insertion and ROAD."""

import time

import pandas as pd

from campare import data, devices, faithfulness, models, seeding, store, tables
from job import log_usage, logged

with logged(snakemake.log[0]):
    params = snakemake.params
    seeding.deterministic(params.threads)
    device = devices.choose(params.device)

    dataset = data.read(snakemake.input.data)
    network, about = models.load(
        snakemake.input.weights,
        params.architecture,
        classes=len(dataset.classes),
        channels=dataset.images.shape[3],
    )
    test_images = len(store.read_index(snakemake.input.store))
    rows = faithfulness.sampled_rows(test_images, params.images, params.seed)
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
