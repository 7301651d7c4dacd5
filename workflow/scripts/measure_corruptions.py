"""Predict the classes of corrupted test images with one model."""

import time

import pandas as pd

from campare import corruptions, data, devices, models, robustness, seeding, tables
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
    sets, images = corruptions.read(snakemake.input.corrupted)
    start, parts = time.monotonic(), []
    for name, severity, corrupted in zip(sets.names, sets.severities, images, strict=True):
        predicted = robustness.predicted(
            network,
            corrupted,
            mean=about["mean"],
            std=about["std"],
            input_size=params.input_size,
            batch_size=params.batch_size,
            device=device,
        )
        columns = {"corruption": name, "severity": severity, "index": sets.index}
        columns |= {"label": dataset.labels[sets.index], "prediction": predicted}
        parts.append(pd.DataFrame(columns))
    table = pd.concat(parts, ignore_index=True)
    tables.write(table, snakemake.output.predictions)
    correct = (table["prediction"] == table["label"]).groupby(table["corruption"], sort=False)
    print(correct.mean().to_string(float_format="{:.3f}".format))
    log_usage(len(table), time.monotonic() - start)
