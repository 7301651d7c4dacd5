"""Make common corruptions of a sample of test images, at the size of the network's input."""

from campare import corruptions, data
from campare.preprocess import at_input_size
from job import logged
from network_job import sampled

with logged(snakemake.log[0]):
    params = snakemake.params
    dataset = data.read(snakemake.input.data)
    _, index = sampled(snakemake)
    corruptions.write(
        at_input_size(dataset.images[index], params.input_size),
        index,
        params.corruptions,
        params.severities,
        params.seed,
        snakemake.output.corrupted,
    )
    print(
        f"{len(index):,} images, {len(params.corruptions)} corruptions, severities "
        f"{', '.join(map(str, params.severities))}"
    )
