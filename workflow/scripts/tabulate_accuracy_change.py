"""Tabulate the change of test accuracy by every augmentation."""

import numpy as np

from campare import controls, store, tables
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    correct, labels = {}, None
    for model, path in zip(params.models, snakemake.input.stores, strict=True):
        cams = store.read(path)
        correct[tuple(model)] = cams.predicted == cams.label
        labels = cams.label.astype(np.int64)
    changes = controls.accuracy_changes(correct, params.matched, params.seed, labels)
    tables.write(changes, snakemake.output.accuracy_change)
    print(changes.to_string(index=False, float_format="%.3f"))
