"""Measure the similarity of models' maps to uninformative reference maps, on every test image."""

import pandas as pd

from campare import data, registry, similarity, store, tables, uninformative
from job import comparison, logged

with logged(snakemake.log[0]):
    params = snakemake.params
    settings = comparison(params, snakemake.threads)
    images = data.read(snakemake.input.data).images
    untrained = store.read(snakemake.input.untrained)
    parts = []
    for (augmentation, _), path in zip(params.models, snakemake.input.stores, strict=True):
        model = store.read(path)
        references = {
            uninformative.SHUFFLED: uninformative.shuffled(model, params.seed),
            uninformative.GAUSSIAN: uninformative.gaussian(model),
            uninformative.EDGES: uninformative.edges(model, images[model.index]),
            uninformative.UNTRAINED: untrained,
        }
        measured = similarity.tables(
            model,
            list(references.values()),
            **settings,
        )
        for level, rows in zip(references, measured, strict=True):
            table = rows[["index", "label", *params.metrics]]
            if level in uninformative.WITHOUT_SCORES:
                of_predictions = [
                    name for name in params.metrics if registry.metric(name).of == "predictions"
                ]
                table = table.drop(columns=of_predictions)
            table.insert(0, "level", level)
            table.insert(1, "augmentation", augmentation)
            parts.append(table)
    tables.write(pd.concat(parts, ignore_index=True), snakemake.output.uninformative)
    print(f"{len(parts)} comparisons of {len(parts[0]):,} images each")
