"""Tabulate published accuracies and the accuracies of this study."""

from campare import analysis, tables
from job import logged

with logged(snakemake.log[0]):
    scores = {
        "validation": tables.read(snakemake.input.validation),
        "test": tables.read(snakemake.input.performance),
    }
    params = snakemake.params
    published = analysis.published(params.published, scores, params.references)
    tables.write(published, snakemake.output.published)
    print(published.to_string(index=False, float_format="%.3f"))
