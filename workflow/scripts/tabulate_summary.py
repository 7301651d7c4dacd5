"""Tabulate the answer on one page."""

from campare import controls, tables
from job import logged

with logged(snakemake.log[0]):
    gains, excesses = (tables.read(snakemake.input[name]) for name in ("gain", "excess"))
    summary = controls.summary(gains, excesses, snakemake.params.metric)
    tables.write(summary, snakemake.output.summary)
    print(summary.to_string(index=False, float_format="%.3f"))
