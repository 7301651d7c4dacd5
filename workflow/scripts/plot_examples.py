"""Draw original and augmented training images, per augmentation and for all augmentations."""

import numpy as np
import torch
from matplotlib.figure import Figure

from campare import data, naming, preprocess, seeding, split
from campare.augment import Augmenter, Batch
from campare.display import displayed
from campare.plots import images, saving
from campare.training_images import Pool, images_of
from job import logged

IMAGES = 8  # training images per figure

with logged(snakemake.log[0]):
    params = snakemake.params
    seeding.deterministic(snakemake.threads)
    dataset = data.read(snakemake.input.data)
    frame = split.read(snakemake.input.split, len(dataset.images))
    train = frame[frame["subset"] == "train"]

    def augmentation_size(stored: torch.Tensor) -> torch.Tensor:
        """Stored images (uint8) at the size at which they are augmented."""
        return stored if params.at == "native" else preprocess.resized(stored, params.input_size)

    def batch_of(rows: np.ndarray) -> Batch:
        """Images and targets of these rows of the data set."""
        targets = torch.eye(len(dataset.classes))[torch.tensor(dataset.labels[rows])]
        return Batch(torch.from_numpy(dataset.images[rows]).permute(0, 3, 1, 2), targets)

    def channels_last(tensor: torch.Tensor) -> np.ndarray:
        """Images (N, C, H, W) as an array (N, H, W, C) of the channels that are shown."""
        return displayed(tensor.permute(0, 2, 3, 1).numpy(), params.get("shown"))

    # The first training image of each class, then the second of each, …
    ranked = train.assign(
        occurrence=train.groupby("label").cumcount(),
        rank=naming.ranks(dataset.classes)[train["label"]],
    )
    chosen = ranked.sort_values(["occurrence", "rank"])["index"].to_numpy()[:IMAGES]
    index = torch.tensor(chosen)
    originals = batch_of(chosen)
    batch = Batch(augmentation_size(originals.images), originals.targets)
    rows, cpu = train["index"].to_numpy(), torch.device("cpu")
    labels = torch.from_numpy(dataset.labels[rows])
    pool = Pool(images_of(dataset, rows, cpu), labels, len(dataset.classes))

    epoch = 0 if params.resample == "once" else 1

    def augmented(augmentation: str) -> Batch:
        """The augmented copies of the batch."""
        parameters = params.augmentations[augmentation]
        augmenter = Augmenter(parameters, params.seed, pool, augmentation_size)
        # The same random numbers as in training: the first copy, in the first epoch.
        return augmenter(batch, index, torch.ones_like(index), epoch)

    copies = {name: augmented(name) for name in params.augmentations}

    def draw(augmentation: str) -> Figure:
        return images.examples(
            channels_last(batch.images),
            channels_last(copies[augmentation].images),
            (batch.targets.numpy(), copies[augmentation].targets.numpy()),
            dataset.classes,
            augmentation,
        )

    def draw_all(_: str) -> Figure:
        return images.sets(
            channels_last(batch.images),
            {name: channels_last(copy.images) for name, copy in copies.items()},
            [dataset.classes[label] for label in dataset.labels[chosen]],
        )

    saving.save_each(snakemake.output.examples, draw, params.dpi, params.font, params.caption)
    saving.save_each(snakemake.output.sets, draw_all, params.dpi, params.font, params.caption)
