"""Tabulate the files of imported models and their accuracy, and warn of networks at chance."""

import pandas as pd

from campare import store, tables, trained
from job import logged

with logged(snakemake.log[0]):
    params, rows = snakemake.params, []
    for (name, seed), file, path in zip(
        params.models, params.files, snakemake.input.stores, strict=True
    ):
        cams = store.read(path)
        accuracy, images = float((cams.predicted == cams.label).mean()), len(cams.label)
        chance = float(pd.Series(cams.label).value_counts(normalize=True).max())
        rows.append((name, seed, file, cams.attributes["architecture"], accuracy, images))
        if trained.at_chance(accuracy, images, chance):
            print(
                f"warning: {file} ({name} {seed}): {accuracy:.1%} of {images:,} test images are "
                f"classified correctly, not significantly more than by chance ({chance:.1%}): "
                "check the order of the classes (`classes`), the normalisation (`normalise`) and "
                "model.input_size"
            )
    columns = ["augmentation", "seed", "file", "architecture", "accuracy", "images"]
    tables.write(pd.DataFrame(rows, columns=columns), snakemake.output.imported)
