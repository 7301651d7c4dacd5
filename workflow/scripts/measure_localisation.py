"""Measure where one model's maps lie: on the object, on a distractor, on a cue."""

from campare import data, localisation, store, tables
from job import logged

with logged(snakemake.log[0]):
    kept = store.read(snakemake.input.store)
    regions = data.read_regions(snakemake.input.data, kept.index)
    table = localisation.measure(kept, regions)
    tables.write(table, snakemake.output.localisation)
    print(table.groupby("region", sort=False)[[*localisation.SCORES]].mean().to_string())
