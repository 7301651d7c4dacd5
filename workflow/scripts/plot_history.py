"""Draw training loss, validation accuracy and learning rate per epoch of all models."""

import pandas as pd

from campare import tables
from campare.plots import fitting, saving, training
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    models = params.models
    histories = pd.concat(
        tables.read(path).assign(augmentation=augmentation, seed=seed)
        for path, (augmentation, seed) in zip(snakemake.input.histories, models, strict=True)
    )
    augmentations = list(dict.fromkeys(augmentation for augmentation, _ in models))
    with fitting.ranked(tables.optional(snakemake.input.get("ranking"))):
        saving.save_each(
            snakemake.output,
            lambda _: training.history(histories, augmentations, averaged=params.averaged),
            params.dpi,
            params.font,
            params.caption,
        )
