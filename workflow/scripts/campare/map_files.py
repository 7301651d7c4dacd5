"""Maps made by other programs: the HDF5 files that a study lists under `maps`.

    maps    float (N, h, w)      signed or not, one per test image, at any resolution
    logits  float (N, classes)   optional: scores before the softmax
    labels  integer (N,)         optional: true classes, to be checked
    index   integer (N,)         optional: positions of the images in the data set, or in the test
                                 images in the order of split.csv; without it this order

Attributes `architecture`, `method` and `target_layer` are kept if they are there.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from campare.errors import CampareError, reading

REMEDY = "see docs/trained.md for the layout"
KEPT = ("architecture", "method", "target_layer")
UNKNOWN = "unknown"
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Header:
    """Number of images, (height, width) of the maps, and whether there are logits."""

    images: int
    extent: tuple[int, int]
    logits: bool


@dataclass(frozen=True)
class MapFile:
    """Maps float32 (N, h, w), logits float32 (N, classes) or None, and attributes `KEPT`."""

    maps: NDArray[np.float32]
    logits: NDArray[np.float32] | None
    attributes: dict[str, str]


def header(path: str | Path) -> Header:
    """What a file of maps contains, without reading the maps.

    Raises
    ------
    CampareError
        The file is no HDF5 file, or has other arrays or shapes.
    """
    with reading(path, "HDF5 file", remedy=REMEDY), h5py.File(path, "r") as file:
        maps = file.get("maps")
        if not isinstance(maps, h5py.Dataset):
            names = ", ".join(file) or "nothing"
            raise CampareError(f"{path}: the array maps is missing ({names} found); {REMEDY}")
        if maps.ndim != 3 or maps.dtype.kind != "f" or 0 in maps.shape:
            shape = "×".join(map(str, maps.shape))
            raise CampareError(
                f"{path}: maps is {maps.dtype} of shape {shape}; must be floating-point numbers of "
                f"shape N×h×w; {REMEDY}"
            )
        images = len(maps)
        for name, axes in (("logits", 2), ("labels", 1), ("index", 1)):
            if name in file and (file[name].ndim != axes or len(file[name]) != images):
                shape = "×".join(map(str, file[name].shape))
                raise CampareError(
                    f"{path}: {name} has the shape {shape}, with maps of {images} images; {REMEDY}"
                )
        return Header(images, (maps.shape[1], maps.shape[2]), "logits" in file)


def read(path: str | Path, test: Integers, labels: Integers, classes: int) -> MapFile:
    """The maps of the test images, in the order of the split.

    Parameters
    ----------
    path
        The file.
    test, labels
        int64 (N,): positions of the test images in the data set, and their classes.
    classes
        Number of classes of the data set.

    Raises
    ------
    CampareError
        As `header`; the maps are of other images, or are not finite; the number of classes, or
        labels, differ.
    """
    found = header(path)
    if found.images != len(test):
        raise CampareError(
            f"{path}: maps of {found.images} images, but the study has {len(test)} test images; "
            "make maps of exactly these (split.csv has their positions in the data set)"
        )
    with reading(path, "HDF5 file", remedy=REMEDY), h5py.File(path, "r") as file:
        rows = _rows(path, file["index"][()].astype(np.int64), test) if "index" in file else None
        order = np.arange(len(test)) if rows is None else rows
        maps = file["maps"][()].astype(np.float32)[order]
        logits = file["logits"][()].astype(np.float32)[order] if found.logits else None
        given = file["labels"][()].astype(np.int64)[order] if "labels" in file else labels
        attributes = {name: str(file.attrs.get(name, UNKNOWN)) for name in KEPT}
    if not (np.isfinite(maps).all() and (logits is None or np.isfinite(logits).all())):
        raise CampareError(f"{path}: a map or a logit is not finite; make the maps anew")
    if logits is not None and logits.shape[1] != classes:
        raise CampareError(
            f"{path}: logits of {logits.shape[1]} classes, but the data set has {classes}; keep "
            "one column per class, in the order of the data set"
        )
    if differ := int((given != labels).sum()):
        raise CampareError(
            f"{path}: {differ} of {len(labels)} labels differ from those of the test images; the "
            "maps are of other images, or in another order: write index"
        )
    return MapFile(maps, logits, attributes)


def _rows(path: str | Path, index: Integers, test: Integers) -> Integers:
    """The row of the file with each test image."""
    for positions in (test, np.arange(len(test))):
        if np.array_equal(np.sort(index), np.sort(positions)):
            place = {position: row for row, position in enumerate(index.tolist())}
            return np.array([place[position] for position in positions.tolist()], np.int64)
    raise CampareError(
        f"{path}: index has positions other than those of the {len(test)} test images; write their "
        f"positions in the data set, as in split.csv, or 0 to {len(test) - 1}"
    )
