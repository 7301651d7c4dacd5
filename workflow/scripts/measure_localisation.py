"""Measure where one model's maps lie: on the object, on a distractor, on a cue."""

from campare import data, localisation, store, tables
from job import logged

with logged(snakemake.log[0]):
    found = store.read(snakemake.input.store)
    regions = data.read_regions(snakemake.input.data, found.index)
    table = localisation.measure(found, regions)
    tables.write(table, snakemake.output.localisation)
    print(table.groupby("region", sort=False)[[*localisation.SCORES]].mean().to_string())
