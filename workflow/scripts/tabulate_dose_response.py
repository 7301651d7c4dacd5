"""Tabulate whether accuracy and maps follow the strength of the augmentation of each sweep."""

from campare import tables, trend
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    columns = ["a", "seed_a", "b", "seed_b", params.metric]
    trends = trend.table(
        params.sweeps,
        tables.read(snakemake.input.performance),
        tables.read(snakemake.input.summary),
        {
            arm: tables.read(path, columns=columns)
            for arm, path in zip(params.arms, snakemake.input.pairs, strict=True)
        },
        params.metric,
        params.seed,
    )
    tables.write(trends, snakemake.output.trends)
    print(trends.to_string(index=False, float_format="{:.3f}".format))
