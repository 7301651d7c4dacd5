"""Tabulate the map shift of every augmentation and control, and between augmentations."""

from campare import controls, tables
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    models = [tuple(model) for model in params.models]
    pairs = {
        name: tables.read(path)
        for name, path in zip(params.augmentations, snakemake.input.pairs, strict=True)
    }
    tables.write(controls.kinds(pairs, params.metrics), snakemake.output.kinds)
    shifts = controls.shifts(pairs, models, params.metrics, params.incomparable, params.seed)
    if not params.predicts:
        # Maps without logits: models that predict the same class are not known.
        shifts = shifts[shifts["predictions"] == controls.ANY].assign(agreement=float("nan"))
    tables.write(shifts, snakemake.output.shift)
    print("map shift, as a share of the noise floor")
    print(
        shifts.pivot_table(
            "relative_shift", ["reference", "metric"], "augmentation", sort=False
        ).to_string()
    )
    if path := snakemake.output.get("between"):
        own = {name: table for name, table in pairs.items() if name in params.compared}
        tables.write(controls.between(own, models, params.metrics, params.seed), path)
