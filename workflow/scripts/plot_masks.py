"""Draw the input of each pixel SVM for the first test image of every class."""

import numpy as np

from campare import data, labels, selection, svm
from campare.display import displayed
from campare.plots import images, saving
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    dataset = data.read(snakemake.input.data)
    inputs = {}
    for classifier, path in zip(params.classifiers, snakemake.input.vectors, strict=True):
        vectors = svm.read_vectors(path)
        test = np.flatnonzero(~vectors.training)
        rows = test[selection.first_of_each(vectors.label[test], dataset.classes)]
        shape = (len(rows), *dataset.images.shape[1:])
        inputs[labels.CLASSIFIERS[classifier]] = displayed(
            vectors.x[rows].reshape(shape), params.get("shown")
        )
    names = [dataset.classes[label] for label in vectors.label[rows]]
    saving.save_each(
        snakemake.output,
        lambda _: images.tiles(inputs, names),
        params.dpi,
        params.font,
        params.caption,
    )
