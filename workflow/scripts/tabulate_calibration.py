"""Tabulate the calibration of every model, and its change by every augmentation."""

from campare import calibration, store, tables
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    rows = {
        tuple(model): calibration.of_model(store.read(path))
        for model, path in zip(params.models, snakemake.input.stores, strict=True)
    }
    table = calibration.table(rows)
    tables.write(table, snakemake.output.calibration)
    change = calibration.changes(table, params.seed)
    tables.write(change, snakemake.output.change)
    print(change.to_string(index=False, float_format="{:.4f}".format))
