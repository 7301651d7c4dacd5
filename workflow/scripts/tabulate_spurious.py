"""Tabulate the reliance of models on a spurious cue, a region that occurs with one class."""

from campare import data, localisation, split, store, tables
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    dataset = data.read(snakemake.input.data)
    frame = split.read(snakemake.input.split, len(dataset.images))
    present = {}
    for subset in ("train", "test"):
        rows = frame["index"][frame["subset"] == subset].to_numpy()
        regions = data.read_regions(snakemake.input.data, rows)
        present[subset] = rows, localisation.presence(regions, params.region)
    rows, with_region = present["train"]
    cue_class = localisation.class_of(dataset.labels[rows], with_region, params.region)
    images = localisation.with_and_without_cue(
        params.models,
        [store.read(path) for path in snakemake.input.stores],
        [tables.read(path) for path in snakemake.input.measured],
        params.region,
        present["test"][1],
        cue_class,
    )
    summary = localisation.spurious_summary(images, params.seed, paired=params.paired)
    tables.write(localisation.spurious(images), snakemake.output.models)
    tables.write(summary, snakemake.output.summary)
    print(f"the {params.region} occurs with the class {dataset.classes[cue_class]} in training")
    print(summary.to_string(index=False, float_format="%.3f"))
