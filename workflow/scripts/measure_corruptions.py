"""Predict the classes of corrupted test images with one model."""

import time

import pandas as pd

from campare import corruptions, robustness, tables
from job import log_usage, logged
from network_job import NetworkJob

with logged(snakemake.log[0]):
    params = snakemake.params
    job = NetworkJob(snakemake)
    dataset, device = job.dataset, job.device
    network, about = job.network()
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
