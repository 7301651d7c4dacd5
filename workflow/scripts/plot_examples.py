"""Draw originals beside augmented copies, for every augmentation, and all on one sheet."""

import numpy as np
import torch
from matplotlib.figure import Figure

from campare import data, naming, preprocess, seeding, split
from campare.augment import Augmenter, Batch
from campare.plots import pictures, saving
from job import logged

SHOWN = 8

with logged(snakemake.log[0]):
    params = snakemake.params
    seeding.deterministic(snakemake.threads)
    dataset = data.read(snakemake.input.data)
    frame = split.read(snakemake.input.split, len(dataset.images))
    train = frame[frame["subset"] == "train"]

    def shown(stored: torch.Tensor) -> torch.Tensor:
        """Images at the size they are augmented at, uint8."""
        return stored if params.at == "native" else preprocess.resized(stored, params.input_size)

    def taken(rows: np.ndarray) -> Batch:
        """Pictures and targets of these rows of the data set."""
        targets = torch.eye(len(dataset.classes))[torch.tensor(dataset.labels[rows])]
        return Batch(torch.from_numpy(dataset.images[rows]).permute(0, 3, 1, 2), targets)

    def channels_last(stored: torch.Tensor) -> np.ndarray:
        return stored.permute(0, 2, 3, 1).numpy()

    # The first training image of each class, then the second of each, …
    turn = train.groupby("label").cumcount()
    turns = train.assign(turn=turn, rank=naming.ranks(dataset.classes)[train["label"]])
    chosen = turns.sort_values(["turn", "rank"])["index"].to_numpy()[:SHOWN]
    index = torch.tensor(chosen)
    first = taken(chosen)
    batch = Batch(shown(first.images), first.targets)
    pool = taken(train["index"].to_numpy())

    epoch = 0 if params.resample == "once" else 1

    def augmented(augmentation: str) -> Batch:
        augmenter = Augmenter(params.augmentations[augmentation], params.seed, pool, shown)
        # Keyed as in training: the first copy, in the first epoch.
        return augmenter(batch, index, torch.ones_like(index), epoch)

    copies = {name: augmented(name) for name in params.augmentations}

    def draw(augmentation: str) -> Figure:
        return pictures.examples(
            channels_last(batch.images),
            channels_last(copies[augmentation].images),
            (batch.targets.numpy(), copies[augmentation].targets.numpy()),
            dataset.classes,
            augmentation,
        )

    def draw_all(_: str) -> Figure:
        return pictures.sets(
            channels_last(batch.images),
            {name: channels_last(copy.images) for name, copy in copies.items()},
            [dataset.classes[label] for label in dataset.labels[chosen]],
        )

    saving.save_each(snakemake.output.examples, draw, params.dpi, params.font)
    saving.save_each(snakemake.output.sets, draw_all, params.dpi, params.font)
