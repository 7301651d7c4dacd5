"""Compare the maps of networks matched in validation accuracy by epochs; tabulate the map shift."""

from collections.abc import Sequence

import pandas as pd

from campare import controls, matched_accuracy, similarity, store, tables
from job import comparison, logged

with logged(snakemake.log[0]):
    params, paths = snakemake.params, snakemake.input
    models: Sequence[tuple[str, int]] = [tuple(model) for model in params.models]
    *numbers, kept = params.epochs
    states = [(model, epoch) for epoch in params.epochs for model in models]
    path_of = dict(zip(states, paths.stores, strict=True))
    accuracies = {}
    for model, path in zip(models, paths.histories, strict=True):
        history = pd.read_csv(path).set_index("epoch")["validation_accuracy"]
        steps = params.steps.get(model[0], 1)
        for epoch in numbers:
            accuracies[model, epoch] = float(history[steps * int(epoch)])
        accuracies[model, kept] = float(history.max() if kept == "best" else history.iloc[-1])
    summary = tables.read(paths.summary)
    reference_of = dict(zip(summary["augmentation"], summary["reference"], strict=True))
    shared = {frozenset(map(tuple, pair)) for pair in params.independent}
    arms = {
        name: matched_accuracy.match(
            [model for model in models if model[0] == name],
            [model for model in models if model[0] == reference],
            accuracies,
            kept,
            lambda pair: frozenset(pair) in shared,
        )
        for name, reference in reference_of.items()
    }
    pairs = list(dict.fromkeys(pair for matches in arms.values() for pair in matches.pairs()))
    used = list(dict.fromkeys(state for pair in pairs for state in pair))
    places = [(used.index(a), used.index(b)) for a, b in pairs]
    stores = [store.read(path_of[state]) for state in used]
    measured = similarity.between(stores, places, **comparison(params, snakemake.threads))
    (metric,) = params.metrics
    distances = {
        pair: float(controls.distance(rows[metric].mean(), metric))
        for pair, rows in zip(pairs, measured, strict=True)
    }
    found = matched_accuracy.table(arms, reference_of, accuracies, distances, metric)
    tables.write(found, snakemake.output.matched)
    print(found.T.to_string(float_format="{:.3f}".format))
