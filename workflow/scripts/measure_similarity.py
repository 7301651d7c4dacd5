"""Measure the similarity of an augmentation's maps to the baselines', on every test image."""

import time

import pandas as pd

from campare import similarity, store, tables
from job import comparison, log_usage, logged

with logged(snakemake.log[0]):
    params = snakemake.params
    settings = comparison(params, snakemake.threads)
    start = time.monotonic()
    stores, baselines = snakemake.input.stores, snakemake.input.baselines
    paths = dict(zip(dict.fromkeys(stores), snakemake.output.similarities, strict=True))
    measured = {path: [] for path in paths.values()}
    # The maps of a baseline are prepared once for all models compared with it.
    for baseline in dict.fromkeys(baselines):
        compared = [one for one, other in zip(stores, baselines, strict=True) if other == baseline]
        similarities = similarity.tables(
            store.read(baseline),
            [store.read(path) for path in compared],
            **settings,
        )
        for path, table in zip(compared, similarities, strict=True):
            measured[paths[path]].append(table)
    pairs = 0
    for path, parts in measured.items():
        table = pd.concat(parts, ignore_index=True)
        tables.write(table, path)
        undefined = table[[*params.metrics]].isna().any(axis=1).sum()
        print(f"{path}: {len(table):,} pairs, {undefined:,} with an undefined metric")
        pairs += len(table)
    log_usage(pairs, time.monotonic() - start)
