"""Measure how far the maps of models are from maps that know nothing, on every test image."""

import pandas as pd

from campare import chance, data, registry, similarity, store, tables
from job import logged, placed

with logged(snakemake.log[0]):
    wanted = snakemake.params
    side = wanted.input_size
    device = placed(wanted.device)
    images = data.read(snakemake.input.data).images
    untrained = store.read(snakemake.input.untrained)
    parts = []
    for (augmentation, _), path in zip(wanted.models, snakemake.input.stores, strict=True):
        model = store.read(path)
        ignorant = {
            chance.SHUFFLED: chance.shuffled(model, wanted.seed),
            chance.GAUSSIAN: chance.gaussian(model),
            chance.EDGES: chance.edges(model, images[model.index]),
            chance.UNTRAINED: untrained,
        }
        measured = similarity.tables(
            model,
            list(ignorant.values()),
            wanted.metrics,
            (side, side) if wanted.resolution == "input" else None,
            wanted.epsilon,
            snakemake.threads,
            device,
            one_split=wanted.one_split,
        )
        for level, found in zip(ignorant, measured, strict=True):
            table = found[["index", "label", *wanted.metrics]]
            if level in chance.WITHOUT_SCORES:
                of_scores = [m for m in wanted.metrics if registry.metric(m).of == "predictions"]
                table = table.drop(columns=of_scores)
            table.insert(0, "level", level)
            table.insert(1, "augmentation", augmentation)
            parts.append(table)
    tables.write(pd.concat(parts, ignore_index=True), snakemake.output.chance)
    print(f"{len(parts)} comparisons of {len(parts[0]):,} images each")
