"""Tabulate how well maps follow transformations, by model, and its change by every augmentation."""

from campare import robustness, tables
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    models = [tuple(model) for model in params.models]
    measured = [tables.read(path) for path in snakemake.input.measured]
    by_model = robustness.equivariance(models, measured, params.metrics)
    change = robustness.equivariance_changes(
        models, measured, params.metrics, params.matched, params.seed
    )
    tables.write(by_model, snakemake.output.models)
    tables.write(change, snakemake.output.change)
    print(change.to_string(index=False, float_format="{:.3f}".format))
