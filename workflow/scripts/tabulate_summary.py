"""Tabulate the answer on one page."""

from campare import controls, tables
from job import logged

with logged(snakemake.log[0]):
    gains, shifts = (tables.read(snakemake.input[name]) for name in ("gain", "shift"))
    summary = controls.summary(gains, shifts, snakemake.params.metric)
    tables.write(summary, snakemake.output.summary)
    print(summary.T.to_string(float_format="{:.3f}".format))
