"""Tabulate the metrics by who is right: both models, one of them, none."""

from campare import analysis, tables
from job import logged

with logged(snakemake.log[0]):
    similarities = [tables.read(path) for path in snakemake.input.similarities]
    segments = analysis.segments(snakemake.params.models, similarities, snakemake.params.metrics)
    tables.write(segments, snakemake.output.segments)
    pairs = segments.pivot_table("pairs", "augmentation", "segment", aggfunc="first", sort=False)
    print(f"pairs of maps\n{pairs.to_string()}")
