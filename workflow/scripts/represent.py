"""Compute the geometry of a sample of test images in the features of one model."""

import time

from campare import data, devices, faithfulness, features, models, representations, seeding, store
from job import log_usage, logged

with logged(snakemake.log[0]):
    params = snakemake.params
    seeding.deterministic(params.threads)
    device = devices.choose(params.device)
    dataset = data.read(snakemake.input.data)
    index = store.read(snakemake.input.store).index
    index = index[faithfulness.sampled_rows(len(index), params.images, params.seed)]
    network, about = models.load(
        snakemake.input.weights,
        params.architecture,
        classes=len(dataset.classes),
        channels=dataset.images.shape[3],
    )
    shape = (dataset.images.shape[3], params.input_size, params.input_size)
    name, layer = models.target_layer(network, params.target_layer, shape)
    start = time.monotonic()
    layers = features.extract(
        network,
        layer,
        dataset.images[index],
        mean=about["mean"],
        std=about["std"],
        input_size=params.input_size,
        batch_size=params.batch_size,
        device=device,
    )
    representations.write(
        representations.represent(layers, index, params.neighbours),
        snakemake.output.representation,
    )
    sizes = ", ".join(f"{x[0].size:,}" for x in layers)
    print(f"{len(index):,} images, {sizes} features at {name} and before the classifier")
    log_usage(len(index), time.monotonic() - start)
