"""Change the training data of one model: its labels, their number, or the share with the cue."""

from dataclasses import replace

from campare import changed_data, data, known_changes, split
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    dataset = data.read(snakemake.input.data)
    frame = split.read(snakemake.input.split, len(dataset.images))
    rows = frame["index"][frame["subset"] == "train"].to_numpy()
    if params.change == known_changes.LABEL_NOISE:
        noisy = changed_data.with_label_noise(
            dataset.labels, rows, len(dataset.classes), params.level, params.seed
        )
        print(f"{(noisy != dataset.labels).sum():,} of {len(rows):,} training labels changed")
        dataset = replace(dataset, labels=noisy)
    elif params.change == known_changes.TRAINING_IMAGES:
        frame = changed_data.with_fewer_images(frame, params.level, params.seed)
        left = int((frame["subset"] == "train").sum())
        print(f"{left:,} of {len(rows):,} training images kept")
    else:
        source = {key: params.source[key] for key in ("name", "root", "size", "fit", "channels")}
        parameters = {**params.source["parameters"], "cue_share": params.level}
        other = data.load(**source, **parameters)
        fitted = frame["index"][frame["subset"] != "test"].to_numpy()
        changed = (dataset.images != other.images).any(axis=(1, 2, 3))[fitted].sum()
        dataset = changed_data.with_images_of(dataset, other, fitted)
        print(f"{changed:,} of {len(fitted):,} training and validation images changed")
    data.write(dataset, snakemake.output.data)
    split.write(frame, snakemake.output.split)
