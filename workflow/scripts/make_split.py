"""Split the data set into training, validation and test images."""

from campare import data, split
from job import logged

with logged(snakemake.log[0]):
    wanted = snakemake.params
    dataset = data.read(snakemake.input.data)
    frame = split.stratified(
        dataset.labels,
        dataset.part,
        validation=wanted.validation,
        test=wanted.test,
        subset=wanted.subset,
        seed=wanted.seed,
        training_seed=wanted.training_seed,
        classes=dataset.classes,
    )
    split.write(frame, snakemake.output.split)
    print(", ".join(f"{n:,} {name}" for name, n in frame["subset"].value_counts().items()))
