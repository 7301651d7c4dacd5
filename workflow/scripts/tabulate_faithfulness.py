"""Tabulate deletion, insertion and ROAD, by model and by augmentation."""

from campare import faithfulness, tables
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    measured = [tables.read(path) for path in snakemake.input.measured]
    summary = faithfulness.summary(params.models, measured, params.seed, paired=params.paired)
    tables.write(faithfulness.by_model(params.models, measured), snakemake.output.models)
    tables.write(summary, snakemake.output.summary)
    tables.write(faithfulness.mean_curves(params.models, measured), snakemake.output.curves)
    print(summary.to_string(index=False, float_format="%.3f"))
