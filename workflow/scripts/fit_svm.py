"""Select an SVM by cross-validation, fit it, and classify the test images with it."""

import pandas as pd
import torch

from campare import svm, tables
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    settings = params.settings
    torch.set_num_threads(snakemake.threads)
    vectors = svm.read_vectors(snakemake.input.vectors)
    common = {"seed": settings["seed"], "key": params.key}
    searched = svm.search(
        vectors,
        kernels=settings["kernels"],
        c=settings["c"],
        folds=settings["folds"],
        images=settings["search_images"],
        adapts=settings["adapts"],
        **common,
    )
    print(searched.to_string(index=False))
    best = searched[searched["chosen"]].iloc[0]
    classifier = svm.fit(
        vectors, kernel=best["kernel"], c=best["c"], images=settings["images"], **common
    )
    test = ~vectors.training
    label = vectors.label[test]
    predicted = svm.decide(classifier, vectors.x[test]).argmax(axis=1)
    fitted = settings["images"] or int(vectors.training.sum())
    tables.write(searched, snakemake.output.search)
    tables.write(
        pd.DataFrame({"index": vectors.index[test], "label": label, "prediction": predicted}),
        snakemake.output.predictions,
    )
    svm.save(classifier, snakemake.output.classifier, {"name": params.classifier, "images": fitted})
    print(
        f"{params.classifier}: {best['kernel']}, C = {best['c']:g}, {fitted:,} training images, "
        f"{len(classifier.support):,} support vectors, "
        f"test accuracy {(predicted == label).mean():.4f}"
    )
