"""Tabulate the metrics by correctness of the two predictions, or by their agreement."""

from campare import analysis, tables
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    columns = [*analysis.DECISIVE, *params.metrics]
    similarities = (tables.read(path, columns=columns) for path in snakemake.input.similarities)
    segments = analysis.segments(params.models, similarities, params.metrics, params.segments)
    tables.write(segments, snakemake.output.segments)
    pairs = segments.pivot_table("pairs", "augmentation", "segment", aggfunc="first", sort=False)
    print(f"pairs of maps\n{pairs.to_string()}")
