"""A CAM store beside the maps as the library shows them, by the bytes of their arrays."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

import comparing
from campare import store
from rounds import Row


def rows(images: int = 10_000) -> Iterator[Row]:
    native = comparing.stored(images, 0)
    attributes = dict.fromkeys(store.ATTRIBUTES, "benchmark")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.h5"
        whole = [(native.maps, native.logit, native.target)]
        store.write(path, whole, labels=native.label, indices=native.index, attributes=attributes)
        with h5py.File(path) as file:
            ours = file["attribution"].id.get_storage_size() / 1e6
    theirs = images * np.prod(comparing.SIZE) * np.dtype(np.float32).itemsize / 1e6
    ratio = float(theirs / ours)
    yield Row("store_size", ratio, ratio, ratio, 1000, "MB", 1, ours, float(theirs))
