"""The CAM store: an HDF5 file with all maps of one model. No other module depends on its layout.

The layout is that of the attribution file in the ViRelAy database specification:

    attribution  float32 (N, 1, h, w)    signed, unnormalised, at the target layer's resolution
    prediction   float32 (N, classes)    probabilities
    label        uint16  (N,)            true class
    index        uint32  (N,)            position in the data set

with two further arrays:

    logit        float32 (N, classes)    scores before the softmax
    target       uint16  (N,)            the class explained

It contains no clock times and no random names: two runs give the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from campare import atomic
from campare.errors import ANEW, CampareError, reading
from campare.sizes import Size

VERSIONS = ("earliest", "v110")  # of the HDF5 format, so that bytes do not depend on h5py's version
# Name, dtype and number of axes of every array.
LAYOUT = {
    "attribution": ("float32", 4),
    "prediction": ("float32", 2),
    "label": ("uint16", 1),
    "index": ("uint32", 1),
    "logit": ("float32", 2),
    "target": ("uint16", 1),
}
ATTRIBUTES = (
    "study",
    "augmentation",
    "seed",
    "architecture",
    "target_layer",
    "method",
    "class_policy",
    "input_size",
    "checkpoint_sha256",
    "split_sha256",
    "packages",
    "device",
    "threads",
)


@dataclass(frozen=True)
class Store:
    """The contents of a store, or some rows of it.

    maps: float32 (N, h, w), signed, unnormalised; prediction, logit: float32 (N, classes);
    label, index, target: int64 (N,); attributes: settings of the maps (`ATTRIBUTES`);
    source: the file it was read from, for messages.
    """

    maps: NDArray[np.float32]
    prediction: NDArray[np.float32]
    logit: NDArray[np.float32]
    label: NDArray[np.int64]
    index: NDArray[np.int64]
    target: NDArray[np.int64]
    attributes: dict[str, Any]
    source: str = ""

    @property
    def predicted(self) -> NDArray[np.int64]:
        """int64 (N,), the class with the highest logit; probabilities may be equal by rounding."""
        classes: NDArray[np.int64] = self.logit.argmax(axis=1)
        return classes

    def with_maps_of(self, partner: NDArray[np.int64]) -> Store:
        """The store with every image's map, scores and target replaced by those of its partner."""
        return replace(
            self,
            maps=self.maps[partner],
            prediction=self.prediction[partner],
            logit=self.logit[partner],
            target=self.target[partner],
        )


def write(
    path: str | Path,
    batches: Iterable[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]],
    *,
    labels: NDArray[np.integer[Any]],
    indices: NDArray[np.integer[Any]],
    attributes: Mapping[str, str | Size],
) -> None:
    """Write a store batch by batch; the file appears under its name when it is complete.

    Parameters
    ----------
    batches
        Maps float32 (b, h, w), logits float32 (b, classes) and targets (b,) of consecutive
        rows, as `cams.compute` yields them; N rows in all.
    labels, indices
        (N,) true classes, and positions in the data set.
    attributes
        A value for every name of `ATTRIBUTES`.

    Raises
    ------
    CampareError
        A map or a logit is not finite, or the disk is full.
    ValueError
        The batches do not add up to N rows, or the attributes are not those of `ATTRIBUTES`.
    """
    if set(attributes) != set(ATTRIBUTES):
        raise ValueError(f"attributes {sorted(attributes)} are not {sorted(ATTRIBUTES)}")
    stream = iter(batches)
    first = next(stream)
    with atomic.replacing(path) as aside:
        atomic.reserve(aside, 1 << 16)
        with h5py.File(aside, "w", libver=VERSIONS) as file:
            file.attrs.update({name: attributes[name] for name in ATTRIBUTES})
            _create(file, len(labels), first[0].shape[1:], first[1].shape[1])
        atomic.reserve(aside, aside.stat().st_size)
        with h5py.File(aside, "r+", libver=VERSIONS) as file:
            start = 0
            for maps, logits, targets in chain([first], stream):
                rows = slice(start, start + len(maps))
                if not (np.isfinite(maps).all() and np.isfinite(logits).all()):
                    raise CampareError(
                        f"{path}: a map or score of row {start} or later is not finite; the "
                        "weights are not finite, or the CAM method divides by zero: choose another"
                    )
                file["attribution"][rows] = maps[:, None]
                file["prediction"][rows] = _softmax(logits)
                file["label"][rows] = labels[rows]
                file["index"][rows] = indices[rows]
                file["logit"][rows] = logits
                file["target"][rows] = targets
                start += len(maps)
        if start != len(labels):
            raise ValueError(f"{path}: {start} maps for {len(labels)} images")


def read(path: str | Path, rows: Sequence[int] | NDArray[np.integer[Any]] | None = None) -> Store:
    """Read a store, or some rows of it, in the order of `rows`.

    Raises
    ------
    CampareError
        The file is missing, locked or truncated, is not a CAM store, or has values that are not
        finite.
    """
    with reading(path, "CAM store"), h5py.File(path, "r") as file:
        if problem := _problem(file):
            raise CampareError(f"{path}: not a CAM store ({problem}); {ANEW}")
        columns = {name: _rows(file[name], rows) for name in LAYOUT}
        attributes = {
            name: value.tolist() if isinstance(value, np.generic | np.ndarray) else value
            for name, value in file.attrs.items()
        }
    for name, column in columns.items():
        if not np.isfinite(column).all():
            raise CampareError(f"{path}: {name} has values that are not finite; {ANEW}")
    return Store(
        maps=columns["attribution"][:, 0],
        prediction=columns["prediction"],
        logit=columns["logit"],
        label=columns["label"].astype(np.int64),
        index=columns["index"].astype(np.int64),
        target=columns["target"].astype(np.int64),
        attributes=attributes,
        source=str(path),
    )


def read_index(path: str | Path) -> NDArray[np.int64]:
    """The positions of a store's images in the data set: int64 (N,).

    Raises
    ------
    CampareError
        The file is missing, locked or truncated, or is not a CAM store.
    """
    with reading(path, "CAM store"), h5py.File(path, "r") as file:
        if problem := _problem(file):
            raise CampareError(f"{path}: not a CAM store ({problem}); {ANEW}")
        index: NDArray[np.int64] = file["index"][()].astype(np.int64)
    return index


def sha256(path: str | Path) -> str:
    """SHA-256 of a file, for the attributes."""
    with Path(path).open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def packages() -> str:
    """Versions of the packages that affect the values of maps, for the attributes."""
    names = ("torch", "torchvision", "numpy", "grad-cam", "h5py")
    return ", ".join(f"{name} {version(name)}" for name in names)


def _create(file: h5py.File, count: int, extent: tuple[int, ...], classes: int) -> None:
    """Create the arrays of LAYOUT for `count` images, with their space in the file."""
    shapes = {
        "attribution": (count, 1, *extent),
        "prediction": (count, classes),
        "logit": (count, classes),
    }
    for name, (dtype, _) in LAYOUT.items():
        plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plan.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        plan.set_obj_track_times(False)
        file.create_dataset(name, shapes.get(name, (count,)), dtype, dcpl=plan)


def _softmax(logits: NDArray[Any]) -> NDArray[np.float32]:
    exact = logits.astype(np.float64)
    powers = np.exp(exact - exact.max(axis=1, keepdims=True))
    shares: NDArray[np.float32] = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    return shares


def _problem(file: h5py.File) -> str | None:
    """A message about why a file is not a store; None if it is one."""
    for name, (dtype, axes) in LAYOUT.items():
        if not isinstance(file.get(name), h5py.Dataset):
            return f"{name} is missing"
        if file[name].dtype != dtype or file[name].ndim != axes:
            return f"{name} is {file[name].dtype} with {file[name].ndim} axes"
    counts = {name: len(file[name]) for name in LAYOUT}
    if len(set(counts.values())) > 1:
        return "row counts differ: " + ", ".join(f"{k} {n}" for k, n in counts.items())
    missing = [name for name in ATTRIBUTES if name not in file.attrs]
    return f"attributes are missing: {', '.join(missing)}" if missing else None


def _rows(
    dataset: h5py.Dataset, rows: Sequence[int] | NDArray[np.integer[Any]] | None
) -> NDArray[Any]:
    """The rows of a dataset; h5py itself reads each row once only, and in ascending order."""
    if rows is None:
        values: NDArray[Any] = dataset[()]
        return values
    ascending, place = np.unique(np.asarray(rows, np.int64), return_inverse=True)
    selected: NDArray[Any] = dataset[ascending][place]
    return selected
