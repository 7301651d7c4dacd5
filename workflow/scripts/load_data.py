"""Read the data set into one array file; warn of irregularities at the end of the run."""

import sys
from pathlib import Path

from campare import data, data_checks, scratch
from early_checks import check_files
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    check_files()
    with scratch.folder(Path(snakemake.output.data).parent):
        dataset = data.load(
            params.name,
            root=params.root,
            size=params.size,
            fit=params.fit,
            channels=params.channels,
            input_shape=params.get("input_shape", "square"),
            **params.get("parameters", {}),
        )
    data.write(dataset, snakemake.output.data)
    if files := params.get("files"):
        Path(snakemake.output.data).with_name(".data_listing").write_text(files, encoding="ascii")
    count, height, width, channels = dataset.images.shape
    print(
        f"{count:,} images, {width}×{height}×{channels}, {len(dataset.classes)} classes, "
        f"grey levels {dataset.images.min()} to {dataset.images.max()}"
    )
    for remark in data_checks.of(dataset):
        print(f"warning: {remark}", file=sys.stderr)
    if dataset.regions:
        for name, masks in zip(
            dataset.regions.names, dataset.regions.masks.swapaxes(0, 1), strict=True
        ):
            present = masks.any(axis=(1, 2))
            area = masks[present].mean() if present.any() else 0.0
            print(f"region {name}: in {present.sum():,} images, {area:.1%} of their area")
