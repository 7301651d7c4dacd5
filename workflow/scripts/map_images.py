"""Compute maps of other images or networks: training images, occluded images, a CNN with an SVM."""

from functools import partial

import provenance
from campare import data, devices, explain, masks, models, split, store, svm
from campare.sizes import pair
from job import logged, with_progress
from network_job import NetworkJob

with logged(snakemake.log[0]):
    params = snakemake.params
    job = NetworkJob(snakemake)
    dataset, device = job.dataset, job.device
    frame = split.read(snakemake.input.split, len(dataset.images))
    index = frame["index"][frame["subset"].isin(params.subsets)].to_numpy()
    occlude = params.get("occlude")
    change = partial(masks.occluded, **occlude) if occlude else None
    images = data.Rows(dataset.images, index, change)

    network, about = job.network()
    settings, weights = provenance.settings(params), [snakemake.input.weights]
    if classifier := snakemake.input.get("classifier"):
        weights.append(classifier)
        shape = (images.shape[3], *pair(params.input_size))
        settings["target_layer"] = params.target_layer or models.last_map(network, shape)
        network = svm.with_head(network, svm.Decision(svm.load(classifier)))
        if device.type == "mps":  # MPS has no float64
            device = devices.choose("cpu")

    route = explain.into_store(
        snakemake.output.store,
        network,
        about,
        images,
        dataset.labels[index],
        index,
        settings=settings,
        baseline=store.read(path) if (path := snakemake.input.get("baseline")) else None,
        device=device,
        weights=weights,
        split=snakemake.input.split,
        with_progress=lambda batches: with_progress(batches, len(index)),
    )
    print(route)
