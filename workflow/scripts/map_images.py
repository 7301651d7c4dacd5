"""Compute maps of other images or networks: training images, occluded images, a CNN with an SVM."""

import provenance
from campare import data, devices, explain, masks, models, seeding, split, store, svm
from job import logged, with_progress

with logged(snakemake.log[0]):
    params = snakemake.params
    seeding.deterministic(params.threads)
    device = devices.choose(params.device)

    dataset = data.read(snakemake.input.data)
    frame = split.read(snakemake.input.split, len(dataset.images))
    index = frame["index"][frame["subset"].isin(params.subsets)].to_numpy()
    images = data.Rows(dataset.images, index)
    if occlude := params.get("occlude"):
        images = masks.occluded(images[:], index, **occlude)

    network, about = models.load(
        snakemake.input.weights,
        params.architecture,
        classes=len(dataset.classes),
        channels=images.shape[3],
    )
    settings, weights = provenance.settings(params), [snakemake.input.weights]
    if classifier := snakemake.input.get("classifier"):
        weights.append(classifier)
        shape = (images.shape[3], params.input_size, params.input_size)
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
