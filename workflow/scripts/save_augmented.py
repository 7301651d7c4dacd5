"""Save the training images of one model, with the augmented copies."""

from campare import augmented, data, seeding, split
from campare.settings import Settings
from job import logged

with logged(snakemake.log[0]):
    dataset = data.read(snakemake.input.data)
    frame = split.read(snakemake.input.split, len(dataset.images))
    settings = Settings.of(snakemake.params.settings, frame)
    seeding.deterministic(settings.threads)
    images = augmented.drawn(settings, dataset, frame)
    augmented.write(images, snakemake.output.images)
    print(f"{len(images.images):,} images, {(images.copy > 0).sum():,} of them augmented")
