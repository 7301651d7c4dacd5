"""Split the data set into training, validation and test images."""

from campare import data, split
from early_checks import check_images
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    dataset = data.read(snakemake.input.data)
    frame = split.stratified(
        dataset.labels,
        dataset.part,
        validation=params.validation,
        test=params.test,
        subset=params.subset,
        seed=params.seed,
        training_seed=params.training_seed,
        classes=dataset.classes,
    )
    # With the config, not `params`: other requirements must not change the split.
    check_images(snakemake.input.data, dataset, frame, snakemake.config)
    split.write(frame, snakemake.output.split)
    print(", ".join(f"{n:,} {name}" for name, n in frame["subset"].value_counts().items()))
