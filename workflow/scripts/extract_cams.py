"""Compute one model's class activation map of every test image, into its CAM store."""

import provenance
from campare import data, explain, split, store
from job import logged, with_progress
from network_job import NetworkJob

with logged(snakemake.log[0]):
    params = snakemake.params
    job = NetworkJob(snakemake)
    dataset, device = job.dataset, job.device
    frame = split.read(snakemake.input.split, len(dataset.images))
    index = frame["index"][frame["subset"] == "test"].to_numpy()
    network, about = job.network()
    # No input if the model's own or the true class is explained, and for the baseline itself.
    baseline = store.read(snakemake.input.baseline[0]) if snakemake.input.baseline else None
    route = explain.into_store(
        snakemake.output.store,
        network,
        about,
        data.Rows(dataset.images, index),
        dataset.labels[index],
        index,
        settings=provenance.settings(params),
        baseline=baseline,
        device=device,
        weights=[snakemake.input.weights],
        split=snakemake.input.split,
        with_progress=lambda batches: with_progress(batches, len(index)),
    )
    print(route)
