"""Tabulate how much more often augmented models are right than baselines."""

from campare import controls, store, tables
from job import logged

with logged(snakemake.log[0]):
    wanted = snakemake.params
    right = {}
    for model, path in zip(wanted.models, snakemake.input.stores, strict=True):
        found = store.read(path)
        right[tuple(model)] = found.predicted == found.label
    gain = controls.gains(right, paired=wanted.paired, seed=wanted.seed)
    tables.write(gain, snakemake.output.gain)
    print(gain.to_string(index=False, float_format="%.3f"))
