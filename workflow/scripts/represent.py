"""Compute the geometry of a sample of test images in the features of one model."""

import time

from campare import features, models, representations
from campare.sizes import pair
from job import log_usage, logged
from network_job import NetworkJob, sampled

with logged(snakemake.log[0]):
    params = snakemake.params
    job = NetworkJob(snakemake)
    dataset, device = job.dataset, job.device
    _, index = sampled(snakemake)
    network, about = job.network()
    shape = (dataset.images.shape[3], *pair(params.input_size))
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
