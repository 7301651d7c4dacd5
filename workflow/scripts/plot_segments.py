"""Draw every metric by who is right: both models, one of them, neither."""

import pandas as pd

from campare import analysis, plots, tables
from job import logged

with logged(snakemake.log[0]):
    models = snakemake.params.models
    pairs = pd.concat(
        tables.read(path).assign(augmentation=augmentation)
        for path, (augmentation, _) in zip(snakemake.input.similarities, models, strict=True)
    )
    pairs["segment"] = analysis.segment(pairs)
    augmentations = list(dict.fromkeys(augmentation for augmentation, _ in models))
    plots.save_each(
        snakemake.output,
        lambda metric: plots.segments(pairs, metric, augmentations),
        snakemake.params.dpi,
    )
