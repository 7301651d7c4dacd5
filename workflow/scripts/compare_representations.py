"""Compare the features and predictions of pairs of models on a sample of test images."""

from itertools import chain

import numpy as np
import pandas as pd

from campare import representations, store, tables
from job import logged

with logged(snakemake.log[0]):
    pairs = [(tuple(a), tuple(b)) for a, b in snakemake.params.pairs]
    models, rows = {}, None
    for model, path, scores in zip(
        dict.fromkeys(chain(*pairs)),
        snakemake.input.representations,
        snakemake.input.stores,
        strict=True,
    ):
        representation = representations.read(path)
        if rows is None:  # all stores have the same images
            rows = np.flatnonzero(np.isin(store.read_index(scores), representation.index))
        models[model] = representation, store.read(scores, rows)
    table = pd.concat(representations.between(models, pairs), ignore_index=True)
    tables.write(table, snakemake.output.pairs)
    print(f"{len(pairs)} pairs of models, {len(table):,} rows")
