"""Images and labels from one file of arrays, `.npz` of NumPy or HDF5."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import h5py
import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray
from PIL import Image

from campare.data import Dataset, Files, Regions
from campare.data_files import matching
from campare.errors import CampareError, reading
from campare.levels import Window, to_bytes
from campare.sizes import Size
from campare.stacking import Item, Masks, occurring, stacked
from campare.subsets import parts

SUFFIXES = (".npz", ".h5", ".hdf5")
REQUIRED = ("images", "labels")
KEYS = (*REQUIRED, "subset", "group", "masks", "regions", "classes")
# One per image, if the file has them.
ALONG_IMAGES = ("labels", "subset", "group", "masks")
BLOCK = 1 << 25  # bytes of images that are read at a time
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


def arrays(
    *,
    root: str | None,
    size: Size | None,
    fit: str,
    channels: int | None,
    window: Window | None = None,
) -> Dataset:
    """A data set from the file `root`, `.npz` or HDF5.

    Its arrays are `images` (N, H, W), (N, H, W, 1) or (N, H, W, 3), of 8 or 16 bits, or real
    numbers from 0 to 1; `labels` (N,), integers or names; and, if it has them, `classes` (names,
    by label), `subset` (N,) of train, validation and test, `masks` (N, H, W) or (N, R, H, W), with
    R names in `regions`, and `group` (N,). With a window [low, high], grey levels of any type are
    mapped from it to 0 to 255 (`levels.to_bytes`). Images are read a block at a time.

    Raises
    ------
    CampareError
        The file or an array is missing, damaged or has pickled objects; lengths or shapes differ;
        images have NaN, levels outside the range of their type, or other numbers of channels.
    """
    path = matching(root or "data", SUFFIXES, several=False)[0]
    with (
        reading(path, "file of arrays", zipfile.BadZipFile, remedy="write it again"),
        _opened(path) as file,
    ):
        _check(path, file)
        count = file.kind("images")[0][0]
        labels, classes = _labels(path, file)
        regions = _regions(path, file)
        items = _items(path, file, window)
        stack = stacked(items, count, size=size, fit=fit, channels=channels)
        subset = file.whole("subset") if "subset" in file.names else np.full(count, "train")
    return Dataset(
        stack.images,
        labels,
        classes,
        parts([str(name) for name in subset.tolist()], f"{path}: subset"),
        None if stack.masks is None else Regions(regions, stack.masks),
        Files(path.parent, stack.paths, (), max(stack.extras)),
    )


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
    if len(shape) == 4 and shape[3] not in (1, 3):
        if shape[1] in (1, 3):
            raise CampareError(
                f"{path}: images have the shape {shape}, with the channels first; save "
                "images.transpose(0, 2, 3, 1)"
            )
        raise CampareError(
            f"{path}: images have {shape[3]} channels; networks, augmentations and figures of "
            "campare take 1 (grey) or 3 (RGB) so far; save one or three of the channels"
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


def _labels(path: Path, file: ArrayFile) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Labels int64 (N,) and the names of classes that have images."""
    labels = file.whole("labels")
    given = [str(name) for name in file.whole("classes")] if "classes" in file.names else None
    if given and len(set(given)) < len(given):
        twice = next(name for name in given if given.count(name) > 1)
        raise CampareError(f"{path}: classes has {twice!r} twice; give each class its own name")
    if labels.dtype.kind == "U":
        names = sorted(set(labels.tolist())) if given is None else given
        if other := sorted(set(labels.tolist()) - set(names)):
            raise CampareError(f"{path}: classes lacks the label {other[0]!r}; add it")
        if "" in names:
            raise CampareError(f"{path}: a label is empty; name its class, or remove the image")
        position = {name: place for place, name in enumerate(names)}
        return occurring([position[name] for name in labels.tolist()], names)
    if labels.dtype.kind not in "iub":
        raise CampareError(f"{path}: labels are {labels.dtype}; save integers or names")
    values = labels.astype(np.int64)
    low, high = int(values.min()), int(values.max())
    names = given or [str(label) for label in range(high + 1)]
    if low < 0 or high >= len(names):
        allowed = f"0 to {len(names) - 1}" if given else "0 or more"
        raise CampareError(
            f"{path}: labels are from {low} to {high}; must be {allowed}, positions in classes"
        )
    return occurring(values.tolist(), names)


def _regions(path: Path, file: ArrayFile) -> tuple[str, ...]:
    """Names of the regions of masks; empty without masks."""
    if "masks" not in file.names:
        return ()
    (_, *mask), _ = file.kind("masks")
    (_, *image), _ = file.kind("images")
    number = mask[0] if len(mask) == 3 else 1
    if len(mask) not in (2, 3) or mask[-2:] != image[:2]:
        raise CampareError(
            f"{path}: masks of an image have the shape {tuple(mask)}, and the image {image[0]}×"
            f"{image[1]} pixels (H×W); must be (H, W), or (R, H, W) for R regions"
        )
    named = "regions" in file.names
    names = [str(name) for name in file.whole("regions")] if named else ["object"]
    if len(names) != number or len(set(names)) < number:
        raise CampareError(
            f"{path}: masks are of {number} region(s), and regions names {', '.join(names)}; name "
            "each region once"
        )
    return tuple(names)


def _items(path: Path, file: ArrayFile, window: Window | None) -> Iterator[Item[int]]:
    """The images, each with its largest level, if it has 16 bits and there is no window, or 0."""
    (_, *shape), dtype = file.kind("images")
    rows = max(1, BLOCK // (int(np.prod(shape)) * dtype.itemsize))
    masks = file.blocks("masks", rows) if "masks" in file.names else None
    deep = dtype == np.uint16 and window is None
    number = 0
    for block in file.blocks("images", rows):
        images = _bytes(path, block, number, window).reshape(len(block), *shape[:2], -1)
        regions = None if masks is None else _masks(path, next(masks), number)
        for row, image in enumerate(images):
            grey = image[..., 0] if image.shape[2] == 1 else image
            of_image = None if regions is None else regions[row]
            level = int(block[row].max()) if deep else 0
            place = path.parent / f"{path.name}[{number}]"
            yield place, partial(_image, grey, level, of_image)
            number += 1


def _image(
    pixels: NDArray[np.uint8], level: int, masks: Masks | None
) -> tuple[Image.Image, int, Masks | None]:
    return Image.fromarray(pixels), level, masks


def _bytes(
    path: Path, block: NDArray[Any], number: int, window: Window | None
) -> NDArray[np.uint8]:
    """A block of images, the first of which has this number, as uint8."""
    try:
        return to_bytes(block, window)
    except ValueError:
        for row, image in enumerate(block):
            try:
                to_bytes(image, window)
            except ValueError as problem:
                raise CampareError(f"{path}: image {number + row} {problem}") from None
        raise


def _masks(path: Path, block: NDArray[Any], number: int) -> Masks:
    """A block of masks, the first of which has this number, as bool (n, R, H, W).

    Raises
    ------
    CampareError
        A mask has another value than 0 and its largest one.
    """
    masks = block.reshape(len(block), -1, *block.shape[-2:])
    if masks.dtype != bool:
        odd = (masks != 0) & (masks != masks.max(axis=(1, 2, 3), keepdims=True))
        if odd.any():
            row, *_ = place = np.unravel_index(int(odd.argmax()), odd.shape)
            raise CampareError(
                f"{path}: the mask of image {number + row} has the value {masks[place]}; save true "
                "and false, or 0 and one other value"
            )
    return np.asarray(masks > 0)


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
