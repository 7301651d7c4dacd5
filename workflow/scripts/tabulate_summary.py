"""Tabulate accuracy change and map shift of every augmentation, for one metric."""

from campare import controls, tables
from job import logged

with logged(snakemake.log[0]):
    changes = tables.read(snakemake.input.accuracy_change)
    shifts = tables.read(snakemake.input.shift)
    summary = controls.summary(changes, shifts, snakemake.params.metric)
    tables.write(summary, snakemake.output.summary)
    print(summary.T.to_string(float_format="{:.3f}".format))
