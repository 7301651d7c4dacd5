"""Tabulate the map shift of every augmentation between networks of equal accuracy."""

from campare import controls, equal_accuracy, tables
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    # The columns of pairs that are used.
    used = ["a", "seed_a", "b", "seed_b", "index", "prediction_a", "prediction_b", params.metric]
    paths = dict(zip(params.augmentations, snakemake.input.pairs, strict=True))
    pairs = tables.Tables(paths, used, controls.REFERENCES)
    found = equal_accuracy.table(
        tables.read(snakemake.input.summary),
        tables.read(snakemake.input.performance),
        pairs,
        params.seed,
    )
    tables.write(found, snakemake.output.equal_accuracy)
    print(found.T.to_string(float_format="{:.3f}".format))
