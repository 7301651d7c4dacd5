"""Tabulate the reliance of models on spurious cues, regions that occur with one class."""

import pandas as pd

from campare import data, localisation, split, store, tables
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    dataset = data.read(snakemake.input.data)
    frame = split.read(snakemake.input.split, len(dataset.images))
    rows = {
        subset: frame["index"][frame["subset"] == subset].to_numpy() for subset in ("train", "test")
    }
    regions = {name: data.read_regions(snakemake.input.data, of) for name, of in rows.items()}
    stores = [store.read(path) for path in snakemake.input.stores]
    measured = [tables.read(path) for path in snakemake.input.measured]
    parts, classes = [], {}
    for cue in params.cues:
        present = {name: localisation.presence(of, cue) for name, of in regions.items()}
        cue_class = localisation.class_of(dataset.labels[rows["train"]], present["train"], cue)
        parts.append(
            localisation.with_and_without_cue(
                params.models, stores, measured, cue, present["test"], cue_class
            )
        )
        classes[cue] = dataset.classes[cue_class]
        print(f"the {cue} occurs with the class {classes[cue]} in training")
    images = pd.concat(parts, ignore_index=True)
    summary = localisation.spurious_summary(images, params.seed, paired=params.paired)
    reliance = localisation.reliance(images, classes, params.seed, paired=params.paired)
    tables.write(localisation.spurious(images), snakemake.output.models)
    tables.write(summary, snakemake.output.summary)
    tables.write(reliance, snakemake.output.reliance)
    print(summary.to_string(index=False, float_format="%.3f"))
    print(reliance.to_string(index=False, float_format="%.3f"))
