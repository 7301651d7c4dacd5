"""Draw every metric by correctness of the two predictions, or by their agreement."""

import pandas as pd

from campare import analysis, tables
from campare.plots import metrics, saving
from job import logged

with logged(snakemake.log[0]):
    models = snakemake.params.models
    pairs = pd.concat(
        tables.read(path).assign(augmentation=augmentation)
        for path, (augmentation, _) in zip(snakemake.input.similarities, models, strict=True)
    )
    divided = pd.concat(
        pairs.assign(segment=analysis.segment(pairs, by)) for by in snakemake.params.segments
    )
    labels = {}
    for by in snakemake.params.segments:
        labels |= analysis.SEGMENTS[by]
    augmentations = list(dict.fromkeys(augmentation for augmentation, _ in models))
    saving.save_each(
        snakemake.output,
        lambda metric: metrics.segments(divided, metric, augmentations, labels),
        snakemake.params.dpi,
        snakemake.params.font,
        snakemake.params.caption,
    )
