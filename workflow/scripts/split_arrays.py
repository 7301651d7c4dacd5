"""Split the images of a file of arrays so that every group is in one subset."""

from pathlib import Path

from campare import array_files, data, group_split, split
from early_checks import check_images
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    dataset = data.read(snakemake.input.data)
    groups = array_files.groups(Path(params.root).expanduser(), dataset.part)
    frame = group_split.split(
        dataset.labels,
        dataset.part,
        groups,
        validation=params.validation,
        test=params.test,
        subset=params.subset,
        seed=params.seed,
        training_seed=params.training_seed,
        classes=dataset.classes,
    )
    check_images(snakemake.input.data, dataset, frame, snakemake.config)
    split.write(frame, snakemake.output.split)
    print(group_split.report(frame, groups))
