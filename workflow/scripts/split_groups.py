"""Split the images of a manifest or of arrays, by their subsets and by groups if there are some."""

from pathlib import Path

from campare import array_files, data, group_split, manifest_images, split
from campare.errors import CampareError
from early_checks import check_images
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    dataset = data.read(snakemake.input.data)
    if manifest := snakemake.input.get("manifest"):
        file, group = Path(manifest), params.get("group")
        table = manifest_images.rows(file)
        if len(table) != len(dataset.labels):
            raise CampareError(f"{file}: changed while the study ran; run snakemake again")
        part = manifest_images.subsets(file, table)
        groups = None if group is None else manifest_images.groups(file, table, group)
    else:
        part = dataset.part
        groups = array_files.groups(Path(params.root).expanduser(), part)
    frame = group_split.split(
        dataset.labels,
        part,
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
