"""Draw what each pixel SVM sees of the first test image of every class."""

import numpy as np

from campare import classifiers, data, selection, svm
from campare.plots import pictures, saving
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    dataset = data.read(snakemake.input.data)
    seen = {}
    for classifier, path in zip(params.classifiers, snakemake.input.vectors, strict=True):
        vectors = svm.read_vectors(path)
        test = np.flatnonzero(~vectors.training)
        rows = test[selection.first_of_each(vectors.label[test], dataset.classes)]
        shape = (len(rows), *dataset.images.shape[1:])
        seen[classifiers.NAMES[classifier]] = vectors.x[rows].reshape(shape)
    names = [dataset.classes[label] for label in vectors.label[rows]]
    saving.save_each(
        snakemake.output, lambda _: pictures.tiles(seen, names), params.dpi, params.font
    )
