"""Data sets as arrays: uint8 images, labels, class names, and the part of each image.

A data set is a function `name(*, root, size, fit, channels) -> Dataset` with an entry in
`registry.DATASETS`; it also takes the parameters of that entry. A function in a file of the user is
called with the root and the parameters of the study. A data set is read once and written to one
HDF5 file, which every later step opens.
"""

from __future__ import annotations

import errno
import http.client
import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar
from unicodedata import normalize

import h5py
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, PngImagePlugin, UnidentifiedImageError

from campare import atomic, scratch, sizes, user_code
from campare.errors import ANEW, CampareError, reading
from campare.labels import GROUPS
from campare.levels import Window, to_bytes
from campare.registry import DATASETS, IMAGE_SUFFIXES, entry, mask_folder
from campare.sizes import Size, pair

# Pillow's limits protect servers from foreign files; these images are the user's own.
Image.MAX_IMAGE_PIXELS = None
PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY = sys.maxsize
# Images of more pixels than this are read one at a time: each takes some hundred megabytes.
LARGE = 50_000_000
_one_large = Lock()
# Transposition that turns an image upright, by its EXIF orientation.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Files that one message names at most.
NAMED = 10
# A function of images (b, H, W, C) and their positions (b,).
Change = Callable[[NDArray[np.uint8], NDArray[np.int64]], NDArray[np.uint8]]

_Item = TypeVar("_Item")
_Made = TypeVar("_Made")

# MD5 of the unpacked files; torchvision has those of the archives only.
_MNIST = {
    "MNIST/raw/train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "MNIST/raw/train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "MNIST/raw/t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "MNIST/raw/t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
_FASHION_MNIST = {
    "FashionMNIST/raw/train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
    "FashionMNIST/raw/train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
    "FashionMNIST/raw/t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
    "FashionMNIST/raw/t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
}


@dataclass(frozen=True, eq=False)
class Regions:
    """Masks of the regions of N images, such as object, distractor and cue.

    Attributes
    ----------
    names : names of the R regions
    masks : bool (N, R, H, W); empty for a region that an image does not have
    """

    names: tuple[str, ...]
    masks: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Files:
    """The files from which N images were read.

    Attributes
    ----------
    root : the folder of all files
    images : N paths
    unread : other files in these folders, which are ignored; without hidden files
    deepest : the largest grey level of images with 16 bits; 0 without such images
    """

    root: Path
    images: tuple[Path, ...]
    unread: tuple[Path, ...]
    deepest: int


@dataclass(frozen=True, eq=False)
class Dataset:
    """N images with their labels, parts, regions and files.

    Attributes
    ----------
    images : uint8 (N, H, W, C), C = 1 (grey), 3 (RGB) or any other number
    labels : int64 (N,), positions in `classes`
    classes : names of the classes
    part : str (N,), "train" or "test" if the data set has parts; all "" if it has to be split
    regions : None if there are no masks
    files : None if the images were not read from image files
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    part: NDArray[np.str_]
    regions: Regions | None = None
    files: Files | None = None


def load(
    name: str,
    *,
    root: str | None,
    size: Size | None,
    fit: str,
    channels: int | None,
    input_shape: str = "square",
    **parameters: Any,
) -> Dataset:
    """Read a data set by its name in the registry, or `file.py:function`.

    Parameters
    ----------
    root
        Folder of the files, relative to the working directory; None: `data`.
    size
        Side of the square, or (height, width), to which every image is resized, pixels (bilinear,
        antialiased). None: no resize; then all images must have the same size.
    fit
        How the aspect ratio is kept: "crop" (the image covers `size`, centre cut out) or "pad" (it
        fits into `size`, black around it).
    channels
        1 (grey), 3 (RGB), or None: 3 unless every image is grey. For another number, the images
        must have it.
    input_shape
        Of the network's input, and so of the images: "square", "wide" or "tall" (`sizes.shape`).
    parameters
        All parameters of the data set's entry in the registry, or those of the user's function.

    Raises
    ------
    CampareError
        No data set has this name; files are missing, unreadable, or of different sizes; the
        images have another shape; a class has no name, or that of a group of images; a function of
        the user does not return a data set; the images do not have the number of channels that is
        set; a window makes all pixels equal.
    """
    dataset: Dataset
    if user_code.is_reference(name):
        dataset = entry(DATASETS, name).load()(_folder(root), **parameters)
        if problem := next(_problems(dataset), None):
            raise CampareError(f"{name}: returns {problem}")
        check_channels(channels, dataset.images.shape[3], name)
        dataset = _as_read(dataset, size, fit, channels)
    elif name in DATASETS:
        dataset = DATASETS[name].load()(
            root=root, size=size, fit=fit, channels=channels, **parameters
        )
    else:
        raise CampareError(f"data.name: unknown data set {name!r}; known: {', '.join(DATASETS)}")
    for name_of_class in dataset.classes:
        if not name_of_class.strip() or name_of_class in GROUPS:
            raise CampareError(
                f"data: a class is called {name_of_class!r}; rename it, because tables need a "
                f"name, and use these for groups of images: {', '.join(GROUPS)}"
            )
    if sizes.shape(own := dataset.images.shape[1:3]) != input_shape:
        fitting = "a number" if input_shape == "square" else "that of model.input_size"
        raise CampareError(
            f"data.size: the images have {sizes.text(own)} (height × width), and the network's "
            f"input, model.input_size, is {input_shape}; set data.size to {fitting}, and data.fit "
            f"to crop or pad, or set model.input_size to {sizes.written(own)}"
        )
    if window := parameters.get("window"):
        _check_window(dataset.images, window)
    return dataset


def check_channels(setting: int | None, number: int, source: str | Path) -> None:
    """Check that `data.channels` can be set for images with this number of channels.

    Raises
    ------
    CampareError
        Neither are both grey or RGB, nor are they equal.
    """
    convertible = (1, 3)
    if number in convertible and setting in (None, *convertible):
        return
    if number != setting:
        remedy = "remove the key" if number in convertible else f"set it to {number}"
        raise CampareError(
            f"data.channels: {'null' if setting is None else setting}, but the images of {source} "
            f"have {number} channels; {remedy}"
        )


def _check_window(images: NDArray[np.uint8], window: Window) -> None:
    """Check that a window leaves images with more than one level."""
    if (level := int(images.min())) == images.max() and level in (0, 255):
        where, colour = ("below", "black") if level == 0 else ("above", "white")
        raise CampareError(
            f"data.window: {list(window)}: all levels of the images are {where} it, so that every "
            f"pixel is {colour}; write the levels that become black and white"
        )


def _problems(made: Any) -> Iterator[str]:
    """Messages about what a function of the user returns, if it is not as in `Dataset`.

    `part` may be None instead of N empty names.
    """
    if not isinstance(made, Dataset):
        yield f"{type(made).__name__}; must be a campare.data.Dataset"
        return
    images, labels = made.images, np.asarray(made.labels)
    if (
        not isinstance(images, np.ndarray)
        or images.dtype != np.uint8
        or images.ndim != 4
        or not images.shape[3]
    ):
        what = f"{images.dtype} {images.shape}" if isinstance(images, np.ndarray) else type(images)
        yield f"images {what}; must be a uint8 array (N, H, W, C)"
        return
    if len(set(made.classes)) != len(made.classes) or len(made.classes) < 2:
        yield "classes that are not two or more different names"
    if (
        labels.dtype.kind not in "iu"
        or labels.shape != images.shape[:1]
        or not np.isin(labels, np.arange(len(made.classes))).all()
    ):
        yield (
            f"labels {labels.dtype} {labels.shape}; must be integers ({len(images)},) from 0 to "
            f"{len(made.classes) - 1}, positions in classes"
        )
    if made.part is not None and (
        np.shape(made.part) != images.shape[:1]
        or set(np.unique(made.part)) not in ({""}, {"train", "test"})
    ):
        yield 'a part that is not "train" or "test" for every image, or None'
    if made.regions is not None:
        masks, number = made.regions.masks, len(made.regions.names)
        shape = (len(images), number, *images.shape[1:3])
        if not isinstance(masks, np.ndarray) or masks.dtype != bool or masks.shape != shape:
            yield f"regions whose masks are not bool {shape}: (N, R, H, W) for R names"


def _as_read(made: Dataset, size: Size | None, fit: str, channels: int | None) -> Dataset:
    """A data set from a function of the user with the size and channels of the study."""
    regions = made.regions
    if regions is not None and size is not None:
        white = regions.masks.reshape(-1, *made.images.shape[1:3], 1).astype(np.uint8) * 255
        masks = _adapted(white, size, fit, 1) > 127
        regions = Regions(regions.names, masks.reshape(*regions.masks.shape[:2], *pair(size)))
    part = np.full(len(made.images), "") if made.part is None else np.asarray(made.part)
    return Dataset(
        _adapted(made.images, size, fit, channels),
        np.asarray(made.labels).astype(np.int64),
        tuple(map(str, made.classes)),
        part.astype("U5"),
        regions,
        made.files,
    )


def digits(*, root: str | None, size: Size | None, fit: str, channels: int | None) -> Dataset:
    """scikit-learn's 1,797 handwritten digits; grey levels 0–16 become 0–255, rounded."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = np.rint(bunch.images * 255 / 16).astype(np.uint8)[..., None]
    return Dataset(
        _adapted(images, size, fit, channels),
        bunch.target.astype(np.int64),
        tuple(str(name) for name in bunch.target_names),
        np.full(len(images), "", dtype="U5"),
    )


def mnist(*, root: str | None, size: Size | None, fit: str, channels: int | None) -> Dataset:
    """MNIST, read from `root` or downloaded into it."""
    return _torchvision("MNIST", _MNIST, root, size, fit, channels)


def fashion_mnist(
    *, root: str | None, size: Size | None, fit: str, channels: int | None
) -> Dataset:
    """Fashion-MNIST, read from `root` or downloaded into it."""
    return _torchvision("FashionMNIST", _FASHION_MNIST, root, size, fit, channels)


def cifar10(*, root: str | None, size: Size | None, fit: str, channels: int | None) -> Dataset:
    """CIFAR-10 (the official Python batches), read from `root` or downloaded into it."""
    from torchvision.datasets import CIFAR10

    files = [
        *CIFAR10.train_list,
        *CIFAR10.test_list,
        (CIFAR10.meta["filename"], CIFAR10.meta["md5"]),
    ]
    checksums = {f"{CIFAR10.base_folder}/{name}": md5 for name, md5 in files}
    return _torchvision("CIFAR10", checksums, root, size, fit, channels)


def image_folder(
    *,
    root: str | None,
    size: Size | None,
    fit: str,
    channels: int | None,
    window: Window | None = None,
) -> Dataset:
    """A user's own images.

    The files are `root/train/<class>/*` and `root/test/<class>/*` with the same classes, or
    `root/<class>/*`, which are split later. Classes and images are sorted by name. Images may have
    any size and mode; EXIF orientation is applied, transparency becomes white, only the first frame
    is read, and 16 bits become 8, with white at 65,535, or the levels of a window
    (`levels.to_bytes`). Hidden files, and files without one of
    `IMAGE_SUFFIXES`, are ignored.

    If `root/masks` contains folders it is not a class: it has a mask for every image, of the size
    of the image, black and white, with the image's name (the suffix may differ). Either
    `root/masks` has the same folders as `root`, and white is the region "object", or it has one
    folder per region, each with the same folders as `root`, and white is the region named after
    that folder. An all-black mask means that the image does not have the region.

    Raises
    ------
    CampareError
        The folders have another layout; images cannot be read; sizes differ and none is set; masks
        are missing, of another size than their images, or not black and white.
    """
    folder = _folder(root)
    if not folder.is_dir():
        raise CampareError(f"{folder}: no such folder; set data.root to the folder of your images")
    parts = _parts(folder)
    masks = mask_folder(folder)
    files_of = {part: _classes(path, masks) for part, path in parts.items()}
    classes, *others = (tuple(of_class) for of_class in files_of.values())
    for other in others:
        if unequal := sorted(set(classes) ^ set(other)):
            raise CampareError(
                f"{folder}: only one of train and test has the class {unequal[0]!r}; "
                "both need the same class folders"
            )
    position = {name: label for label, name in enumerate(classes)}
    rows = [
        (path, position[name], part)
        for part, of_class in files_of.items()
        for name, paths in of_class.items()
        for path in paths
    ]
    paths, labels, part_of = zip(*rows, strict=True)
    images, deepest = _stacked(paths, size, fit, channels, window)
    return Dataset(
        images,
        np.array(labels, dtype=np.int64),
        classes,
        np.array(part_of, dtype="U5"),
        _regions(masks, folder, paths, images.shape[1:3], size, fit) if masks else None,
        Files(folder, paths, _unread({folder, *parts.values()}, paths), deepest),
    )


def photographs(folder: str | Path) -> list[tuple[Path, NDArray[np.uint8]]]:
    """Path and grey levels uint8 (H, W) of the images in a folder and its direct subfolders.

    They are sorted by name, those of the folder itself first, each at its own size, and read as in
    `image_folder`.

    Raises
    ------
    CampareError
        There is no such folder, or no image in it; images cannot be read.
    """
    folder = Path(folder).expanduser()
    if not folder.is_dir():
        raise CampareError(
            f"{folder}: no such folder; set own_images.folder to the folder of your photographs"
        )
    inner = filter(Path.is_dir, _visible(folder))
    files = [path for place in (folder, *inner) for path in _visible(place) if path.is_file()]
    images = [path for path in files if path.suffix.lower() in IMAGE_SUFFIXES]
    if not images:
        raise CampareError(
            f"{folder}: has no images; add some "
            f"(suffixes that are read: {' '.join(sorted(IMAGE_SUFFIXES))})"
        )
    return _each(lambda path: (path, _pixels(path, "L", None, "crop")[0][..., 0]), images)


def shown(path: str | Path) -> str:
    """A path as text that can be printed; bytes that are not UTF-8 become such as `\\xe9`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


class Rows:
    """Selected images, copied on access: uint8 (b, H, W, C), or (H, W, C) for one of them.

    So jobs that process images batch by batch hold one batch in memory.

    Parameters
    ----------
    images, index
        uint8 (N, H, W, C), and positions of the selected ones, int64 (n,).
    change
        Changes the copies, (b, H, W, C) and their positions (b,).
    """

    def __init__(
        self, images: NDArray[np.uint8], index: NDArray[np.int64], change: Change | None = None
    ) -> None:
        self.images, self.index, self.change = images, index, change
        self.shape = (len(index), *images.shape[1:])

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, rows: int | slice | NDArray[np.int64]) -> NDArray[np.uint8]:
        index = self.index[rows]
        if self.change is None:
            return self.images[index]
        copies = self.change(self.images[np.atleast_1d(index)], np.atleast_1d(index))
        return copies.reshape(*np.shape(index), *self.shape[1:])


def write(dataset: Dataset, path: str | Path) -> None:
    """Write a data set as HDF5: `images`, `label`, `part` and `classes` (names).

    Regions are written as `masks`, uint8 (N, R, H, ⌈W/8⌉), with eight pixels in a byte
    (`numpy.packbits` along the last axis), and the attribute `regions` with their R names. The
    files of the images are written as `files` (paths relative to their folder).
    """
    with atomic.replacing(path) as aside:
        atomic.reserve(aside, dataset.images.nbytes + (1 << 20))
        with h5py.File(aside, "w") as file:
            file["images"] = dataset.images
            file["label"] = dataset.labels
            file["part"] = dataset.part.astype("S5")
            file["classes"] = list(dataset.classes)  # an attribute holds 4,000 at most
            if dataset.regions:
                masks = dataset.regions.masks
                shape = (*masks.shape[:3], -(-masks.shape[3] // 8))
                packed = file.create_dataset("masks", shape, np.uint8)
                for part in scratch.parts(masks):
                    packed[part] = np.packbits(masks[part], axis=3)
                file.attrs["regions"] = list(dataset.regions.names)
            if dataset.files:
                root = dataset.files.root
                file["files"] = [shown(path.relative_to(root)) for path in dataset.files.images]


def read(path: str | Path) -> Dataset:
    """Read a data file, without its regions (`read_regions`).

    Images are mapped into memory and read on access.

    Raises
    ------
    CampareError
        The file is missing, truncated, or not a data file.
    """
    with reading(path, "data file"), h5py.File(path, "r") as file:
        stored = file["images"]
        dataset = Dataset(
            np.memmap(path, stored.dtype, "r", stored.id.get_offset(), stored.shape),
            file["label"][...],
            tuple(file["classes"].asstr()[...]),
            file["part"][...].astype("U5"),
        )
    images, labels, part = dataset.images, dataset.labels, dataset.part
    if not (
        images.dtype == np.uint8
        and images.ndim == 4
        and labels.dtype == np.int64
        and images.shape[:1] == labels.shape == part.shape
        and np.isin(labels, np.arange(len(dataset.classes))).all()
        and np.isin(part, ["train", "test", ""]).all()
    ):
        raise CampareError(f"{path}: not a data file of campare; {ANEW}")
    return dataset


def read_files(path: str | Path) -> list[str] | None:
    """The N paths of the images of a data file, relative to their folder; None without files.

    Raises
    ------
    CampareError
        The file is missing, truncated, or not a data file.
    """
    with reading(path, "data file"), h5py.File(path, "r") as file:
        return list(file["files"].asstr()[...]) if "files" in file else None


def read_regions(path: str | Path, rows: NDArray[np.int64]) -> Regions | None:
    """The regions of the images at some positions (ascending); None if the file has no masks.

    Raises
    ------
    CampareError
        The file is missing, truncated, or not a data file.
    """
    with reading(path, "data file"), h5py.File(path, "r") as file:
        if "masks" not in file:
            return None
        packed, names = file["masks"][rows], tuple(file.attrs["regions"])
        height, width = file["images"].shape[1:3]
        if packed.dtype != np.uint8 or packed.shape[1:] != (len(names), height, -(-width // 8)):
            raise ValueError("its masks do not fit its images")
    return Regions(names, np.unpackbits(packed, axis=3, count=width).astype(bool))


def channel_statistics(
    images: NDArray[np.uint8] | Rows,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of every channel over all pixels of all images.

    Parameters
    ----------
    images
        uint8 (N, H, W, C).

    Returns
    -------
    mean, std
        float64 (C,), of grey levels scaled to [0, 1]. The standard deviation of a constant channel
        is returned as 1, so that one can divide by it.
    """
    levels = np.arange(256) / 255
    # Counts of levels are exact, whatever the number and order of the images.
    counts = np.zeros((images.shape[3], 256), np.int64)
    for row in range(len(images)):
        for channel, values in enumerate(images[row].reshape(-1, images.shape[3]).T):
            counts[channel] += np.bincount(values, minlength=256)
    shares = counts / math.prod(images.shape[:3])
    mean = shares @ levels
    std = np.sqrt((shares * (levels - mean[:, None]) ** 2).sum(axis=1))
    return mean, np.where((shares > 0).sum(axis=1) > 1, std, 1.0)


def _folder(root: str | None) -> Path:
    return Path("data" if root is None else root).expanduser()


def _torchvision(
    name: str,
    checksums: Mapping[str, str],
    root: str | None,
    size: Size | None,
    fit: str,
    channels: int | None,
) -> Dataset:
    """A torchvision data set from the files in `checksums` (path under root → MD5)."""
    from torchvision import datasets

    kind = getattr(datasets, name)
    folder = _folder(root)
    if not _verified(folder, checksums):
        try:
            kind(folder, download=True)
        except (OSError, RuntimeError, http.client.HTTPException) as error:
            reason = " ".join(str(error).split())
            raise CampareError(
                f"{folder}: {name} is missing and cannot be downloaded ({reason}); set data.root "
                f"to the folder that has it, or put these files here: {', '.join(checksums)}"
            ) from error
    parts = {"train": kind(folder, train=True), "test": kind(folder, train=False)}
    images = np.concatenate([np.asarray(part.data) for part in parts.values()])
    images = images.reshape(*images.shape[:3], -1)  # MNIST has no channel axis
    labels = [np.asarray(part.targets, dtype=np.int64) for part in parts.values()]
    return Dataset(
        _adapted(images, size, fit, channels),
        np.concatenate(labels),
        tuple(label.split(" - ")[0] for label in parts["train"].classes),  # "7 - seven" → "7"
        np.repeat(np.array(list(parts), dtype="U5"), [len(part) for part in labels]),
    )


def _verified(folder: Path, checksums: Mapping[str, str]) -> bool:
    """Whether all files exist; CampareError if the content of an existing one is wrong."""
    from torchvision.datasets.utils import check_integrity

    paths = {folder / name: md5 for name, md5 in checksums.items()}
    present = [path for path in paths if path.exists()]
    for path in present:
        with reading(path, "file of this data set"):
            intact = check_integrity(path, paths[path])
        if not intact:
            raise CampareError(
                f"{path}: truncated or altered (its checksum is wrong); move it away, and it will "
                "be downloaded again"
            )
    return len(present) == len(paths)


def _parts(folder: Path) -> dict[str, Path]:
    """Part → the folder with its class folders; "" for a data set without parts."""
    inner = {path.name: path for path in _visible(folder) if path.is_dir()}
    if masks := mask_folder(folder):
        inner.pop(masks.name, None)
    if not {"train", "test"} <= inner.keys():
        return {"": folder}
    if others := sorted(inner.keys() - {"train", "test"}):
        raise CampareError(
            f"{inner[others[0]]}: only train and test are allowed here; move its images into "
            "train (validation images are drawn from there), or remove the folder"
        )
    return {part: inner[part] for part in ("train", "test")}


def _classes(folder: Path, masks: Path | None) -> dict[str, list[Path]]:
    """Class → its image files, both sorted by name; the folder `masks` is left out."""
    classes = {}
    for inner in filter(Path.is_dir, _visible(folder)):
        if inner == masks:
            continue
        entries = _visible(inner)
        if deeper := [path for path in entries if path.is_dir()]:
            raise CampareError(
                f"{deeper[0]}: a folder inside a class folder; put images directly into "
                "<root>/<class>/, or <root>/train/<class>/ and <root>/test/<class>/"
            )
        if (name := _class_name(inner)) in classes:
            raise CampareError(
                f"{inner}: a second folder of this name, in another Unicode form (as macOS writes "
                "accents); move the images of one into the other"
            )
        classes[name] = [p for p in entries if p.suffix.lower() in IMAGE_SUFFIXES]
        if not classes[name]:
            raise CampareError(
                f"{inner}: this class folder has no images; add some or move it away "
                f"(suffixes that are read: {' '.join(sorted(IMAGE_SUFFIXES))})"
            )
    if len(classes) < 2:
        raise CampareError(
            f"{folder}: has {len(classes)} class folder(s); put the images of each class, two "
            "classes or more, into a folder named after it"
        )
    return classes


def _class_name(folder: Path) -> str:
    """The name of the class of a folder, in one Unicode form.

    Raises
    ------
    CampareError
        The name is not UTF-8.
    """
    try:
        return normalize("NFC", os.fsencode(folder.name).decode("utf-8"))
    except UnicodeDecodeError as error:
        raise CampareError(
            f"{shown(folder)}: the name of this class is not UTF-8, as in zip files made on "
            "Windows; rename the folder"
        ) from error


def _unread(above: Iterable[Path], paths: Sequence[Path]) -> tuple[Path, ...]:
    """Other files in the folders of classes, and all files in the folders `above`."""
    beside = [path for place in sorted(above) for path in _visible(place) if path.is_file()]
    inside = [path for place in dict.fromkeys(p.parent for p in paths) for path in _visible(place)]
    return (*beside, *(p for p in inside if p.suffix.lower() not in IMAGE_SUFFIXES))


def _regions(
    masks: Path,
    folder: Path,
    paths: Sequence[Path],
    shape: tuple[int, ...],
    size: Size | None,
    fit: str,
) -> Regions:
    """The regions of an image folder, in the order of its images; (H, W) = `shape`."""
    kinds = {path.relative_to(folder).parts[0] for path in paths}
    inner = [path for path in _visible(masks) if path.is_dir()]
    # Either the same folders as those of the images, or one folder for every region.
    places = {"object": masks} if kinds & {path.name for path in inner} else {}
    places = places or {path.name: path for path in inner}
    listed = {
        place: _by_stem(place)
        for place in {
            top / path.parent.relative_to(folder) for top in places.values() for path in paths
        }
    }
    masked = scratch.empty((len(paths), len(places), *shape), bool)

    def place(position: tuple[int, int]) -> None:
        row, region = position
        expected = list(places.values())[region] / paths[row].relative_to(folder)
        masked[position] = _mask(listed, expected, paths[row], size, fit)

    _each(place, list(np.ndindex(masked.shape[:2])))
    return Regions(tuple(places), masked)


def _by_stem(folder: Path) -> dict[str, list[Path]]:
    """Name without suffix → image files of a folder; empty if there is no such folder."""
    by_stem: dict[str, list[Path]] = {}
    for path in _visible(folder) if folder.is_dir() else ():
        if path.suffix.lower() in IMAGE_SUFFIXES:
            by_stem.setdefault(path.stem, []).append(path)
    return by_stem


def _mask(
    listed: Mapping[Path, Mapping[str, Sequence[Path]]],
    expected: Path,
    image: Path,
    size: Size | None,
    fit: str,
) -> NDArray[np.bool_]:
    """The mask of an image, bool (H, W), resized as the image is."""
    candidates = [
        path
        for path in listed[expected.parent].get(expected.stem, [])
        # A mask with the name of another image belongs to that image.
        if path.name == image.name or not (image.parent / path.name).exists()
    ]
    path = expected if expected in candidates else next(iter(candidates), None)
    if path is None:
        raise CampareError(
            f"{expected.with_suffix('.png')}: missing, the mask of {image}; add it, all black "
            "if the image does not have the region, or remove the folder of masks"
        )
    if path != expected and len(candidates) > 1:
        raise CampareError(
            f"{expected.parent}: {' and '.join(path.name for path in candidates)} may each be the "
            f"mask of {image}; keep one"
        )
    return read_mask(path, image, size, fit)


def read_mask(
    path: Path, image: Path, size: Size | None, fit: str, indices: Sequence[int] = ()
) -> NDArray[np.bool_]:
    """The mask of an image from a file, bool (H, W), resized as the image is.

    Parameters
    ----------
    indices
        Indices of the palette, or grey levels, that are the region; none: the file is black and
        white.

    Raises
    ------
    CampareError
        It is not black and white, or lacks an index, or is not of the size of the image.
    """
    levels = _indices(path) if indices else _pixels(path, "L", None, fit)[0][..., 0]
    with Image.open(image) as opened:
        wide, high = opened.size
        # Turned by 90°; for a TIFF, Pillow's size is already that of the upright image.
        if _orientation(opened) in (5, 6, 7, 8) and opened.format != "TIFF":
            wide, high = high, wide
    if levels.shape != (high, wide):
        raise CampareError(
            f"{path}: {levels.shape[1]}×{levels.shape[0]} pixels, while {image} has "
            f"{wide}×{high}; a mask must have the size of its image"
        )
    if missing := [index for index in indices if not (levels == index).any()]:
        present = ", ".join(map(str, np.unique(levels)[:NAMED]))
        raise CampareError(
            f"{path}: no pixel has the index {missing[0]}; it has {present}: correct it, or leave "
            "the mask empty if the image does not have the region"
        )
    if not indices and (greys := np.setdiff1d(levels, [0, levels.max()])).size:
        raise CampareError(
            f"{path}: not black and white (it has the grey level {greys[0]}); save masks without "
            "smooth edges, in a lossless format such as PNG"
        )
    inside = np.isin(levels, indices) if indices else levels > 0
    white = Image.fromarray(np.where(inside, np.uint8(255), np.uint8(0)))
    return np.asarray(white if size is None else _fitted(white, size, fit)) > 127


def _indices(path: Path) -> NDArray[np.integer[Any]]:
    """Indices of the palette, or grey levels, of the pixels of an image (H, W), upright."""
    try:
        with Image.open(path) as opened:
            opened.load()
            turn = _TURNS.get(_orientation(opened))
            image = opened if turn is None else opened.transpose(turn)
            if image.mode not in ("P", "L", "I", "I;16"):
                raise ValueError("indices need a palette or grey levels")
            return np.asarray(image)
    except Exception as error:  # Pillow's decoders raise a dozen kinds on a broken file
        raise CampareError(shown(f"{path}: {_reason(error)}")) from error


def _visible(folder: Path) -> list[Path]:
    """The entries of a folder without hidden ones, sorted by name."""
    try:
        entries = list(folder.iterdir())
    except OSError as error:
        raise CampareError(f"{folder}: {error.strerror}; make it readable") from error
    visible = (path for path in entries if not path.name.startswith("."))
    return sorted(visible, key=lambda path: (normalize("NFC", path.name), path.name))


def _adapted(
    images: NDArray[np.uint8], size: Size | None, fit: str, channels: int | None
) -> NDArray[np.uint8]:
    """Images (N, H, W, C) with the size and channels of `load`'s arguments."""
    native = images.shape[3]
    if size is None and channels in (None, native):
        return images
    return _stacked(list(images), size, fit, channels or native)[0]


def _stacked(
    sources: Sequence[Path] | Sequence[NDArray[np.uint8]],
    size: Size | None,
    fit: str,
    channels: int | None,
    window: Window | None = None,
) -> tuple[NDArray[np.uint8], int]:
    """Images, from files or arrays (H, W, C), as one array (N, H, W, C); parameters as in `load`.

    Also the largest grey level of images with 16 bits, 0 without such images.
    """
    mode = "L" if channels == 1 else "RGB"
    shape: tuple[int, ...] = (1, 1, 1)
    for first in range(len(sources)):
        with suppress(CampareError):  # raised again by `place`
            shape = _pixels(sources[first], mode, size, fit, window)[0].shape
            break
    model = sources[first]
    images = scratch.empty((len(sources), *shape), np.uint8)

    def place(position: int) -> tuple[tuple[int, ...], bool, int]:
        """Read one image; return its shape, whether it is grey, its largest level of 16 bits."""
        pixels, deepest = _pixels(sources[position], mode, size, fit, window)
        if pixels.shape == shape:
            images[position] = pixels
        return pixels.shape, bool((pixels == pixels[..., :1]).all()), deepest

    # Pillow decodes without the GIL: threads speed up large images, and slow down small ones.
    large = isinstance(model, Path) and model.stat().st_size > 20_000
    with ThreadPoolExecutor() as pool:
        shapes, grey, levels = zip(
            *_each(place, range(len(sources)), pool.map if large else map), strict=True
        )
    for source, (height, width, _) in zip(sources, shapes, strict=True):
        if (height, width) != shape[:2]:
            raise CampareError(
                f"{source}: {width}×{height} pixels, while {model} has {shape[1]}×{shape[0]}; set "
                "data.size to give all images one size"
            )
    single = channels is None and all(grey)
    return scratch.copied(images[..., :1]) if single else images, max(levels)


def _each(
    act: Callable[[_Item], _Made],
    items: Iterable[_Item],
    mapping: Callable[[Callable[[_Item], Any], Iterable[_Item]], Iterable[Any]] = map,
) -> list[_Made]:
    """Results of `act` for every item.

    Raises
    ------
    CampareError
        `act` has raised it for some items: one error with a line for each of the first of them, and
        notes on the others.
    """

    def tried(item: _Item) -> _Made | CampareError:
        try:
            return act(item)
        except CampareError as error:
            return error

    results = list(mapping(tried, items))
    refused = [error for error in results if isinstance(error, CampareError)]
    if len(refused) == 1:
        raise refused[0]
    if refused:
        named = list(map(str, refused[:NAMED]))
        if more := refused[NAMED:]:
            named.append(f"and {len(more):,} more, listed in the job's log")
        error = CampareError("\n  ".join([f"{len(refused):,} files cannot be used:", *named]))
        for each in more:
            error.add_note(str(each))
        raise error
    return results


def _pixels(
    source: Path | NDArray[np.uint8],
    mode: str,
    size: Size | None,
    fit: str,
    window: Window | None = None,
) -> tuple[NDArray[np.uint8], int]:
    """One image as uint8 (H, W, C), and its largest level if it has 16 bits, else 0."""
    try:
        if isinstance(source, np.ndarray):
            return prepared(as_pillow(source), mode, size, fit)
        with Image.open(source) as opened:
            return prepared(opened, mode, size, fit, window)
    except Exception as error:  # Pillow's decoders raise a dozen kinds on a broken file
        raise CampareError(shown(f"{source}: {_reason(error)}")) from error


def prepared(
    opened: Image.Image | NDArray[np.uint8],
    mode: str,
    size: Size | None,
    fit: str,
    window: Window | None = None,
) -> tuple[NDArray[np.uint8], int]:
    """An image as uint8 (H, W, C) in the size of the study, and its largest level of 16 bits, or 0.

    Parameters
    ----------
    opened
        An image, converted to `mode`; or uint8 (H, W, C) with any number of channels, which stay as
        they are.
    mode
        "L" or "RGB".
    size, fit, window
        As in `load`; a window applies to images only.

    Raises
    ------
    ValueError
        Pixels have levels that cannot become 8 bits; or as the decoders of Pillow.
    """
    if isinstance(opened, np.ndarray):
        if size is None:
            return opened, 0
        planes = (Image.fromarray(np.ascontiguousarray(each)) for each in np.moveaxis(opened, 2, 0))
        return np.dstack([np.asarray(_fitted(plane, size, fit)) for plane in planes]), 0
    with _one_large if opened.width * opened.height > LARGE else nullcontext():
        image, deepest = _converted(opened, mode, window)
        if size is not None:
            image = _fitted(image, size, fit)
        return np.asarray(image).reshape(image.height, image.width, -1), deepest


def as_pillow(pixels: NDArray[np.uint8]) -> Image.Image | NDArray[np.uint8]:
    """An image (H, W) or (H, W, C) for `prepared`: one of Pillow if it is grey or RGB."""
    if pixels.ndim == 3 and pixels.shape[2] not in (1, 3):
        return pixels
    return Image.fromarray(pixels[..., 0] if pixels.shape[2:] == (1,) else pixels)


class _WindowError(ValueError):
    """A window cannot be applied to an image; the message has the remedy."""


def _reason(error: Exception) -> str:
    """Why an image cannot be read, and what to do; distinguishes system errors from content."""
    if isinstance(error, _WindowError):
        return str(error)
    if isinstance(error, MemoryError):
        return "does not fit into memory; save a smaller version, or give the job more memory"
    if isinstance(error, OSError) and error.errno is not None:
        denied = error.errno in (errno.EACCES, errno.EPERM)
        remedy = "make it readable" if denied else "the image may be intact; fix this and run again"
        return f"cannot be opened ({error.strerror}); {remedy}"
    unknown = isinstance(error, UnidentifiedImageError)
    reason = "not in a format that Pillow knows" if unknown else error
    return f"cannot be read as an image ({reason}); replace or remove it"


def _converted(opened: Image.Image, mode: str, window: Window | None) -> tuple[Image.Image, int]:
    """An image of any mode as "L" or "RGB", upright, and its largest level of 16 bits, or 0.

    With a window that is 0, because levels above it are meant to be white.
    """
    cut = any(";16" in str(tile) for tile in getattr(opened, "tile", ()))  # known until it is read
    opened.load()
    turn = _TURNS.get(_orientation(opened))
    # Not exif_transpose, which rewrites all other tags, and fails on a wrong one.
    image = opened if turn is None else opened.transpose(turn)
    deepest = 0
    if window is not None and image.mode.startswith(("I", "F")):
        return Image.fromarray(to_bytes(np.asarray(image), window)).convert(mode), 0
    if image.mode == "F":
        raise ValueError("pixels are real numbers of unknown range; save it with 8 or 16 bits")
    if image.mode.startswith("I"):  # 16 bits; Pillow's own conversion cuts off at 255
        deep = np.asarray(image).astype(np.int64)
        deepest = int(deep.max())
        if deep.min() < 0 or deepest > 65535:
            raise ValueError("pixels have more than 16 bits")
        image = Image.fromarray(((deep * 255 + 32767) // 65535).astype(np.uint8))
    elif cut:  # colour: Pillow keeps the upper byte of two
        if window is not None:
            raise _WindowError(
                "its colours have 16 bits, of which Pillow reads 8, so that data.window cannot be "
                "applied; save the images as a file of arrays, or remove the key"
            )
        deepest = 256 * int(np.asarray(image.convert("RGB")).max()) + 255
    if image.has_transparency_data:
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image.convert("RGBA"))
    image = image.convert(mode)
    if window is None:
        return image, deepest
    if np.min(window) < 0 or np.max(window) > 255:
        raise _WindowError(
            f"it has 8 bits, levels from 0 to 255, and data.window is {list(window)}; save it with "
            "16 bits, or correct the key"
        )
    return Image.fromarray(to_bytes(np.asarray(image), window)), 0


def _orientation(opened: Image.Image) -> Any:
    """The EXIF orientation; 1 (upright) if it cannot be read."""
    try:
        return opened.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # the image itself may be intact
        return 1


def _fitted(image: Image.Image, size: Size, fit: str) -> Image.Image:
    """An image of this size, with the aspect ratio of its content kept."""
    bilinear = Image.Resampling.BILINEAR
    height, width = pair(size)
    if fit == "crop":
        return ImageOps.fit(image, (width, height), bilinear)
    is_wider = image.width * height >= image.height * width  # than the result
    most, longest = (width, image.width) if is_wider else (height, image.height)
    inner = [max(1, round(most * side / longest)) for side in image.size]
    framed = Image.new(image.mode, (width, height))
    framed.paste(
        image.resize((inner[0], inner[1]), bilinear),
        ((width - inner[0]) // 2, (height - inner[1]) // 2),
    )
    return framed
