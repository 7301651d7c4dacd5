"""Tabulate the images of a study: number in each class and subset; images that occur twice."""

import sys

from campare import data, duplicates, split, tables
from job import logged

with logged(snakemake.log[0]):
    dataset = data.read(snakemake.input.data)
    splits = [split.read(path, len(dataset.labels)) for path in snakemake.input.splits]
    counts = duplicates.counts(splits[0], dataset.classes)
    tables.write(counts, snakemake.output.subsets)
    print(counts.to_string(index=False))
    found = duplicates.table(
        dataset.images,
        dataset.labels,
        dataset.classes,
        splits,
        snakemake.params.near,
        data.read_files(snakemake.input.data),
    )
    tables.write(found, snakemake.output.duplicates)
    for remark in duplicates.remarks(found):
        print(f"warning: {remark}", file=sys.stderr)
