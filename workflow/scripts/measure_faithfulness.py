"""Measure whether one model's answers hang on what its maps point at."""

import time

import pandas as pd

from campare import data, devices, faithfulness, models, seeding, store, tables
from job import logged, used

with logged(snakemake.log[0]):
    wanted = snakemake.params
    seeding.deterministic(wanted.threads)
    device = devices.choose(wanted.device)

    dataset = data.read(snakemake.input.data)
    network, about = models.load(
        snakemake.input.weights,
        wanted.architecture,
        classes=len(dataset.classes),
        channels=dataset.images.shape[3],
    )
    whole = store.read(snakemake.input.store)
    rows = faithfulness.chosen(len(whole.index), wanted.images, wanted.seed)
    found = store.read(snakemake.input.store, rows)
    start = time.monotonic()
    curves = faithfulness.measure(
        network,
        dataset.images[found.index],
        found,
        mean=about["mean"],
        std=about["std"],
        input_size=wanted.input_size,
        steps=wanted.steps,
        road=wanted.road,
        blur=wanted.blur,
        seed=wanted.seed,
        batch_size=wanted.batch_size,
        device=device,
    )
    tables.write(pd.concat(curves, ignore_index=True), snakemake.output.faithfulness)
    used(len(rows), time.monotonic() - start)
