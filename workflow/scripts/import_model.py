"""Convert the weights of a network that was trained elsewhere to a model of the study."""

from pathlib import Path

import provenance
from campare import data, preprocess, split, store, trained
from campare.checkpoints import save
from early_checks import check_metrics
from job import logged

with logged(snakemake.log[0]):
    params, path = snakemake.params, snakemake.input.file
    dataset = data.read(snakemake.input.data)
    check_metrics(dataset.classes)
    frame = split.read(snakemake.input.split, len(dataset.images))
    network = trained.load(
        path,
        params.architecture,
        classes=dataset.classes,
        outputs=params.classes,
        channels=dataset.images.shape[3],
        input_size=params.input_size,
        parameters=params.get("architecture_parameters"),
    )
    own = None if params.override else trained.own_normalisation(path)
    if own is None:
        training = frame["index"][frame["subset"] == "train"].to_numpy()
        mean, std = preprocess.normalisation(params.normalise, data.Rows(dataset.images, training))
        origin = f"normalise: {params.normalise}"
    else:
        (mean, std), origin = own, "in the file of weights"
    digest = store.sha256(path)
    about = {
        "settings": provenance.settings(params),
        "mean": mean,
        "std": std,
        "outputs": list(params.classes or dataset.classes),
        "file": str(path),
        "sha256": digest,
    }
    save(Path(snakemake.output.weights), network.state_dict(), about)
    print(f"{params.architecture} from {path}, SHA-256 {digest}")
    print(f"images are normalised with mean {mean} and standard deviation {std} ({origin})")
