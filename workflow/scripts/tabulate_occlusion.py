"""Tabulate accuracy and map similarity by class and size of the occluded patch."""

from campare import data, occlusion, performance, tables
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    measured = {
        size: tables.read(path)
        for size, path in zip(params.sizes, snakemake.input.similarities, strict=True)
    }
    classes = data.read(snakemake.input.data).classes
    table = occlusion.table(measured, params.metrics, classes)
    tables.write(table, snakemake.output.occlusion)
    print(table[table["class"] == performance.ALL].to_string(index=False))
