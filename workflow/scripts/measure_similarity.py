"""Measure how far an augmentation's maps are from the baseline's, on every test image."""

import time

from campare import similarity, store, tables
from job import logged, used

with logged(snakemake.log[0]):
    wanted = snakemake.params
    side = wanted.input_size
    start = time.monotonic()
    measured = similarity.tables(
        store.read(snakemake.input.baseline[0]),
        [store.read(path) for path in snakemake.input.stores],
        wanted.metrics,
        (side, side) if wanted.resolution == "input" else None,
        wanted.epsilon,
        snakemake.threads,
    )
    for table, path in zip(measured, snakemake.output.similarities, strict=True):
        tables.write(table, path)
        undefined = table[[*wanted.metrics]].isna().any(axis=1).sum()
        print(f"{path}: {len(table):,} pairs, {undefined:,} with an undefined metric")
    used(sum(len(table) for table in measured), time.monotonic() - start)
