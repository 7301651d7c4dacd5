"""Tabulate which augmentations change the look alike, and how sure that is."""

import numpy as np

from campare import controls, profiles, tables
from job import logged

with logged(snakemake.log[0]):
    wanted = snakemake.params
    models = [tuple(model) for model in wanted.models]
    names = list(dict.fromkeys(name for name, _ in models))
    similarities = [tables.read(path) for path in snakemake.input.similarities]
    values = controls.measured(models, similarities, wanted.metrics)
    maps = profiles.correlations(values)
    maps = np.concatenate([maps, profiles.combined(maps)[None]])
    trees = profiles.profiles(values, wanted.seed, paired=wanted.paired)
    labels = [*wanted.metrics, wanted.all]
    clusters = controls.clusters(dict(zip(labels, trees, strict=True)), names)
    tables.write(clusters, snakemake.output.clusters)
    tables.write(controls.correlations(maps, labels, names), snakemake.output.correlation)
    found = profiles.by_chance(values, wanted.top_pairs, wanted.seed)
    counts = controls.counted(dict(zip(("strongest", "weakest"), found, strict=True)), names)
    tables.write(counts, snakemake.output.counts)
    print(clusters[clusters["metric"] == wanted.all].to_string(index=False))
