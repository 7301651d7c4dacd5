"""Tabulate what a region that goes with one class in training does to the test images."""

from campare import data, localisation, split, store, tables
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    dataset = data.read(snakemake.input.data)
    frame = split.read(snakemake.input.split, len(dataset.images))
    present = {}
    for subset in ("train", "test"):
        rows = frame["index"][frame["subset"] == subset].to_numpy()
        has = localisation.presence(data.read_regions(snakemake.input.data, rows), params.region)
        present[subset] = rows, has
    rows, has = present["train"]
    own = localisation.class_of(dataset.labels[rows], has, params.region)
    images = localisation.cued(
        params.models,
        [store.read(path) for path in snakemake.input.stores],
        [tables.read(path) for path in snakemake.input.measured],
        params.region,
        present["test"][1],
        own,
    )
    summary = localisation.spurious_summary(images, params.seed, paired=params.paired)
    tables.write(localisation.spurious(images), snakemake.output.models)
    tables.write(summary, snakemake.output.summary)
    print(f"{params.region} goes with the class {dataset.classes[own]}")
    print(summary.to_string(index=False, float_format="%.3f"))
