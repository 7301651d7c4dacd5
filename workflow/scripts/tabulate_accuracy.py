"""Tabulate every model's mean metrics and accuracy, and their correlation."""

from campare import analysis, tables
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    means = analysis.model_means(
        params.models,
        map(tables.read, snakemake.input.similarities),
        tables.read(snakemake.input.performance),
    )
    correlation = analysis.accuracy_correlation(means, params.metrics)
    tables.write(means, snakemake.output.means)
    tables.write(correlation, snakemake.output.correlation)
    print(correlation.to_string(index=False, float_format="%.3f"))
