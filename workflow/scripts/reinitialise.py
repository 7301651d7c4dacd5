"""Give the last layers of a trained network new random weights."""

from pathlib import Path

import numpy as np

from campare import data, initial, models, seeding, split
from campare.checkpoints import save
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    seeding.deterministic(params.threads)
    dataset = data.read(snakemake.input.data)
    frame = split.read(snakemake.input.split, len(dataset.images))
    training = data.Rows(dataset.images, frame["index"][frame["subset"] == "train"].to_numpy())
    network, about = models.load(
        snakemake.input.weights,
        params.architecture,
        classes=len(dataset.classes),
        channels=dataset.images.shape[3],
    )
    # Not the seed of the training, which would restore the weights with which it started.
    fresh = initial.network(
        params.architecture,
        training,
        classes=len(dataset.classes),
        input_size=params.input_size,
        seed=int(np.random.default_rng([params.seed, 2]).integers(2**32)),
        mean=about["mean"],
        std=about["std"],
        parameters=about["settings"].get("architecture_parameters"),
    )
    reset = initial.reset_last(network, fresh, params.layers)
    save(Path(snakemake.output.weights), network.state_dict(), about)
    print(f"new random weights: {', '.join(reset)}")
