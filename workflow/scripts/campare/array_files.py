"""Files of arrays, `.npz` of NumPy and HDF5: names, shapes and content of their arrays.

The config check reads shapes; `arrays` reads the images.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Protocol

import h5py
import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from campare.errors import CampareError, reading
from campare.messages import known

SUFFIXES = (".npz", ".h5", ".hdf5")
REQUIRED = ("images", "labels")
KEYS = (*REQUIRED, "subset", "group", "masks", "regions", "classes")
# One per image, if the file has them.
ALONG_IMAGES = ("labels", "subset", "group", "masks")
GROUP = "group"
PICKLED = (
    "has pickled Python objects, which can run code and are not read; save numbers or text, such "
    "as np.array(labels, dtype=str)"
)


class ArrayFile(Protocol):
    """Arrays by name, of which one can be read a block at a time."""

    names: list[str]

    def whole(self, name: str) -> NDArray[Any]:
        """An array; text as str."""

    def kind(self, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
        """Shape and type of an array, without reading it."""

    def blocks(self, name: str, rows: int) -> Iterator[NDArray[Any]]:
        """The rows of an array in their order, some at a time."""


@contextmanager
def opened(path: Path) -> Iterator[ArrayFile]:
    """A file of arrays, after a check of the names, lengths and shapes of its arrays.

    Raises
    ------
    CampareError
        The file or an array is missing, damaged or has pickled objects; lengths or shapes differ.
    """
    with (
        reading(path, "file of arrays", zipfile.BadZipFile, remedy="write it again"),
        _opened(path) as file,
    ):
        _check(path, file)
        yield file


def channels(path: Path) -> int:
    """The number of channels of the images of a file; errors as in `opened`."""
    with opened(path) as file:
        shape, _ = file.kind("images")
    return shape[3] if len(shape) == 4 else 1


def check_group(path: Path, group: str) -> None:
    """Check that a file has groups, under the name `group`; errors also as in `opened`."""
    with opened(path) as file:
        if GROUP not in file.names:
            raise CampareError(
                f"split.group: {path} has no array {GROUP!r}, the group of each image; add it, or "
                "remove the key"
            )
    if group != GROUP:
        raise CampareError(
            f"split.group: {group!r} is not an array of groups of {path}; {known(group, [GROUP])}"
        )


def groups(path: Path, part: NDArray[np.str_]) -> NDArray[np.str_]:
    """The group of each image, str (N,).

    Parameters
    ----------
    part
        "train" or "test" for each image, or all "" (`data.Dataset`).

    Raises
    ------
    CampareError
        There are no groups; one is empty or NaN, or in both parts; or as `opened`.
    """
    check_group(path, GROUP)
    with opened(path) as file:
        values = file.whole(GROUP)
    if len(values) != len(part):
        raise CampareError(f"{path}: changed while the study ran; run snakemake again")
    missing = np.isnan(values) if values.dtype.kind == "f" else values.astype(str) == ""
    if missing.any():
        raise CampareError(
            f"{path}: {GROUP} of image {int(missing.argmax())} is empty; split.group needs all "
            "groups"
        )
    names, of_image = np.unique(values, return_inverse=True)
    testing = np.bincount(of_image, part == "test", len(names)) > 0
    both = testing & (np.bincount(of_image, part != "test", len(names)) > 0)
    if both.any():
        raise CampareError(
            f"{path}: {GROUP}: {str(names[both][0])!r} is in training and test images of subset; a "
            "group must be in one"
        )
    return np.asarray(values.astype(str))


def _check(path: Path, file: ArrayFile) -> None:
    """Check that there are arrays of the right names, lengths and shapes."""
    for name in REQUIRED:
        if name not in file.names:
            raise CampareError(
                f"{path}: has no {name}; it has {', '.join(sorted(file.names)) or 'no arrays'}; "
                "save the images as images and their labels as labels"
            )
    for name in set(file.names) - {*KEYS}:
        if close := get_close_matches(name, KEYS, n=1, cutoff=0.7):
            raise CampareError(f"{path}: unknown array {name}; did you mean {close[0]}? rename it")
    for name in sorted({*KEYS} & {*file.names}):
        if file.kind(name)[1].hasobject:
            raise CampareError(f"{path}: {name} {PICKLED}")
    shape, _ = file.kind("images")
    if len(shape) not in (3, 4) or 0 in shape:
        raise CampareError(
            f"{path}: images have the shape {shape}; must be (N, H, W), or (N, H, W, C)"
        )
    if len(shape) == 4 and _channels_first(*shape[1:]):
        raise CampareError(
            f"{path}: images have the shape {shape}, with the channels first; save "
            "images.transpose(0, 2, 3, 1)"
        )
    for name in ALONG_IMAGES:
        if name in file.names and (length := file.kind(name)[0][:1]) != shape[:1]:
            entries = f"{length[0]:,} entries" if length else "a single value"
            raise CampareError(
                f"{path}: {name} has {entries}, but there are {shape[0]:,} images; save one for "
                "each image"
            )
    for name in ("labels", "subset", "group"):
        if name in file.names and len(of := file.kind(name)[0]) != 1:
            raise CampareError(f"{path}: {name} has the shape {of}; must be ({shape[0]},)")


def _channels_first(first: int, second: int, third: int) -> bool:
    """Whether images of this shape are probably (C, H, W), not (H, W, C)."""
    if third in (1, 3):
        return False
    return first in (1, 3) or (second == third != first)


def _opened(path: Path) -> AbstractContextManager[ArrayFile]:
    return nullcontext(_Npz(path)) if path.suffix.lower() == ".npz" else _Hdf5(path)


class _Npz:
    """Arrays of a `.npz` file, read without unpacking it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with zipfile.ZipFile(path) as archive:
            self.names = [name.removesuffix(".npy") for name in archive.namelist()]

    def whole(self, name: str) -> NDArray[Any]:
        with np.load(self.path, allow_pickle=False) as file:
            array: NDArray[Any] = file[name]
        return np.char.decode(array, "utf-8") if array.dtype.kind == "S" else array

    def kind(self, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
        with zipfile.ZipFile(self.path) as archive, archive.open(f"{name}.npy") as stream:
            shape, _, dtype = _header(stream)
        return shape, dtype

    def blocks(self, name: str, rows: int) -> Iterator[NDArray[Any]]:
        with zipfile.ZipFile(self.path) as archive, archive.open(f"{name}.npy") as stream:
            shape, columns_first, dtype = _header(stream)
            if columns_first:
                array = self.whole(name)
                yield from (array[start : start + rows] for start in range(0, len(array), rows))
                return
            row = int(np.prod(shape[1:])) * dtype.itemsize
            for start in range(0, shape[0], rows):
                count = min(rows, shape[0] - start)
                content = stream.read(count * row)
                if len(content) < count * row:
                    raise ValueError(f"{name} is truncated")
                yield np.frombuffer(content, dtype).reshape(count, *shape[1:])


def _header(stream: Any) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether the first index varies fastest, and type of an array in a `.npy` file."""
    read = (
        npy.read_array_header_1_0 if npy.read_magic(stream) == (1, 0) else npy.read_array_header_2_0
    )
    header: tuple[tuple[int, ...], bool, np.dtype[Any]] = read(stream)
    return header


class _Hdf5:
    """Arrays of an HDF5 file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> _Hdf5:
        self.file = h5py.File(self.path, "r")
        self.names = [name for name, item in self.file.items() if isinstance(item, h5py.Dataset)]
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def whole(self, name: str) -> NDArray[Any]:
        stored = self.file[name]
        if h5py.check_string_dtype(stored.dtype):
            return np.asarray(stored.asstr()[...], dtype=str)
        array: NDArray[Any] = stored[...]
        return array

    def kind(self, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
        stored = self.file[name]
        text = h5py.check_string_dtype(stored.dtype)
        return stored.shape, np.dtype(str) if text else stored.dtype

    def blocks(self, name: str, rows: int) -> Iterator[NDArray[Any]]:
        stored = self.file[name]
        yield from (stored[start : start + rows] for start in range(0, len(stored), rows))
