"""Draw test scores per epoch and training times of the candidate architectures."""

import pandas as pd
from matplotlib.figure import Figure

from campare import tables
from campare.plots import saving, training
from job import logged

with logged(snakemake.log[0]):
    architectures = snakemake.params.architectures
    table = pd.concat(
        tables.read(path).assign(architecture=name)
        for path, name in zip(snakemake.input.histories, architectures, strict=True)
    )

    def draw(name: str) -> Figure:
        if name == "time":
            return training.architecture_times(table, architectures)
        return training.architecture_scores(table, name, architectures)

    saving.save_each(
        snakemake.output,
        draw,
        snakemake.params.dpi,
        snakemake.params.font,
        snakemake.params.caption,
    )
