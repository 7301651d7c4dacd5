"""Tabulate clusters of augmentations that change the maps of the same images, with support."""

import numpy as np

from campare import clustering, controls, tables
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    models = [tuple(model) for model in params.models]
    names = list(dict.fromkeys(name for name, _ in models))
    columns = ["index", *params.metrics]
    similarities = (tables.read(path, columns=columns) for path in snakemake.input.similarities)
    values = controls.measured(models, similarities, params.metrics)
    correlations = clustering.correlations(values)
    correlations = np.concatenate([correlations, clustering.combined(correlations)[None]])
    trees = clustering.clusters(values, params.seed, paired=params.paired)
    labels = [*params.metrics, params.all]
    clusters = controls.clusters(dict(zip(labels, trees, strict=True)), names)
    tables.write(clusters, snakemake.output.clusters)
    tables.write(controls.correlations(correlations, labels, names), snakemake.output.correlation)
    by_chance = clustering.by_chance(values, params.top_pairs, params.seed)
    counts = controls.counted(dict(zip(("strongest", "weakest"), by_chance, strict=True)), names)
    tables.write(counts, snakemake.output.counts)
    print(clusters[clusters["metric"] == params.all].to_string(index=False))
