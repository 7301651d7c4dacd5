"""Balanced sampling on digits of unequal classes: accuracy, balanced accuracy, smallest classes.

    python benchmarks/class_balance.py --output benchmarks/class_balance.csv

The training set has 120 images of the largest class and 6 of the smallest (geometric in between);
which digit is which changes with the seed. The test images, 40 of each digit, are the same
for all networks. Accuracy is that at the class proportions of the training set, Σ share · recall.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy import stats

from campare import data, models, registry, sampling, train
from campare.preprocess import prepare
from campare.settings import Settings

LARGEST, RATIO, CLASSES, TEST, SIZE = 120, 20, 10, 40, 32
ARMS = {
    "all images": {},
    "balanced sampling": {"sampling": "balanced"},
    "class weights": {"class_weights": "balanced"},
}


def unequal(labels: np.ndarray, seed: int) -> pd.DataFrame:
    """A split: TEST images of each class for testing, 1 to 1/RATIO of LARGEST for training."""
    rng = np.random.default_rng(0)
    subset = np.full(len(labels), "", dtype="U10")
    for label in range(CLASSES):
        rows = rng.permutation(np.flatnonzero(labels == label))
        size = round(LARGEST * RATIO ** (-((label + seed) % CLASSES) / (CLASSES - 1)))
        subset[rows[:TEST]] = "test"
        subset[rows[TEST : TEST + size]] = "train"
        subset[rows[TEST + size : TEST + size + 5]] = "validation"
    frame = pd.DataFrame({"index": range(len(labels)), "label": labels, "subset": subset})
    return frame[frame["subset"] != ""].reset_index(drop=True)


def settings(augmentation: str, seed: int, epochs: int, **own: object) -> Settings:
    steps = []
    if augmentation != "none":
        parameters = registry.AUGMENTATIONS[augmentation].parameters
        steps = [(augmentation, {name: p.default for name, p in parameters.items()})]
    return Settings(
        architecture="small_cnn", input_size=SIZE, epochs=epochs, batch_size=32,
        learning_rate=3e-3, weight_decay=1e-5, precision="float32", device="cpu", threads=1,
        copies=len(steps), resample="each_epoch", augment_at="input", init_seed=seed,
        order_seed=seed, augmentation_seed=seed, steps=steps, keep="last", shuffle="each_epoch",
        **own,
    )  # fmt: skip


def recalls(own: Settings, digits: data.Dataset, split: pd.DataFrame) -> np.ndarray:
    """Recall of each class on the test images, after training."""
    with tempfile.TemporaryDirectory() as folder:
        weights, about, _ = train.train(
            own, digits, split, name="", checkpoint=Path(folder) / "checkpoint", code=[],
            progress=lambda event: None,
        )  # fmt: skip
    network = models.build(own.architecture, channels=1, classes=CLASSES, seed=0)
    network.load_state_dict(weights)
    rows = split["index"][split["subset"] == "test"].to_numpy()
    images = torch.from_numpy(digits.images[rows]).permute(0, 3, 1, 2)
    mean, std = (torch.tensor(about[name], dtype=torch.float32) for name in ("mean", "std"))
    with torch.inference_mode():
        predicted = network.eval()(prepare(images, mean, std, SIZE)).argmax(1).numpy()
    return np.bincount(digits.labels[rows], predicted == digits.labels[rows]) / TEST


def summary(networks: pd.DataFrame) -> pd.DataFrame:
    """Means over seeds, and differences from "all images" of the same seed with 95 % intervals."""
    rows = []
    for (augmentation, arm), own in networks.groupby(["augmentation", "arm"], sort=False):
        same = (networks["augmentation"] == augmentation) & (networks["arm"] == "all images")
        for measure in ("accuracy", "balanced_accuracy", "smallest"):
            change = own[measure].to_numpy() - networks.loc[same, measure].to_numpy()
            reach = stats.t.ppf(0.975, len(own) - 1) * change.std(ddof=1) / np.sqrt(len(own))
            rows.append(
                {"augmentation": augmentation, "arm": arm, "measure": measure, "seeds": len(own)}
                | {"mean": own[measure].mean(), "difference": change.mean()}
                | {"low": change.mean() - reach, "high": change.mean() + reach}
            )
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=20)
    given = parser.parse_args()
    digits = data.load("digits", root=None, size=None, fit="crop", channels=None)
    rows = []
    for seed in range(given.seeds):
        split = unequal(digits.labels, seed)
        training = split.loc[split["subset"] == "train", "label"].to_numpy()
        sizes = np.bincount(training, minlength=CLASSES)
        assert (sampling.counts(training, seed, 1) > 0).sum() < len(training)
        for augmentation in ("none", "affine"):
            for arm, own in ARMS.items():
                recall = recalls(settings(augmentation, seed, given.epochs, **own), digits, split)
                small = np.argsort(sizes)[:3]
                rows.append(
                    {"augmentation": augmentation, "arm": arm, "seed": seed}
                    | {"accuracy": float(sizes @ recall / sizes.sum())}
                    | {"balanced_accuracy": recall.mean(), "smallest": recall[small].mean()}
                )
                print(rows[-1], flush=True)
    summary(pd.DataFrame(rows)).round(5).to_csv(given.output, index=False)


if __name__ == "__main__":
    main()
