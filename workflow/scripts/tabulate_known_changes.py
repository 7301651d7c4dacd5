"""Tabulate which metrics detect which known changes of the networks."""

from collections import defaultdict

import pandas as pd

from campare import detection, registry, store, tables
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    arms = [detection.Arm(*arm) for arm in params.arms]
    models = [tuple(model) for model in params.models]
    correct = defaultdict(list)
    for (name, _), path in zip(models, snakemake.input.stores, strict=True):
        cams = store.read(path)
        correct[name].append((cams.predicted == cams.label).mean())
    accuracy = {name: float(sum(shares) / len(shares)) for name, shares in correct.items()}
    compared = {"pairs": params.metrics}
    if snakemake.input.get("representation_pairs"):
        compared["representation_pairs"] = [*registry.REPRESENTATIONS]
    parts = []
    for files, metrics in compared.items():
        read = map(tables.read, snakemake.input[files])
        pairs = dict(zip(["baseline", *(arm.name for arm in arms)], read, strict=True))
        parts.append(detection.tables(pairs, arms, models, accuracy, metrics, params.seed))
    changes, summary = (pd.concat(each, ignore_index=True) for each in zip(*parts, strict=True))
    tables.write(changes, snakemake.output.changes)
    tables.write(summary, snakemake.output.summary)
    every = summary[summary["change"] == detection.ALL]
    print("changes detected, and AUPRC, by metric")
    print(every[["metric", "detected", "arms", "auprc", "auprc_low", "auprc_high"]].to_string())
