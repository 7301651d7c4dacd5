"""Tabulate how far models are apart with and without an augmentation between them."""

from campare import controls, tables
from job import logged

with logged(snakemake.log[0]):
    wanted = snakemake.params
    models = [tuple(model) for model in wanted.models]
    pairs = {
        name: tables.read(path)
        for name, path in zip(wanted.augmentations, snakemake.input.pairs, strict=True)
    }
    tables.write(controls.kinds(pairs, wanted.metrics), snakemake.output.kinds)
    excess = controls.excesses(pairs, models, wanted.metrics, wanted.incomparable, wanted.seed)
    tables.write(excess, snakemake.output.excess)
    print(excess.pivot_table("share", "metric", "augmentation", sort=False).to_string())
    if path := snakemake.output.get("between"):
        own = {name: table for name, table in pairs.items() if name in wanted.compared}
        tables.write(controls.between(own, models, wanted.metrics, wanted.seed), path)
