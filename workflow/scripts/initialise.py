"""Save an untrained network."""

from pathlib import Path

import provenance
from campare import data, models, split
from campare.train import save
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    dataset = data.read(snakemake.input.data)
    frame = split.read(snakemake.input.split, len(dataset.images))
    training = frame["index"][frame["subset"] == "train"].to_numpy()
    mean, std = data.channel_statistics(dataset.images[training])
    network = models.build(
        params.architecture,
        classes=len(dataset.classes),
        channels=dataset.images.shape[3],
        seed=params.init_seed,
        parameters=params.get("architecture_parameters"),
    )
    about = {"settings": provenance.settings(params), "mean": mean.tolist(), "std": std.tolist()}
    save(Path(snakemake.output.weights), network.state_dict(), about)
    print(f"{params.architecture} with the initial weights of seed {params.init_seed}")
