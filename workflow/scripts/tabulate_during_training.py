"""Tabulate accuracy and map shift of every augmentation after several epochs of training."""

from collections.abc import Sequence

from campare import controls, during_training, store, tables
from job import logged

# The columns of pairs that are used, besides the metric.
PAIR = ("a", "seed_a", "b", "seed_b", "index", "prediction_a", "prediction_b")


def by_epoch(paths: Sequence[str], number: int) -> list[Sequence[str]]:
    """The paths of every epoch, as many of each."""
    return [paths[start : start + number] for start in range(0, len(paths), number)]


with logged(snakemake.log[0]):
    params, paths = snakemake.params, snakemake.input
    models = [tuple(model) for model in params.models]
    correct = {}
    for epoch, stores in zip(params.epochs, by_epoch(paths.stores, len(models)), strict=True):
        read = map(store.read, stores)
        correct[epoch] = {
            model: cams.predicted == cams.label for model, cams in zip(models, read, strict=True)
        }
    columns = [*PAIR, params.metric]
    pairs = {
        epoch: tables.Tables(
            dict(zip(params.augmentations, files, strict=True)), columns, controls.REFERENCES
        )
        for epoch, files in zip(
            params.epochs, by_epoch(paths.pairs, len(params.augmentations)), strict=True
        )
    }
    shifts = during_training.table(correct, pairs, params.matched, params.metric, params.seed)
    tables.write(shifts, snakemake.output.shifts)
    tables.write(during_training.onset(shifts), snakemake.output.onset)
    print("map shift, as a share of the noise floor of the epoch")
    print(
        shifts.pivot_table("relative_shift", "augmentation", "epoch", sort=False).to_string(
            float_format="%.3f"
        )
    )
