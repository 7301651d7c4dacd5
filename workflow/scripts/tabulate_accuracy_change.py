"""Tabulate the change of test accuracy by every augmentation."""

from campare import controls, store, tables
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    correct = {}
    for model, path in zip(params.models, snakemake.input.stores, strict=True):
        cams = store.read(path)
        correct[tuple(model)] = cams.predicted == cams.label
    changes = controls.accuracy_changes(correct, params.matched, params.seed)
    tables.write(changes, snakemake.output.accuracy_change)
    print(changes.to_string(index=False, float_format="%.3f"))
