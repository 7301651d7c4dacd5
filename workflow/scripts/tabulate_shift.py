"""Tabulate the map shift of every augmentation and control, and between augmentations."""

import pandas as pd

from campare import controls, tables
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    models = [tuple(model) for model in params.models]
    if parts := snakemake.input.get("shifts"):
        found = pd.concat(map(tables.read, parts), ignore_index=True)
        shifts = controls.corrected_shifts(found, params.metrics, params.augmentations)
        kinds = pd.concat(map(tables.read, snakemake.input.kinds), ignore_index=True)
        place = {metric: number for number, metric in enumerate(params.metrics)}
        kinds = kinds.sort_values("metric", key=lambda names: names.map(place), kind="stable")
    else:
        paths = dict(zip(params.augmentations, snakemake.input.pairs, strict=True))
        columns = [*controls.PAIR, *params.metrics]
        pairs = tables.Tables(paths, columns, controls.REFERENCES)
        kinds = controls.kinds(pairs, params.metrics)
        shifts = controls.shifts(pairs, models, params.metrics, params.incomparable, params.seed)
    tables.write(kinds, snakemake.output.kinds)
    if not params.predicts:
        # Maps without logits: models that predict the same class are not known.
        shifts = shifts[shifts["predictions"] == controls.ANY].assign(agreement=float("nan"))
    tables.write(shifts, snakemake.output.shift)
    print("map shift, as a share of the noise floor")
    print(
        shifts.pivot_table(
            "relative_shift", ["reference", "metric"], "augmentation", sort=False
        ).to_string()
    )
    if path := snakemake.output.get("between"):
        own = {name: table for name, table in pairs.items() if name in params.compared}
        tables.write(controls.between(own, models, params.metrics, params.seed), path)
