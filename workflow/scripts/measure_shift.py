"""Measure the map shift of some arms; tabulate_shift corrects the tests over all arms."""

import pandas as pd

from campare import controls, tables
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    models = [tuple(model) for model in params.models]
    paths = dict(zip(params.read, snakemake.input.pairs, strict=True))
    columns = [*controls.PAIR, *params.metrics]
    pairs = tables.Tables(paths, columns, controls.REFERENCES)
    kinds, shifts = [], []
    for name in params.arms:
        kinds.append(controls.kinds({name: pairs[name]}, params.metrics))
        shifts.append(
            controls.uncorrected_shifts(
                pairs,
                models,
                params.metrics,
                params.incomparable,
                params.seed,
                arms=[name],
                among=params.augmentations,
            )
        )
        print(name)
    tables.write(pd.concat(kinds, ignore_index=True), snakemake.output.kinds)
    tables.write(pd.concat(shifts, ignore_index=True), snakemake.output.shift)
