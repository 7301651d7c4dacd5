"""Tabulate the map shift of every augmentation by class of the test images."""

from campare import controls, data, tables
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    summary = tables.read(snakemake.input.summary)
    reference = summary["reference"].iloc[0]
    paths = {
        name: path
        for name, path in zip(params.augmentations, snakemake.input.pairs, strict=True)
        if name == reference or name in params.compared
    }
    columns = [*controls.MODEL_PAIR, "index", "label", *params.metrics]
    pairs = tables.Tables(paths, columns, controls.REFERENCES)
    models = [tuple(model) for model in params.models]
    classes = data.read(snakemake.input.data).classes
    table = controls.by_class(pairs, models, params.metrics, classes, reference, params.seed)
    tables.write(table, snakemake.output.table)
    print("map shift, as a share of the noise floor of the class")
    print(
        table.pivot_table(
            "relative_shift", ["metric", "class"], "augmentation", sort=False
        ).to_string()
    )
