"""Save an untrained network."""

from pathlib import Path

import provenance
from campare import data, models, preprocess, split
from campare.checkpoints import save
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    dataset = data.read(snakemake.input.data)
    frame = split.read(snakemake.input.split, len(dataset.images))
    training = frame["index"][frame["subset"] == "train"].to_numpy()
    normalise = params.get("normalise", "training")
    mean, std = preprocess.normalisation(normalise, dataset.images[training])
    network = models.build(
        params.architecture,
        classes=len(dataset.classes),
        channels=dataset.images.shape[3],
        seed=params.init_seed,
        parameters=params.get("architecture_parameters"),
    )
    about = {"settings": provenance.settings(params), "mean": mean, "std": std}
    save(Path(snakemake.output.weights), network.state_dict(), about)
    print(f"{params.architecture} with the initial weights of seed {params.init_seed}")
