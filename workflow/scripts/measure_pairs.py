"""Measure the similarity of the maps of pairs of models, symmetrically, on every test image."""

import time

import pandas as pd

from campare import similarity, store, tables
from job import comparison, log_usage, logged

with logged(snakemake.log[0]):
    params = snakemake.params
    settings = comparison(params, snakemake.threads)
    start = time.monotonic()
    models = list(dict.fromkeys(tuple(model) for pair in params.pairs for model in pair))
    places = [(models.index(tuple(a)), models.index(tuple(b))) for a, b in params.pairs]
    measured = similarity.between(
        [store.read(path) for path in snakemake.input.stores],
        places,
        **settings,
    )
    parts = []
    for (a, b), rows in zip(places, measured, strict=True):
        ends = dict(zip(("a", "seed_a", "b", "seed_b"), models[a] + models[b], strict=True))
        parts.append(pd.DataFrame({**ends, **rows}))
    table = pd.concat(parts, ignore_index=True)
    tables.write(table, snakemake.output.pairs)
    undefined = table[[*params.metrics]].isna().any(axis=1).sum()
    print(
        f"{len(places)} pairs of models, {len(table):,} pairs of maps, "
        f"{undefined:,} with an undefined metric"
    )
    log_usage(len(table), time.monotonic() - start)
