"""Compute one model's class activation map of every test image, into its CAM store."""

import provenance
from campare import data, devices, explain, models, seeding, split, store
from job import logged, with_progress

with logged(snakemake.log[0]):
    params = snakemake.params
    seeding.deterministic(params.threads)
    device = devices.choose(params.device)

    dataset = data.read(snakemake.input.data)
    frame = split.read(snakemake.input.split, len(dataset.images))
    index = frame["index"][frame["subset"] == "test"].to_numpy()
    network, about = models.load(
        snakemake.input.weights,
        params.architecture,
        classes=len(dataset.classes),
        channels=dataset.images.shape[3],
    )
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
