"""Tabulate deletion, insertion and ROAD, by model and by augmentation."""

from campare import faithfulness, tables
from job import logged

with logged(snakemake.log[0]):
    models = snakemake.params.models
    measured = [tables.read(path) for path in snakemake.input.measured]
    means = faithfulness.by_model(models, measured)
    summary = faithfulness.summary(means)
    tables.write(means, snakemake.output.models)
    tables.write(summary, snakemake.output.summary)
    tables.write(faithfulness.mean_curves(models, measured), snakemake.output.curves)
    print(summary.to_string(index=False, float_format="%.3f"))
