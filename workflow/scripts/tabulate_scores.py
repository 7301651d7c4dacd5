"""Tabulate performance of several classifiers, over all classes and by class."""

from pathlib import Path

import pandas as pd

from campare import analysis, classifiers, data, performance, store, tables
from job import logged


def predictions(path: str) -> pd.DataFrame:
    """Labels and predictions of a model for the test images, from its CAM store or its table."""
    if Path(path).suffix != ".h5":
        return tables.read(path)
    cams = store.read(path)
    columns = {"index": cams.index, "label": cams.label, "prediction": cams.predicted}
    return pd.DataFrame(columns)


with logged(snakemake.log[0]):
    params = snakemake.params
    classes = data.read(snakemake.input.data).classes
    of_models = {
        name: predictions(path)
        for name, path in zip(params.models, snakemake.input.predictions, strict=True)
    }
    scores = classifiers.scores(of_models, len(classes), params.reference)
    by_class = classifiers.class_scores(of_models, classes)
    counts = [
        performance.confusion(table["label"], table["prediction"], len(classes))
        for table in of_models.values()
    ]
    confusion = analysis.confusions([(name, 0) for name in of_models], counts, classes)
    tables.write(scores, snakemake.output.scores)
    tables.write(by_class, snakemake.output.classes)
    tables.write(confusion.rename(columns={"augmentation": "model"}), snakemake.output.confusion)
    print(scores.to_string(index=False))
    print(by_class.to_string(index=False))
