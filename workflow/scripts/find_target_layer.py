"""Find the layer whose maps are made, before hours are spent on training for it."""

import json

from campare import data, models
from campare.atomic import replacing
from job import logged

with logged(snakemake.log[0]):
    wanted = snakemake.params
    dataset = data.read(snakemake.input.data)
    channels = dataset.images.shape[3]
    network = models.build(
        wanted.architecture, classes=len(dataset.classes), channels=channels, seed=0
    )
    shape = (channels, wanted.input_size, wanted.input_size)
    name, size = models.map_size(network, wanted.target_layer, shape)
    found = {"architecture": wanted.architecture, "target_layer": name, "map": size}
    with replacing(snakemake.output.layer) as aside:
        aside.write_text(json.dumps(found) + "\n")
    print(f"{wanted.architecture}: maps of {size[0]}×{size[1]} at {name}")
