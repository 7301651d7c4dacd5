"""Measure how far the maps of models are from maps that know nothing, on every test image."""

import pandas as pd

from campare import chance, data, registry, similarity, store, tables
from job import logged, placed

with logged(snakemake.log[0]):
    params = snakemake.params
    side = params.input_size
    device = placed(params.device)
    images = data.read(snakemake.input.data).images
    untrained = store.read(snakemake.input.untrained)
    parts = []
    for (augmentation, _), path in zip(params.models, snakemake.input.stores, strict=True):
        model = store.read(path)
        ignorant = {
            chance.SHUFFLED: chance.shuffled(model, params.seed),
            chance.GAUSSIAN: chance.gaussian(model),
            chance.EDGES: chance.edges(model, images[model.index]),
            chance.UNTRAINED: untrained,
        }
        measured = similarity.tables(
            model,
            list(ignorant.values()),
            params.metrics,
            (side, side) if params.resolution == "input" else None,
            params.epsilon,
            snakemake.threads,
            device,
            one_split=params.one_split,
        )
        for level, rows in zip(ignorant, measured, strict=True):
            table = rows[["index", "label", *params.metrics]]
            if level in chance.WITHOUT_SCORES:
                of_scores = [m for m in params.metrics if registry.metric(m).of == "predictions"]
                table = table.drop(columns=of_scores)
            table.insert(0, "level", level)
            table.insert(1, "augmentation", augmentation)
            parts.append(table)
    tables.write(pd.concat(parts, ignore_index=True), snakemake.output.chance)
    print(f"{len(parts)} comparisons of {len(parts[0]):,} images each")
