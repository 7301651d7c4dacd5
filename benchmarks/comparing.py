"""Seven metrics of pairs of maps: campare's engine beside a loop of OpenCV, numpy and scipy."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats

from campare import similarity, store
from rounds import Row, interleaved, row, timed

# Those that `measured` measures too
METRICS = [f"overlap_{share}_ties" for share in (20, 10, 5)] + ["pearson", "spearman", "mad", "msd"]
MODELS = 7  # that share a baseline, as the thesis's
SIDE = 7  # of a native map, EfficientNet-B0's
SIZE = (224, 224)


def rows(rounds: int, device: torch.device, images: int = 512) -> Iterator[Row]:
    baseline, *models = (stored(images, seed) for seed in range(1 + MODELS))

    def engine(threads: int, where: str = "cpu") -> float:
        similarity.tables(baseline, models, METRICS, SIZE, 1e-12, threads, where)
        return images * MODELS

    def loop() -> float:
        pairs = [(k, model) for model in models for k in range(16)]
        for k, model in pairs:
            measured(baseline.maps[k], model.maps[k])
        return len(pairs)

    sides = {
        "one thread": timed(lambda: engine(1)),
        "two threads": timed(lambda: engine(2)),
        "loop": timed(loop),
    }
    if device.type == "cuda":
        sides["device"] = timed(lambda: engine(1, device.type))
    rates = interleaved(sides, rounds)
    yield row("similarity_1_thread", rates, "one thread", "loop", 15, "pairs/s")
    yield row("similarity_2_threads", rates, "two threads", "loop", 30, "pairs/s")
    if device.type == "cuda":
        yield row("similarity_cuda", rates, "device", "loop", None, "pairs/s")


def stored(images: int, seed: int) -> store.Store:
    """A model's store: maps of a smooth bump somewhere and noise, some values negative."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE]
    centre = np.random.default_rng(0).uniform(1, SIDE - 2, (images, 2, 1, 1))
    centre += random.normal(0, 0.5, centre.shape)
    bump = np.exp(-((y - centre[:, 0]) ** 2 + (x - centre[:, 1]) ** 2) / 4)
    maps = (bump + random.normal(0, 0.3, bump.shape) - 0.2).astype(np.float32)
    logit = random.normal(size=(images, 10)).astype(np.float32)
    rows = np.arange(images)
    same = {"study": "benchmark", "split_sha256": "", "input_size": SIZE[0]}
    about = {**same, "augmentation": "benchmark", "seed": seed}
    return store.Store(maps, logit, logit, rows % 10, rows, rows % 10, about)


def measured(p: NDArray[np.float32], q: NDArray[np.float32]) -> list[float]:
    """All metrics of one pair, as one writes them with the libraries of the field."""
    first, second = shown(p), shown(q)
    overlaps = []
    for share in (20, 10, 5):
        a = first >= np.percentile(first, 100 - share)
        b = second >= np.percentile(second, 100 - share)
        overlaps.append((a & b).sum() / (a | b).sum())
    u, v = first.ravel(), second.ravel()
    gap = first - second
    return [
        *overlaps,
        stats.pearsonr(u, v).statistic,
        stats.spearmanr(u, v).statistic,
        np.abs(gap).mean(),
        (gap**2).mean(),
    ]


def shown(native: NDArray[np.float32]) -> NDArray[np.float32]:
    """pytorch-grad-cam's ReLU, scaling, resize and scaling."""
    scaled = np.maximum(native, 0)
    scaled = scaled - scaled.min()
    scaled = cv2.resize(scaled / (1e-7 + scaled.max()), SIZE[::-1])
    scaled = scaled - scaled.min()
    return scaled / (1e-7 + scaled.max())
