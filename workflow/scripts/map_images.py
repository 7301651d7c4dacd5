"""Map images or a network other than the study's own: training images, patches, an SVM on top."""

from campare import cams, data, devices, masks, models, seeding, split, store, svm
from job import logged

with logged(snakemake.log[0]):
    wanted = snakemake.params
    seeding.deterministic(wanted.threads)
    device = devices.choose(wanted.device)

    dataset = data.read(snakemake.input.data)
    frame = split.read(snakemake.input.split, len(dataset.images))
    index = frame["index"][frame["subset"].isin(wanted.subsets)].to_numpy()
    images, labels = dataset.images[index], dataset.labels[index]
    if cover := wanted.get("cover"):
        images = masks.covered(images, index, **cover)

    channels = images.shape[3]
    shape = (channels, wanted.input_size, wanted.input_size)
    network, about = models.load(
        snakemake.input.weights,
        wanted.architecture,
        classes=len(dataset.classes),
        channels=channels,
    )
    made_from, wanted_layer = [snakemake.input.weights], wanted.target_layer
    if machine := snakemake.input.get("machine"):
        made_from.append(machine)
        wanted_layer = wanted_layer or models.last_map(network, shape)
        network = svm.topped(network, svm.Decision(svm.load(machine)))
        if device.type == "mps":  # it has no float64
            device = devices.choose("cpu")
    name, layer = models.target_layer(network, wanted_layer, shape)
    head = models.head(network, layer, shape)

    baseline = store.read(path) if (path := snakemake.input.get("baseline")) else None
    batches = cams.compute(
        network,
        layer,
        head,
        images,
        mean=about["mean"],
        std=about["std"],
        input_size=wanted.input_size,
        method=wanted.method,
        targets=cams.chosen_classes(wanted.class_policy, labels, index, baseline),
        batch_size=wanted.batch_size,
        device=device,
    )
    store.write(
        snakemake.output.store,
        batches,
        labels=labels,
        indices=index,
        attributes={
            "study": wanted.study,
            "augmentation": wanted.variant,
            "seed": wanted.seed,
            "architecture": wanted.architecture,
            "target_layer": name,
            "method": wanted.method,
            "class_policy": wanted.class_policy,
            "input_size": wanted.input_size,
            "checkpoint_sha256": " ".join(store.sha256(path) for path in made_from),
            "split_sha256": store.sha256(snakemake.input.split),
            "packages": store.packages(),
            "device": device.type,
            "threads": wanted.threads,
        },
    )
    print(f"{wanted.method} of {len(images):,} images at {name}")
