"""Save the network with which the training of the first baseline starts."""

from pathlib import Path

import provenance
from campare import data, initial, preprocess, seeding, split
from campare.checkpoints import save
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    seeding.deterministic(params.threads)  # as in training
    dataset = data.read(snakemake.input.data)
    frame = split.read(snakemake.input.split, len(dataset.images))
    training = data.Rows(dataset.images, frame["index"][frame["subset"] == "train"].to_numpy())
    normalise = params.get("normalise", "training")
    mean, std = preprocess.normalisation(normalise, training)
    network = initial.network(
        params.architecture,
        training,
        classes=len(dataset.classes),
        input_size=params.input_size,
        seed=params.init_seed,
        mean=mean,
        std=std,
        parameters=params.get("architecture_parameters"),
    )
    about = {"settings": provenance.settings(params), "mean": mean, "std": std}
    save(Path(snakemake.output.weights), network.state_dict(), about)
    print(f"{params.architecture} with the initial weights of seed {params.init_seed}")
