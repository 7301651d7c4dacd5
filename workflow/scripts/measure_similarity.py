"""Measure how far an augmentation's maps are from the baselines', on every test image."""

import time
from itertools import groupby

from campare import similarity, store, tables
from job import logged, used

with logged(snakemake.log[0]):
    wanted = snakemake.params
    side = wanted.input_size
    start = time.monotonic()
    compared = 0
    files = snakemake.input.baselines, snakemake.input.stores, snakemake.output.similarities
    # The maps of a baseline are prepared once for all that follow each other.
    for baseline, group in groupby(zip(*files, strict=True), key=lambda each: each[0]):
        _, stores, paths = zip(*group, strict=True)
        measured = similarity.tables(
            store.read(baseline),
            [store.read(path) for path in stores],
            wanted.metrics,
            (side, side) if wanted.resolution == "input" else None,
            wanted.epsilon,
            snakemake.threads,
            one_split=wanted.one_split,
        )
        for table, path in zip(measured, paths, strict=True):
            tables.write(table, path)
            undefined = table[[*wanted.metrics]].isna().any(axis=1).sum()
            print(f"{path}: {len(table):,} pairs, {undefined:,} with an undefined metric")
            compared += len(table)
    used(compared, time.monotonic() - start)
