"""Map what one model looks at in every test image, into its CAM store."""

import time
from collections.abc import Iterator

from campare import cams, data, devices, models, registry, seeding, split, store
from job import logged, used


def told(batches: Iterator[cams.Batch], images: int) -> Iterator[cams.Batch]:
    """The same batches, with a line every half minute and at the end."""
    start = printed = time.monotonic()
    done = 0
    for batch in batches:
        yield batch
        done += len(batch.maps)
        now = time.monotonic()
        if now - printed >= 30 or done == images:
            printed = now
            print(f"{done:,} of {images:,} images, {done / (now - start):,.0f} images/s")
    used(done, time.monotonic() - start)


with logged(snakemake.log[0]):
    wanted = snakemake.params
    seeding.deterministic(wanted.threads)
    device = devices.choose(wanted.device)

    dataset = data.read(snakemake.input.data)
    frame = split.read(snakemake.input.split, len(dataset.images))
    index = frame["index"][frame["subset"] == "test"].to_numpy()
    images, labels = dataset.images[index], dataset.labels[index]

    channels = images.shape[3]
    shape = (channels, wanted.input_size, wanted.input_size)
    network, about = models.load(
        snakemake.input.weights,
        wanted.architecture,
        classes=len(dataset.classes),
        channels=channels,
    )
    name, layer = models.target_layer(network, wanted.target_layer, shape)
    head = models.head(network, layer, shape)
    if registry.CAM_METHODS[wanted.method].of == "input":
        name, route = "input", "backward pass all the way down"
    else:
        route = "no backward pass needed" if head else "backward pass down to the layer alone"
    print(f"{wanted.method} at {name}: {route}")

    # Empty where the model's own or the true class is explained, and for the baseline itself.
    baseline = store.read(snakemake.input.baseline[0]) if snakemake.input.baseline else None
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
        told(batches, len(images)),
        labels=labels,
        indices=index,
        attributes={
            "study": wanted.study,
            "augmentation": wanted.augmentation,
            "seed": wanted.seed,
            "architecture": wanted.architecture,
            "target_layer": name,
            "method": wanted.method,
            "class_policy": wanted.class_policy,
            "input_size": wanted.input_size,
            "checkpoint_sha256": store.sha256(snakemake.input.weights),
            "split_sha256": store.sha256(snakemake.input.split),
            "packages": store.packages(),
            "device": device.type,
            "threads": wanted.threads,
        },
    )
