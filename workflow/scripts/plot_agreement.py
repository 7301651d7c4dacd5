"""Draw the similarity of two models' maps by class, compared with chance."""

from campare import labels, tables
from campare.plots import saving, stages
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    table = tables.read(snakemake.input.agreement, text=["class"])
    first, second = (labels.CLASSIFIERS[name] for name in params.models)
    saving.save_each(
        snakemake.output,
        lambda metric: stages.agreement(table, metric, (first, second)),
        params.dpi,
        params.font,
        params.caption,
    )
