"""What a job asks of the machine it runs on, from the size of the study: minutes and MB.

Asked of a scheduler before the job has run, so on the generous side. A job that was cut short asks
for more at its next attempt, and training goes on where it was, so a poor guess costs little.
"""

from __future__ import annotations

import math
from collections import Counter
from functools import lru_cache
from pathlib import Path

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
