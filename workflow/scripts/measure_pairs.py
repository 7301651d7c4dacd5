"""Measure how far the maps of pairs of models are apart, neither of which comes first."""

import time

import pandas as pd

from campare import similarity, store, tables
from job import logged, placed, used

with logged(snakemake.log[0]):
    wanted = snakemake.params
    side = wanted.input_size
    device = placed(wanted.device)
    start = time.monotonic()
    models = list(dict.fromkeys(tuple(model) for pair in wanted.pairs for model in pair))
    places = [(models.index(tuple(a)), models.index(tuple(b))) for a, b in wanted.pairs]
    measured = similarity.between(
        [store.read(path) for path in snakemake.input.stores],
        places,
        wanted.metrics,
        (side, side) if wanted.resolution == "input" else None,
        wanted.epsilon,
        snakemake.threads,
        device,
        one_split=wanted.one_split,
    )
    parts = []
    for (a, b), found in zip(places, measured, strict=True):
        ends = dict(zip(("a", "seed_a", "b", "seed_b"), models[a] + models[b], strict=True))
        parts.append(pd.DataFrame({**ends, **found}))
    table = pd.concat(parts, ignore_index=True)
    tables.write(table, snakemake.output.pairs)
    undefined = table[[*wanted.metrics]].isna().any(axis=1).sum()
    print(f"{len(places)} pairs of models, {len(table):,} of maps, {undefined:,} undefined")
    used(len(table), time.monotonic() - start)
