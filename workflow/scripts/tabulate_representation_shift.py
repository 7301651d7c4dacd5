"""Tabulate how far every augmentation shifts features and predictions beyond retraining."""

from campare import controls, registry, tables
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    pairs = {
        name: tables.read(path)
        for name, path in zip(params.augmentations, snakemake.input.pairs, strict=True)
    }
    models = [tuple(model) for model in params.models]
    measures = list(registry.REPRESENTATIONS)
    shifts = controls.shifts(pairs, models, measures, params.incomparable, params.seed)
    tables.write(shifts, snakemake.output.shift)
    print("shift, as a share of the noise floor of the measure")
    print(
        shifts[shifts["predictions"] == controls.ANY]
        .pivot_table("relative_shift", ["reference", "metric"], "augmentation", sort=False)
        .to_string()
    )
