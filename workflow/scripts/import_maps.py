"""Convert maps that another program made to a CAM store of the study."""

import numpy as np

from campare import data, map_files, split, store
from job import logged

with logged(snakemake.log[0]):
    params, path = snakemake.params, snakemake.input.file
    dataset = data.read(snakemake.input.data)
    frame = split.read(snakemake.input.split, len(dataset.images))
    index = frame["index"][frame["subset"] == "test"].to_numpy()
    labels, classes = dataset.labels[index], len(dataset.classes)
    given = map_files.read(path, index, labels, classes)
    logits = given.logits
    if logits is None:
        # Nothing that depends on predictions is made for the study (`Design.predicts`).
        logits = np.zeros((len(index), classes), np.float32)
        print(
            "warning: maps without logits: performance, confusion, segments, accuracy, summary, "
            "overlays and figures of extremes are left out, because they need the predictions"
        )
    attributes = dict.fromkeys(store.ATTRIBUTES, map_files.UNKNOWN) | given.attributes
    attributes |= {
        "study": params.study,
        "augmentation": params.augmentation,
        "seed": params.seed,
        "input_size": params.input_size,
        "checkpoint_sha256": store.sha256(path),
        "split_sha256": store.sha256(snakemake.input.split),
        "packages": store.packages(),
        "threads": 1,
    }
    store.write(
        snakemake.output.store,
        [(given.maps, logits, logits.argmax(axis=1))],
        labels=labels,
        indices=index,
        attributes=attributes,
    )
    print(f"{len(index)} maps of {given.maps.shape[1]}×{given.maps.shape[2]} from {path}")
