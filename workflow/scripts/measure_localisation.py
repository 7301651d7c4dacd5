"""Measure the localisation of one model's maps: on the object, a distractor, a cue."""

from campare import data, localisation, store, tables
from job import logged

with logged(snakemake.log[0]):
    cams = store.read(snakemake.input.store)
    regions = data.read_regions(snakemake.input.data, cams.index)
    table = localisation.measure(cams, regions)
    tables.write(table, snakemake.output.localisation)
    print(table.groupby("region", sort=False)[[*localisation.SCORES]].mean().to_string())
