"""Tabulate how much higher test accuracy is with an augmentation than without."""

from campare import controls, store, tables
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    correct = {}
    for model, path in zip(params.models, snakemake.input.stores, strict=True):
        kept = store.read(path)
        correct[tuple(model)] = kept.predicted == kept.label
    gain = controls.gains(correct, params.matched, params.seed)
    tables.write(gain, snakemake.output.gain)
    print(gain.to_string(index=False, float_format="%.3f"))
