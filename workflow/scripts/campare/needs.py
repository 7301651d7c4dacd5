"""Estimates of the time (minutes) and memory (MB) that the jobs of a study need.

They are requested from a scheduler before a job runs, and so are generous. A job that exceeds them
requests more at its next attempt, and training continues from its checkpoint, so a poor estimate
costs little.
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
from campare.design import BASELINE, MOST_SETS, Design
from campare.known_changes import lengthening
from campare.memory import RESIDENT
from campare.sizes import Size, pair

# Multiplications and additions per second of a slow machine. Measured: 33e9 per CPU thread in
# forward passes of EfficientNet-B0, 17e9 in training.
PER_THREAD = 5e9
PER_GPU = 300e9
# Images augmented, pairs of maps measured, per second and thread.
AUGMENTED = 1500
COMPARED = 200
# 1e6 pixels of images with missing pixels, imputed per second. Measured: 0.4 at 224 px with half of
# the pixels missing.
IMPUTED = 0.2
# Cost of a forward and a backward pass, in forward passes.
TRAINING = 3

START = 5  # minutes: imports from a slow disk, waiting for the file system
# Bytes: Python with torch (650 MB measured); host memory that CUDA needs in addition; activations
# per input pixel that a network stores until the backward pass (EfficientNet-B0 1,600, DenseNet-121
# 3,100); a row of a table, including the memory of a figure of it.
PYTHON = 1_500_000_000
CUDA = 3_000_000_000
KEPT = 4_000
ROW = 500
# Bytes of features of an image at the target layer, per input pixel: 9,408 numbers at 32 px in two
# precisions (the CIFAR network), 62,720 at 224 px (EfficientNet-B0).
FEATURES = 120

# Assumptions while the files do not exist and the study is only planned: bytes, images.
DATA = 200_000_000
USUAL = {"train": 50_000, "validation": 10_000, "test": 10_000}

Wildcards = Mapping[str, str]


class Need(NamedTuple):
    """Minutes of time and MB of memory that a job may use."""

    minutes: int
    memory: int


@dataclass(frozen=True)
class Needs:
    """Needs of the jobs of a study, by kind; each method takes the wildcards of a job.

    data, split: the files of images and of the first split, which may not exist yet. gpu: 1 if
    networks run on a GPU, else 0.
    """

    design: Design
    data: Path
    split: Path
    gpu: int

    def load(self, _: Wildcards) -> Need:
        """Reading the data set."""
        return Need(60, 3000)

    def split_data(self, _: Wildcards) -> Need:
        """Splitting the data set."""
        return Need(10, 3000)

    def train(self, job: Wildcards) -> Need:
        """Training a model (wildcard augmentation) or a candidate architecture (architecture).

        For all epochs, also if training may end early.
        """
        images = self._epoch(job)
        recalibrating = self.design.study["training"]["recalibrate_batch_norm"] or 0
        minutes = training_minutes(
            images + min(images, recalibrating * self._batch_size(images)),
            self.design.epochs_of(job.get("augmentation")),
            self._gmacs(job),
            self._threads,
            self.gpu,
        )
        return Need(minutes, self._training_memory(images))

    def augment(self, job: Wildcards) -> Need:
        """Drawing the training images of a model."""
        return Need(60, self._training_memory(self._epoch(job)))

    def map(self, job: Wildcards) -> Need:
        """Mapping the test images under a model."""
        methods = {variant.method for variant in self.design.variants.values()}
        passes = max(registry.entry(registry.CAM_METHODS, name).passes for name in methods)
        minutes = explaining_minutes(
            self._images["test"], passes, self._gmacs(job), self._threads, self.gpu
        )
        return Need(minutes, self._network_memory)

    def map_other(self, _: Wildcards) -> Need:
        """Mapping other images, or under another network."""
        return Need(120, self._network_memory)

    def compare(self, _: Wildcards) -> Need:
        """Comparing the maps of an augmentation's models with those of their baselines."""
        pairs = self._images["test"] * len(self.design.seeds) * self.design.most_references
        return Need(comparing_minutes(pairs, self._threads), self._table_memory)

    def compare_pairs(self, job: Wildcards) -> Need:
        """Comparing the maps of pairs of models."""
        pairs = self._pairs(job["augmentation"])
        return Need(comparing_minutes(pairs, self._threads), table_memory(pairs))

    def compare_uninformative(self, _: Wildcards) -> Need:
        """Comparing maps of one model of each training set with uninformative reference maps."""
        sets = len(self.design.examples) + len(self.design.matched)
        pairs = self._images["test"] * 4 * sets
        return Need(comparing_minutes(pairs, self._threads), table_memory(pairs))

    def localise(self, job: Wildcards) -> Need:
        """Scoring a model's maps against masks."""
        return Need(self.compare(job).minutes, self._network_memory)

    def test_faithfulness(self, job: Wildcards) -> Need:
        """Forward passes for the curves of two maps, and the imputations of ROAD."""
        stage = self.design.study["faithfulness"]
        shares = len(stage["road"])
        passes = 4 * (stage["steps"] + 1 + shares)
        minutes = explaining_minutes(
            stage["images"], passes, self._gmacs(job), self._threads, self.gpu
        )
        holes = 4 * shares * stage["images"]
        return Need(minutes + imputing_minutes(holes, self._pixels), self._network_memory)

    def exchange_maps(self, job: Wildcards) -> Need:
        """Forward passes for the curves of two maps under each of two networks."""
        stage = self.design.study["map_exchange"]
        passes = 2 * 4 * (stage["steps"] + 1)
        minutes = explaining_minutes(
            stage["images"], passes, self._gmacs(job), self._threads, self.gpu
        )
        return Need(minutes, 2 * self._network_memory)

    def check_sanity(self, job: Wildcards) -> Need:
        """Maps of a sample of images under randomised copies of a network."""
        stage = self.design.study["sanity"]
        methods = {variant.method for variant in self.design.variants.values()}
        passes = max(registry.entry(registry.CAM_METHODS, name).passes for name in methods)
        maps = 3 + (stage["points"] + 1) * (1 + stage["samples"])
        images = stage["images"]
        minutes = explaining_minutes(
            images, passes * maps, self._gmacs(job), self._threads, self.gpu
        )
        held = 40 * images * self._pixels  # the images, and one noisy copy of each
        return Need(minutes, self._network_memory + _megabytes(held))

    def train_permuted(self, job: Wildcards) -> Need:
        """Training a network on permuted labels."""
        epochs = self.design.study["sanity"]["permuted_labels"]
        ratio = epochs / self.design.study["training"]["epochs"]
        minutes, memory = self.train(job)
        return Need(math.ceil(minutes * max(1, ratio)), memory)

    def finetune(self, job: Wildcards) -> Need:
        """Fine-tuning a model on images with deleted cells."""
        images = self._images["train"]
        epochs = self.design.study["single_deletion"]["epochs"]
        gmacs = self._gmacs(job)
        minutes = training_minutes(images, epochs, gmacs, self._threads, self.gpu)
        return Need(minutes, self._training_memory(images))

    def delete_cells(self, job: Wildcards) -> Need:
        """Maps of a sample of images, and the scores without each cell, under two networks."""
        stage = self.design.study["single_deletion"]
        methods = {variant.method for variant in self.design.variants.values()}
        passes = max(registry.entry(registry.CAM_METHODS, name).passes for name in methods)
        passes = 2 * (passes + 1 + stage["cells"] ** 2)
        minutes = explaining_minutes(
            stage["images"], passes, self._gmacs(job), self._threads, self.gpu
        )
        return Need(minutes, self._network_memory)

    def map_mosaics(self, job: Wildcards) -> Need:
        """Mapping mosaics of test images, and scoring the maps."""
        stage = self.design.study["mosaics"]
        images = 2 * stage["mosaics"] * stage["cells"] ** 2
        minutes = explaining_minutes(images, 3, self._gmacs(job), self._threads, self.gpu)
        return Need(minutes, self._network_memory + _megabytes(20 * images * self._pixels))

    def represent(self, job: Wildcards) -> Need:
        """Features of a sample of test images, and their Gram matrices."""
        images = self.design.study["representations"]["images"]
        minutes = explaining_minutes(images, 1, self._gmacs(job), self._threads, self.gpu)
        features = FEATURES * self._pixels
        return Need(minutes, self._network_memory + _megabytes(images * (features + 50 * images)))

    def corrupt(self, _: Wildcards) -> Need:
        """Corrupting a sample of test images; measured: 2 ms per image of 32 × 32 pixels."""
        images = self._corrupted * self._pixels
        return Need(_minutes(images * 1e-5), _megabytes(PYTHON + 12 * images / self._kinds))

    def test_corruptions(self, job: Wildcards) -> Need:
        """Predictions for corrupted images."""
        minutes = explaining_minutes(self._corrupted, 1, self._gmacs(job), self._threads, self.gpu)
        return Need(minutes, self._network_memory)

    def test_transforms(self, job: Wildcards) -> Need:
        """Maps of transformed images, and their comparison."""
        images = self.design.study["robustness"]["images"] * (1 + len(self.design.test_transforms))
        minutes = explaining_minutes(images, 3, self._gmacs(job), self._threads, self.gpu)
        # Regions of different shape are compared one by one.
        minutes += comparing_minutes(4 * images, 1)
        return Need(minutes, self._network_memory + _megabytes(200 * images * self._pixels))

    def fit_svm(self, _: Wildcards) -> Need:
        """Fitting an SVM."""
        return Need(720, 8000)

    def pixels(self, _: Wildcards) -> Need:
        """Holding the pixels of all images in memory several times."""
        return Need(60, 8000)

    def table(self, _: Wildcards) -> Need:
        """A table or a figure of all similarities."""
        # Figures of segments hold a metric of the augmentations that they show.
        shown = min(len(self.design.augmentations), MOST_SETS)
        rows = self._images["test"] * len(self.design.seeds) * self.design.most_references
        return Need(10, self._table_memory + _megabytes(80 * shown * rows))

    def explore(self, _: Wildcards) -> Need:
        """The explorer: metrics of all models, the maps of one model, at the input size at most,
        and those of all models, reduced to 240 million values (`explorer.MAP_VALUES`)."""
        pixels = self._images["test"] * math.prod(self._input_size)
        models = len(self.design.models)
        kept = min(pixels * models, 240_000_000)
        numbers = self._images["test"] * models * (8 + len(self.design.metrics))
        return Need(60, self._table_memory + _megabytes(12 * (pixels + kept) + 24 * numbers))

    def statistics(self, _: Wildcards) -> Need:
        """Statistics that resample models and images.

        The pairs of an augmentation and of the arms that it is compared with are in memory, or all
        values of all metrics, several times. With `reference: none` all pairs are.
        """
        names = self.design.with_pairs
        held = [name for name in names if name in registry.RESERVED.values() or name == BASELINE]
        largest = max(map(self._pairs, names), default=0)
        pairs = self._pairs(*(held if self.design.compares else names)) + largest
        values = self._images["test"] * len(self.design.augmented) * len(self.design.metrics)
        memory = table_memory(pairs), self._table_memory + _megabytes(40 * values)
        return Need(120, max(memory))

    @property
    def _images(self) -> Mapping[str, int]:
        """Images in each subset; read on use, since the file may appear while Snakemake runs."""
        return sizes(self.split)

    @property
    def _kinds(self) -> int:
        """Sets of images of the stage `robustness`: the images, and each corruption of them."""
        stage = self.design.study["robustness"]
        return 1 + len(stage["corruptions"]) * len(stage["severities"])

    @property
    def _corrupted(self) -> int:
        """Images in these sets."""
        return self._kinds * int(self.design.study["robustness"]["images"])

    @property
    def _threads(self) -> int:
        return int(self.design.study["compute"]["threads"])

    @property
    def _input_size(self) -> tuple[int, int]:
        return pair(self.design.study["model"]["input_size"])

    @property
    def _channels(self) -> int:
        """Channels of the images; 3 if they are grey or RGB."""
        return max(3, self.design.study["data"]["channels"] or 3)

    @property
    def _pixels(self) -> int:
        """Pixels of an input of the network, if three of its values are one pixel."""
        return math.prod(self._input_size) * self._channels // 3

    def _gmacs(self, job: Wildcards) -> float:
        """1e9 multiplications and additions of a forward pass of a job's network."""
        name = job.get("architecture", self.design.study["model"]["architecture"])
        return registry.gmacs(name, self._input_size)

    def _epoch(self, job: Wildcards) -> int:
        """Images of an epoch, including copies."""
        name = job.get("augmentation")
        images = self._images["train"] * (1 + self.design.copies_of(name))
        change = self.design.changes.get(name or "")
        return math.ceil(images / lengthening(change)) if change else images

    def _pairs(self, *augmentations: str) -> int:
        """Number of pairs of maps of some augmentations."""
        return self._images["test"] * sum(len(self.design.pairs_of(name)) for name in augmentations)

    def _training_memory(self, images: int) -> int:
        # Images drawn once are kept if those of which they are made are (`training_images`).
        counts = self._images
        own = _size(self.data) * counts["train"] / sum(counts.values())
        once = self.design.study["augmenting"]["resample"] == "once"
        kept = images if once and own <= RESIDENT else 0
        batch_size = self._batch_size(images)
        return network_memory(
            self.data, kept, batch_size, self._input_size, self.gpu, self._channels
        )

    def _batch_size(self, images: int) -> int:
        """Images per training step, if an epoch has `images`."""
        training = self.design.study["training"]
        return int(training["batch_size"] or math.ceil(images / training["steps_per_epoch"]))

    @property
    def _network_memory(self) -> int:
        batch_size = self.design.study["cam"]["batch_size"]
        return network_memory(self.data, 0, batch_size, self._input_size, self.gpu, self._channels)

    @property
    def _table_memory(self) -> int:
        """Memory of a job that reads the similarity tables of one augmentation after the other.

        In memory are the rows of one, and the means over seeds of all.
        """
        images, design = self._images["test"], self.design
        one = images * len(design.seeds) * design.most_references
        means = images * (len(design.augmentations) + len(registry.RESERVED))
        return table_memory(one + means)


def sizes(split: str | Path) -> dict[str, int]:
    """Images in each subset of a split file; those of CIFAR-10 if there is no file yet."""
    path = Path(split)
    return _counted(path, path.stat().st_mtime_ns) if path.exists() else USUAL


@lru_cache(maxsize=64)
def _counted(path: Path, _: int) -> dict[str, int]:
    with path.open(encoding="utf-8") as lines:
        return Counter(line.rstrip("\n").rpartition(",")[2] for line in lines)


def training_minutes(images: int, epochs: int, gmacs: float, threads: int, gpu: int) -> int:
    """Minutes of training: `images` per epoch, including copies; `gmacs` per forward pass."""
    seconds = (
        images
        * epochs
        * max(TRAINING * _seconds(gmacs, threads, gpu), 1 / (AUGMENTED * (1 if gpu else threads)))
    )
    return _minutes(seconds)


def explaining_minutes(images: int, passes: int, gmacs: float, threads: int, gpu: int) -> int:
    """Minutes to map `images`, each of which takes the time of `passes` forward passes."""
    return _minutes(images * max(passes * _seconds(gmacs, threads, gpu), 1 / AUGMENTED))


def comparing_minutes(pairs: int, threads: int) -> int:
    """Minutes to measure `pairs` pairs of maps."""
    return _minutes(pairs / (COMPARED * threads))


def imputing_minutes(holes: int, pixels: int) -> int:
    """Minutes to impute half of the `pixels` of each of `holes` images."""
    return math.ceil(holes * pixels * 1e-6 / IMPUTED / 60)


def network_memory(
    data: str | Path, kept: int, batch: int, input_size: Size, gpu: int, channels: int = 3
) -> int:
    """MB of a job with a network: the `data` file, `kept` augmented images, a batch of `batch`."""
    read = min(_size(data), RESIDENT)
    pixels = math.prod(pair(input_size))
    further = 4 * (channels - 3)  # bytes of float32, of which KEPT has three
    activations = 0 if gpu else batch * pixels * (KEPT + further)
    return _megabytes(PYTHON + CUDA * gpu + 3 * read + channels * kept * pixels + activations)


def _size(data: str | Path) -> int:
    """Bytes of the data file; an assumption while it does not exist."""
    path = Path(data)
    return path.stat().st_size if path.exists() else DATA


def table_memory(rows: int) -> int:
    """MB of a job that holds `rows` rows of a table, and draws them."""
    return _megabytes(PYTHON + rows * ROW)


def _seconds(gmacs: float, threads: int, gpu: int) -> float:
    """Seconds of one forward pass of one image."""
    return gmacs * 1e9 / (PER_GPU if gpu else PER_THREAD * threads)


def _minutes(seconds: float) -> int:
    return START + math.ceil(seconds / 60)


def _megabytes(size: float) -> int:
    return math.ceil(size / 1e6)
