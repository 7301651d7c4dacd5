"""Measure the in-domain single deletion score of one model's maps, as trained and fine-tuned."""

import time

import pandas as pd

from campare import data, deletion, split, tables
from job import log_usage, logged
from network_job import NetworkJob, sampled

with logged(snakemake.log[0]):
    params = snakemake.params
    job = NetworkJob(snakemake)
    dataset, device = job.dataset, job.device
    frame = split.read(snakemake.input.split, len(dataset.images))
    training = frame["index"][frame["subset"] == "train"].to_numpy()
    fill = deletion.fill_colour(data.Rows(dataset.images, training))
    _, index = sampled(snakemake)
    start, parts = time.monotonic(), []
    for kind in (deletion.TRAINED, deletion.FINETUNED):
        network, about = job.network(snakemake.input[kind])
        settings = (
            *("input_size", "cells", "method", "target_layer", "batch_size", "fold_batch_norm"),
        )
        scores = deletion.measure(
            network,
            dataset.images[index],
            dataset.labels[index],
            fill,
            mean=about["mean"],
            std=about["std"],
            device=device,
            **{name: params[name] for name in settings},
        )
        parts.append(scores.assign(network=kind, index=index))
    table = pd.concat(parts, ignore_index=True)
    order = ["network", "index", "correlation", "fall", "correct", "correct_deleted"]
    tables.write(table[order], snakemake.output.scores)
    print(table.groupby("network", sort=False)[order[2:]].mean().to_string(float_format="%.3f"))
    log_usage(len(table), time.monotonic() - start)
