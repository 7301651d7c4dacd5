"""Make the input vectors of every pixel SVM: all pixels, masked pixels, or the mask alone."""

import numpy as np

from campare import data, maps, masks, store, svm
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    dataset = data.read(snakemake.input.data)
    stores = [store.read(snakemake.input.training), store.read(snakemake.input.test)]
    index, label, predicted, coarse = (
        np.concatenate([getattr(cams, name) for cams in stores])
        for name in ("index", "label", "predicted", "maps")
    )
    training = np.arange(len(index)) < len(stores[0].index)
    images = dataset.images[index]
    resized_maps = maps.show(coarse, images.shape[1:3])
    mask = masks.kept(resized_maps, **params.keep)
    for classifier, path in zip(params.classifiers, snakemake.output.vectors, strict=True):
        pixels = masks.masked(
            images,
            mask,
            classifier,
            # Not the true class, which is unknown when a test image is classified.
            predicted=predicted,
            training=training,
            seed=params.seed,
        )
        vectors = svm.Vectors(pixels.reshape(len(pixels), -1), label, index, training)
        svm.write_vectors(vectors, path)
    empty = np.count_nonzero(~mask.any(axis=(1, 2)))
    print(
        f"{len(index):,} images; masks keep {mask.mean():.1%} of the pixels on average, "
        f"{empty:,} keep none"
    )
