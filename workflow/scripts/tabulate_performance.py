"""Tabulate performance: scores of all models, means over seeds, confusion matrices."""

from campare import analysis, data, performance, store, tables
from job import logged

with logged(snakemake.log[0]):
    models = snakemake.params.models
    classes = data.read(snakemake.input.data).classes
    confusions = []
    for path in snakemake.input.stores:
        cams = store.read(path)
        confusions.append(performance.confusion(cams.label, cams.predicted, len(classes)))
    scores = analysis.performances(models, confusions)
    tables.write(scores, snakemake.output.performance)
    tables.write(analysis.performance_summary(scores), snakemake.output.summary)
    tables.write(analysis.confusions(models, confusions, classes), snakemake.output.confusion)
    pairs = analysis.confused_pairs(models, confusions, classes)
    tables.write(pairs, snakemake.output.confused_pairs)
    print(scores.to_string(index=False))
