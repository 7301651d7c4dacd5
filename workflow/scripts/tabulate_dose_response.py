"""Tabulate whether accuracy, maps and localisation follow the strength of each augmentation."""

import pandas as pd

from campare import controls, localisation, tables, trend
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    columns = ["a", "seed_a", "b", "seed_b", params.metric]
    models = [tuple(model) for model in params.models]
    localised = None
    if snakemake.input.localisation:
        measured = [tables.read(path) for path in snakemake.input.localisation]
        region = localisation.main_region(measured[0])
        values = localisation.values_of(models, measured, region, params.score)
        changes = controls.changes(values, params.matched, params.seed)
        found = pd.DataFrame(changes, columns=[*controls.CHANGED])
        found.insert(0, "region", region)
        found.insert(1, "score", params.score)
        tables.write(found, snakemake.output.localisation)
        localised = pd.DataFrame(
            [
                {"augmentation": name, "seed": seed, "mean": value.mean()}
                for (name, seed), value in values.items()
            ]
        )
    trends = trend.table(
        params.sweeps,
        tables.read(snakemake.input.performance),
        tables.read(snakemake.input.summary),
        tables.Tables(dict(zip(params.arms, snakemake.input.pairs, strict=True)), columns),
        params.metric,
        params.seed,
        localised,
    )
    tables.write(trends, snakemake.output.trends)
    print(trends.to_string(index=False, float_format="{:.3f}".format))
