"""Read the data set into one array file."""

from campare import data
from job import logged

with logged(snakemake.log[0]):
    wanted = snakemake.params
    dataset = data.load(
        wanted.name, root=wanted.root, size=wanted.size, fit=wanted.fit, channels=wanted.channels
    )
    data.write(dataset, snakemake.output.data)
    count, height, width, channels = dataset.images.shape
    print(f"{count:,} pictures, {width}×{height}×{channels}, {len(dataset.classes)} classes")
