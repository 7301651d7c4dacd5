"""Tabulate the accuracy on corrupted images, by model, and its change by every augmentation."""

from campare import robustness, tables
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    models = [tuple(model) for model in params.models]
    measured = [tables.read(path) for path in snakemake.input.predictions]
    accuracy = robustness.corruption_accuracy(models, measured)
    change = robustness.corruption_changes(models, measured, params.matched, params.seed)
    tables.write(accuracy, snakemake.output.accuracy)
    tables.write(change, snakemake.output.change)
    print(change.to_string(index=False, float_format="{:.3f}".format))
