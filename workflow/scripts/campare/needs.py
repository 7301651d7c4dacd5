"""What the jobs of a study ask of the machine they run on: minutes and MB.

Asked of a scheduler before the job has run, so on the generous side. A job that was cut short asks
for more at its next attempt, and training goes on where it was, so a poor guess costs little.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from campare import registry
from campare.design import Design

# Multiplications and additions per second that a slow machine reaches in such networks: measured,
# 33e9 a CPU thread forward in EfficientNet-B0, 17e9 in training.
PER_THREAD = 5e9
PER_GPU = 300e9
# Images augmented, pairs of maps measured, per second and thread.
AUGMENTED = 1500
COMPARED = 200
# 1e6 pixels of pictures with a hole, imputed per second: measured, 0.4 at 224 px, half of it gone.
IMPUTED = 0.2
# A forward and a backward pass.
TRAINING = 3

START = 5  # minutes: imports from a slow disk, a queue of the file system
# Bytes: of Python with torch (650 MB measured), of the host's memory that CUDA holds besides, of
# what a network keeps of each pixel of its input until the backward pass (EfficientNet-B0 1,600,
# DenseNet-121 3,100), and of a row of measurements with what a figure makes of it.
PYTHON = 1_500_000_000
CUDA = 3_000_000_000
KEPT = 4_000
ROW = 500

# Where the files are not there yet, and the study is only planned: images, bytes.
DATA = 200_000_000
USUAL = {"train": 50_000, "validation": 10_000, "test": 10_000}

Wildcards = Mapping[str, str]


class Need(NamedTuple):
    """What a job may use: minutes of time, MB of memory."""

    minutes: int
    memory: int


@dataclass(frozen=True)
class Needs:
    """What the jobs of a study need, by kind: each method takes the wildcards of a job.

    data, split: the files of images and of the first split, which may not be there yet. gpu: 1
    where networks run on one.
    """

    design: Design
    data: Path
    split: Path
    gpu: int

    def load(self, _: Wildcards) -> Need:
        """To read the data set."""
        return Need(60, 3000)

    def split_data(self, _: Wildcards) -> Need:
        """To split it."""
        return Need(10, 3000)

    def train(self, job: Wildcards) -> Need:
        """To train a model (augmentation) or a candidate architecture (architecture)."""
        images = self._epoch(job)
        minutes = training_minutes(
            images,
            self.design.epochs_of(job.get("augmentation")),
            self._gmacs(job),
            self._threads,
            self.gpu,
        )
        return Need(minutes, self._training_memory(images))

    def augment(self, job: Wildcards) -> Need:
        """To draw the training images of a model."""
        return Need(60, self._training_memory(self._epoch(job)))

    def map(self, job: Wildcards) -> Need:
        """To map the test images under a model."""
        passes = (registry.CAM_METHODS[v.method].passes for v in self.design.variants.values())
        minutes = explaining_minutes(
            self._images["test"], max(passes), self._gmacs(job), self._threads, self.gpu
        )
        return Need(minutes, self._network_memory)

    def map_other(self, _: Wildcards) -> Need:
        """To map other images, or under another network."""
        return Need(120, self._network_memory)

    def compare(self, _: Wildcards) -> Need:
        """To compare the maps of an augmentation's models with those of their baselines."""
        pairs = self._images["test"] * len(self.design.seeds) * self.design.most_references
        return Need(comparing_minutes(pairs, self._threads), self._table_memory)

    def compare_pairs(self, job: Wildcards) -> Need:
        """To compare the maps of pairs of models."""
        pairs = self._pairs(job["augmentation"])
        return Need(comparing_minutes(pairs, self._threads), table_memory(pairs))

    def compare_uninformative(self, _: Wildcards) -> Need:
        """To compare one model's maps of each training set with maps that know nothing."""
        sets = len(self.design.examples) + len(self.design.matched)
        pairs = self._images["test"] * 4 * sets
        return Need(comparing_minutes(pairs, self._threads), self._table_memory)

    def localise(self, job: Wildcards) -> Need:
        """To score a model's maps against masks."""
        return Need(self.compare(job).minutes, self._network_memory)

    def test_faithfulness(self, job: Wildcards) -> Need:
        """Forward passes of each curve of two maps, and imputation of each hole of ROAD."""
        stage = self.design.study["faithfulness"]
        shares = len(stage["road"])
        passes = 4 * (stage["steps"] + 1 + shares)
        minutes = explaining_minutes(
            stage["images"], passes, self._gmacs(job), self._threads, self.gpu
        )
        holes = 4 * shares * stage["images"]
        return Need(minutes + imputing_minutes(holes, self._input_size), self._network_memory)

    def fit_svm(self, _: Wildcards) -> Need:
        """To fit an SVM."""
        return Need(720, 8000)

    def pixels(self, _: Wildcards) -> Need:
        """To hold the pixels of all images several times."""
        return Need(60, 8000)

    def table(self, _: Wildcards) -> Need:
        """A table or a figure of all similarities."""
        return Need(10, self._table_memory)

    def statistics(self, _: Wildcards) -> Need:
        """Statistics that resample models and images."""
        pairs = self._pairs(*self.design.with_pairs)
        return Need(120, max(table_memory(pairs), self._table_memory))

    @property
    def _images(self) -> Mapping[str, int]:
        """Images in each subset; the file may be made while Snakemake runs."""
        return sizes(self.split)

    @property
    def _threads(self) -> int:
        return int(self.design.study["compute"]["threads"])

    @property
    def _input_size(self) -> int:
        return int(self.design.study["model"]["input_size"])

    def _gmacs(self, job: Wildcards) -> float:
        """What a forward pass of a job's network costs."""
        name = job.get("architecture", self.design.study["model"]["architecture"])
        return registry.gmacs(name, self._input_size)

    def _epoch(self, job: Wildcards) -> int:
        """Images of an epoch, copies included."""
        return self._images["train"] * (1 + self.design.copies_of(job.get("augmentation")))

    def _pairs(self, *augmentations: str) -> int:
        """Pairs of maps of these."""
        return self._images["test"] * sum(len(self.design.pairs_of(name)) for name in augmentations)

    def _training_memory(self, images: int) -> int:
        training = self.design.study["training"]
        batch_size = training["batch_size"] or math.ceil(images / training["steps_per_epoch"])
        kept = images if self.design.study["augmenting"]["resample"] == "once" else 0
        return network_memory(self.data, kept, batch_size, self._input_size, self.gpu)

    @property
    def _network_memory(self) -> int:
        batch_size = self.design.study["cam"]["batch_size"]
        return network_memory(self.data, 0, batch_size, self._input_size, self.gpu)

    @property
    def _table_memory(self) -> int:
        """Of a job that reads every row of every similarity table."""
        rows = self._images["test"] * len(self.design.models) * self.design.most_references
        return table_memory(rows)


def sizes(split: str | Path) -> dict[str, int]:
    """Images in each subset of a split file; those of CIFAR-10 where there is no file yet."""
    path = Path(split)
    return _counted(path, path.stat().st_mtime_ns) if path.exists() else USUAL


@lru_cache(maxsize=64)
def _counted(path: Path, _: int) -> dict[str, int]:
    with path.open(encoding="utf-8") as lines:
        return Counter(line.rstrip("\n").rpartition(",")[2] for line in lines)


def training_minutes(images: int, epochs: int, gmacs: float, threads: int, gpu: int) -> int:
    """Minutes to train: `images` of each epoch, copies included, `gmacs` 1e9 per forward pass."""
    seconds = (
        images
        * epochs
        * max(TRAINING * _seconds(gmacs, threads, gpu), 1 / (AUGMENTED * (1 if gpu else threads)))
    )
    return _minutes(seconds)


def explaining_minutes(images: int, passes: int, gmacs: float, threads: int, gpu: int) -> int:
    """Minutes to map `images`, each in so many forward passes' time."""
    return _minutes(images * max(passes * _seconds(gmacs, threads, gpu), 1 / AUGMENTED))


def comparing_minutes(pairs: int, threads: int) -> int:
    """Minutes to measure so many pairs of maps."""
    return _minutes(pairs / (COMPARED * threads))


def imputing_minutes(holes: int, input_size: int) -> int:
    """Minutes to fill so many holes of half a picture."""
    return math.ceil(holes * input_size**2 * 1e-6 / IMPUTED / 60)


def network_memory(data: str | Path, kept: int, batch: int, input_size: int, gpu: int) -> int:
    """MB of a job with a network: `data` file read, `kept` augmented images, `batch` at once."""
    path = Path(data)
    read = path.stat().st_size if path.exists() else DATA
    pixels = input_size**2
    activations = 0 if gpu else batch * pixels * KEPT
    return _megabytes(PYTHON + CUDA * gpu + 3 * read + 3 * kept * pixels + activations)


def table_memory(rows: int) -> int:
    """MB of a job that holds so many rows of measurements, and draws them."""
    return _megabytes(PYTHON + rows * ROW)


def _seconds(gmacs: float, threads: int, gpu: int) -> float:
    """Seconds of one forward pass of one image."""
    return gmacs * 1e9 / (PER_GPU if gpu else PER_THREAD * threads)


def _minutes(seconds: float) -> int:
    return START + math.ceil(seconds / 60)


def _megabytes(size: float) -> int:
    return math.ceil(size / 1e6)
