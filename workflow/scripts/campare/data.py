"""Data sets as arrays: uint8 pictures, labels, class names, and the part each picture came in.

A data set is a function `name(*, root, size, fit, channels) -> Dataset` with an entry in
`registry.DATASETS`; where that entry has parameters, the function takes them too. It is read once,
into one HDF5 file that every later step opens.
"""

from __future__ import annotations

import http.client
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps

from campare import atomic
from campare.errors import ANEW, CampareError, reading
from campare.registry import DATASETS, mask_folder

PICTURE_SUFFIXES = {
    *(".avif", ".bmp", ".gif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg"),
    *(".pbm", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"),
}

# MD5 of the unpacked files; torchvision knows those of the archives only.
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
    """Which pixels of N pictures are what: the object, a distractor, a cue.

    Attributes
    ----------
    names : R of them
    masks : bool (N, R, H, W); a region that a picture does not have is empty there
    """

    names: tuple[str, ...]
    masks: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Dataset:
    """N pictures with everything known about them.

    Attributes
    ----------
    images : uint8 (N, H, W, C), C = 1 (grey) or 3 (RGB)
    labels : int64 (N,), positions in `classes`
    classes : names
    part : str (N,), "train" or "test" where the data set says so, all "" where it is to be split
    regions : where they are known
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    part: NDArray[np.str_]
    regions: Regions | None = None


def load(
    name: str,
    *,
    root: str | None,
    size: int | None,
    fit: str,
    channels: int | None,
    **parameters: Any,
) -> Dataset:
    """Read a data set by its registry name.

    Parameters
    ----------
    root
        Folder of the files; None: `data`. A relative one starts from the working directory.
    size
        Side to which every picture is resized, pixels (bilinear, antialiased). None: as they
        are, if all are of one size.
    fit
        How the aspect ratio is kept: "crop" (shorter side = `size`, centre cut out) or "pad"
        (longer side = `size`, black around it).
    channels
        1 (grey), 3 (RGB), or None: 3 unless every picture is grey.
    parameters
        All of those that the data set's entry in the registry has.

    Raises
    ------
    CampareError
        No data set has this name; files are missing, unreadable, or of different sizes; the
        pictures are not square and no size is set.
    """
    if name not in DATASETS:
        raise CampareError(f"data.name: unknown data set {name!r}; known: {', '.join(DATASETS)}")
    dataset: Dataset = DATASETS[name].load()(
        root=root, size=size, fit=fit, channels=channels, **parameters
    )
    height, width = dataset.images.shape[1:3]
    if height != width:
        raise CampareError(
            f"data.size: the pictures are {width}×{height} pixels and a network sees squares; "
            "set data.size, and data.fit to crop or pad"
        )
    return dataset


def digits(*, root: str | None, size: int | None, fit: str, channels: int | None) -> Dataset:
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


def mnist(*, root: str | None, size: int | None, fit: str, channels: int | None) -> Dataset:
    """MNIST, read from `root` or downloaded into it."""
    return _torchvision("MNIST", _MNIST, root, size, fit, channels)


def fashion_mnist(*, root: str | None, size: int | None, fit: str, channels: int | None) -> Dataset:
    """Fashion-MNIST, read from `root` or downloaded into it."""
    return _torchvision("FashionMNIST", _FASHION_MNIST, root, size, fit, channels)


def cifar10(*, root: str | None, size: int | None, fit: str, channels: int | None) -> Dataset:
    """CIFAR-10 (the official Python batches), read from `root` or downloaded into it."""
    from torchvision.datasets import CIFAR10

    files = [
        *CIFAR10.train_list,
        *CIFAR10.test_list,
        (CIFAR10.meta["filename"], CIFAR10.meta["md5"]),
    ]
    checksums = {f"{CIFAR10.base_folder}/{name}": md5 for name, md5 in files}
    return _torchvision("CIFAR10", checksums, root, size, fit, channels)


def image_folder(*, root: str | None, size: int | None, fit: str, channels: int | None) -> Dataset:
    """A user's own pictures.

    `root/train/<class>/*` and `root/test/<class>/*` with the same classes, or `root/<class>/*`
    to be split. Classes and pictures are sorted by name. Pictures may be of any size and mode;
    EXIF orientation is applied, transparency lies on white, of several frames the first counts.
    Files without one of `PICTURE_SUFFIXES`, and hidden ones, are ignored.

    Where `root/masks` holds folders it is no class but has a mask for every picture, as big as the
    picture, black and white, under the picture's name (the suffix may differ): `root/masks` then is
    laid out as `root` is, and white the region "object", or it holds a folder laid out so for every
    region, and white is what that folder is called. Black alone says that the picture lacks it.

    Raises
    ------
    CampareError
        The folders are not laid out so; a picture cannot be read; sizes differ and none is set; a
        mask is missing, of another size than its picture, or not black and white.
    """
    folder = _folder(root)
    if not folder.is_dir():
        raise CampareError(f"{folder}: no such folder; set data.root to the one of your pictures")
    parts = _parts(folder)
    masks = mask_folder(folder)
    found = {part: _classes(path, masks) for part, path in parts.items()}
    classes, *others = (tuple(pictures) for pictures in found.values())
    for other in others:
        if odd := sorted(set(classes) ^ set(other)):
            raise CampareError(
                f"{folder}: only one of train and test has the class {odd[0]!r}; "
                "both need the same class folders"
            )
    rows = [
        (path, classes.index(name), part)
        for part, pictures in found.items()
        for name, paths in pictures.items()
        for path in paths
    ]
    paths, labels, part_of = zip(*rows, strict=True)
    return Dataset(
        _stacked(paths, size, fit, channels),
        np.array(labels, dtype=np.int64),
        classes,
        np.array(part_of, dtype="U5"),
        _regions(masks, folder, paths, size, fit) if masks else None,
    )


def photographs(folder: str | Path) -> list[tuple[Path, NDArray[np.uint8]]]:
    """Path and grey levels (H, W) of the pictures in a folder and in those directly in it.

    Sorted by name, those of the folder itself first; each of its own size, read as `image_folder`
    reads them.

    Raises
    ------
    CampareError
        There is no such folder or no picture in it; a picture cannot be read.
    """
    folder = Path(folder).expanduser()
    if not folder.is_dir():
        raise CampareError(
            f"{folder}: no such folder; set own_pictures.folder to the one of your photographs"
        )
    inner = filter(Path.is_dir, _visible(folder))
    files = [path for place in (folder, *inner) for path in _visible(place) if path.is_file()]
    found = [path for path in files if path.suffix.lower() in PICTURE_SUFFIXES]
    if not found:
        raise CampareError(
            f"{folder}: no picture in it; add some (read: {' '.join(sorted(PICTURE_SUFFIXES))})"
        )
    return [(path, _pixels(path, "L", None, "crop")[..., 0]) for path in found]


class Rows:
    """Some pictures of many: uint8 (b, H, W, C) for a slice, copied only then.

    What maps images batch by batch needs no more memory for many of them than for few.
    """

    def __init__(self, images: NDArray[np.uint8], index: NDArray[np.int64]) -> None:
        self.images, self.index = images, index
        self.shape = (len(index), *images.shape[1:])

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, rows: slice) -> NDArray[np.uint8]:
        return self.images[self.index[rows]]


def write(dataset: Dataset, path: str | Path) -> None:
    """Write a data set as HDF5: `images`, `label`, `part`, and the attribute `classes`.

    Where regions are known, `masks` besides, uint8 (N, R, H, ⌈W/8⌉), eight pixels to a byte (as
    `numpy.packbits` lays them along the last axis), with the attribute `regions` of R names.
    """
    with atomic.replacing(path) as aside:
        atomic.reserve(aside, dataset.images.nbytes + (1 << 20))
        with h5py.File(aside, "w") as file:
            file["images"] = dataset.images
            file["label"] = dataset.labels
            file["part"] = dataset.part.astype("S5")
            file.attrs["classes"] = list(dataset.classes)
            if dataset.regions:
                file["masks"] = np.packbits(dataset.regions.masks, axis=3)
                file.attrs["regions"] = list(dataset.regions.names)


def read(path: str | Path) -> Dataset:
    """Read what `write` wrote but for the regions (`read_regions`).

    Pictures stay in the file until they are asked for.

    Raises
    ------
    CampareError
        The file is missing, truncated, or holds something else.
    """
    with reading(path, "data file"), h5py.File(path, "r") as file:
        pictures = file["images"]
        dataset = Dataset(
            np.memmap(path, pictures.dtype, "r", pictures.id.get_offset(), pictures.shape),
            file["label"][...],
            tuple(file.attrs["classes"]),
            file["part"][...].astype("U5"),
        )
    images, labels, part = dataset.images, dataset.labels, dataset.part
    if not (
        images.dtype == np.uint8
        and images.ndim == 4
        and images.shape[3] in (1, 3)
        and labels.dtype == np.int64
        and images.shape[:1] == labels.shape == part.shape
        and np.isin(labels, np.arange(len(dataset.classes))).all()
        and np.isin(part, ["train", "test", ""]).all()
    ):
        raise CampareError(f"{path}: is not a data file of campare; {ANEW}")
    return dataset


def read_regions(path: str | Path, rows: NDArray[np.int64]) -> Regions | None:
    """The regions of some pictures, by their rising positions; None where none are known.

    Raises
    ------
    CampareError
        The file is missing, truncated, or holds something else.
    """
    with reading(path, "data file"), h5py.File(path, "r") as file:
        if "masks" not in file:
            return None
        packed, names = file["masks"][rows], tuple(file.attrs["regions"])
        height, width = file["images"].shape[1:3]
        if packed.dtype != np.uint8 or packed.shape[1:] != (len(names), height, -(-width // 8)):
            raise ValueError("its masks do not fit its pictures")
    return Regions(names, np.unpackbits(packed, axis=3, count=width).astype(bool))


def channel_statistics(
    images: NDArray[np.uint8],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of every channel over all pixels of all pictures.

    Takes uint8 (N, H, W, C); returns two float64 (C,), with grey levels 0–255 as 0–1. The
    standard deviation of a constant channel comes back as 1, so that one can divide by it.
    """
    levels = np.arange(256) / 255
    # Counting levels is exact, whatever the number and the order of the pictures.
    shares = np.stack(
        [
            sum(np.bincount(image[..., channel].ravel(), minlength=256) for image in images)
            for channel in range(images.shape[3])
        ]
    ) / (images.size / images.shape[3])
    mean = shares @ levels
    std = np.sqrt((shares * (levels - mean[:, None]) ** 2).sum(axis=1))
    return mean, np.where((shares > 0).sum(axis=1) > 1, std, 1.0)


def _folder(root: str | None) -> Path:
    return Path("data" if root is None else root).expanduser()


def _torchvision(
    name: str,
    checksums: Mapping[str, str],
    root: str | None,
    size: int | None,
    fit: str,
    channels: int | None,
) -> Dataset:
    """A torchvision data set from the files in `checksums` (path under root: MD5)."""
    from torchvision import datasets

    kind = getattr(datasets, name)
    folder = _folder(root)
    if not _verified(folder, checksums):
        try:
            kind(folder, download=True)
        except (OSError, RuntimeError, http.client.HTTPException) as error:
            reason = " ".join(str(error).split())
            raise CampareError(
                f"{folder}: {name} is not here and cannot be downloaded ({reason}); set data.root "
                f"to the folder that has it, or put here: {', '.join(checksums)}"
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
    """Whether all files are there; CampareError if one that is has the wrong content."""
    from torchvision.datasets.utils import check_integrity

    paths = {folder / name: md5 for name, md5 in checksums.items()}
    present = [path for path in paths if path.exists()]
    for path in present:
        with reading(path, "file of this data set"):
            whole = check_integrity(path, paths[path])
        if not whole:
            raise CampareError(
                f"{path}: truncated or altered (its checksum is wrong); move it away, and it is "
                "downloaded again"
            )
    return len(present) == len(paths)


def _parts(folder: Path) -> dict[str, Path]:
    """The folders that hold class folders, by part."""
    inner = {path.name: path for path in _visible(folder) if path.is_dir()}
    if masks := mask_folder(folder):
        inner.pop(masks.name, None)
    if not {"train", "test"} <= inner.keys():
        return {"": folder}
    if others := sorted(inner.keys() - {"train", "test"}):
        raise CampareError(
            f"{inner[others[0]]}: does not belong beside train and test; move its pictures into "
            "train (validation pictures are drawn from there) or take the folder away"
        )
    return {part: inner[part] for part in ("train", "test")}


def _classes(folder: Path, masks: Path | None) -> dict[str, list[Path]]:
    """The pictures of every class folder, both sorted by name; `masks` is none of them."""
    found = {}
    for inner in filter(Path.is_dir, _visible(folder)):
        if inner == masks:
            continue
        entries = _visible(inner)
        if deeper := [path for path in entries if path.is_dir()]:
            raise CampareError(
                f"{deeper[0]}: a folder inside a class folder; pictures lie directly in "
                "<root>/<class>/, or in <root>/train/<class>/ and <root>/test/<class>/"
            )
        found[inner.name] = [p for p in entries if p.suffix.lower() in PICTURE_SUFFIXES]
        if not found[inner.name]:
            raise CampareError(
                f"{inner}: no picture in this class folder; add some or move it away "
                f"(read: {' '.join(sorted(PICTURE_SUFFIXES))})"
            )
    if len(found) < 2:
        raise CampareError(
            f"{folder}: has {len(found)} class folder(s); put the pictures of each class, two "
            "classes or more, into a folder named after it"
        )
    return found


def _regions(
    masks: Path, folder: Path, pictures: Sequence[Path], size: int | None, fit: str
) -> Regions:
    """The regions of an image folder's pictures, in their order."""
    kinds = {picture.relative_to(folder).parts[0] for picture in pictures}
    inner = [path for path in _visible(masks) if path.is_dir()]
    # Either the folders of the pictures over again, or one for every region.
    places = {"object": masks} if kinds & {path.name for path in inner} else {}
    places = places or {path.name: path for path in inner}
    listed = {
        place: _by_stem(place)
        for place in {
            top / picture.parent.relative_to(folder)
            for top in places.values()
            for picture in pictures
        }
    }
    found: NDArray[np.bool_] | None = None
    for row, picture in enumerate(pictures):
        for region, top in enumerate(places.values()):
            mask = _mask(listed, top / picture.relative_to(folder), picture, size, fit)
            if found is None:
                found = np.empty((len(pictures), len(places), *mask.shape), bool)
            found[row, region] = mask
    assert found is not None
    return Regions(tuple(places), found)


def _by_stem(folder: Path) -> dict[str, list[Path]]:
    """The pictures in a folder that may not be there, by their names without suffix."""
    found: dict[str, list[Path]] = {}
    for path in _visible(folder) if folder.is_dir() else ():
        if path.suffix.lower() in PICTURE_SUFFIXES:
            found.setdefault(path.stem, []).append(path)
    return found


def _mask(
    listed: Mapping[Path, Mapping[str, Sequence[Path]]],
    expected: Path,
    picture: Path,
    size: int | None,
    fit: str,
) -> NDArray[np.bool_]:
    """The mask of a picture, bool (H, W), brought to size as the picture is."""
    candidates = [
        path
        for path in listed[expected.parent].get(expected.stem, [])
        # The name of another picture is for that one's mask.
        if path.name == picture.name or not (picture.parent / path.name).exists()
    ]
    path = expected if expected in candidates else next(iter(candidates), None)
    if path is None:
        raise CampareError(
            f"{expected.with_suffix('.png')}: missing, the mask of {picture}; add it, all black "
            "if the picture lacks the region, or take the folder of masks away"
        )
    if path != expected and len(candidates) > 1:
        raise CampareError(
            f"{expected.parent}: {' and '.join(path.name for path in candidates)} may be the "
            f"mask of {picture}; keep one"
        )
    levels = _pixels(path, "L", None, fit)[..., 0]
    with Image.open(picture) as opened:
        wide, high = opened.size
        if opened.getexif().get(ExifTags.Base.Orientation, 1) in (5, 6, 7, 8):  # turned by 90°
            wide, high = high, wide
    if levels.shape != (high, wide):
        raise CampareError(
            f"{path}: {levels.shape[1]}×{levels.shape[0]} pixels, while {picture} has "
            f"{wide}×{high}; a mask must be as big as its picture"
        )
    if (greys := np.setdiff1d(levels, [0, levels.max()])).size:
        raise CampareError(
            f"{path}: not black and white (it has the grey level {greys[0]}); save masks without "
            "smooth edges, in a format without loss, such as PNG"
        )
    white = Image.fromarray(np.where(levels > 0, np.uint8(255), np.uint8(0)))
    return np.asarray(white if size is None else _fitted(white, size, fit)) > 127


def _visible(folder: Path) -> list[Path]:
    """What a folder holds, but for hidden files, sorted by name."""
    try:
        entries = list(folder.iterdir())
    except OSError as error:
        raise CampareError(f"{folder}: {error.strerror}; make it readable") from error
    return sorted((p for p in entries if not p.name.startswith(".")), key=lambda p: p.name)


def _adapted(
    images: NDArray[np.uint8], size: int | None, fit: str, channels: int | None
) -> NDArray[np.uint8]:
    """An array of pictures (N, H, W, C) as `load` is asked for them."""
    native = images.shape[3]
    if size is None and channels in (None, native):
        return images
    return _stacked(list(images), size, fit, channels or native)


def _stacked(
    sources: Sequence[Path] | Sequence[NDArray[np.uint8]],
    size: int | None,
    fit: str,
    channels: int | None,
) -> NDArray[np.uint8]:
    """Pictures, from files or arrays (H, W, C), as one array; parameters as in `load`."""
    mode = "L" if channels == 1 else "RGB"
    first = _pixels(sources[0], mode, size, fit)
    images = np.empty((len(sources), *first.shape), dtype=np.uint8)

    def place(position: int) -> bool:
        """Read one picture; say whether it is grey."""
        pixels = _pixels(sources[position], mode, size, fit)
        if pixels.shape != first.shape:
            (height, width), (wanted_height, wanted_width) = pixels.shape[:2], first.shape[:2]
            raise CampareError(
                f"{sources[position]}: {width}×{height} pixels, while {sources[0]} has "
                f"{wanted_width}×{wanted_height}; set data.size to give all pictures one size"
            )
        images[position] = pixels
        return bool((pixels == pixels[..., :1]).all())

    # Pillow decodes without the GIL: threads speed up photographs, and slow down thumbnails.
    large = isinstance(sources[0], Path) and sources[0].stat().st_size > 20_000
    with ThreadPoolExecutor() as pool:
        grey = list((pool.map if large else map)(place, range(len(sources))))
    return images[..., :1].copy() if channels is None and all(grey) else images


def _pixels(
    source: Path | NDArray[np.uint8], mode: str, size: int | None, fit: str
) -> NDArray[np.uint8]:
    """One picture as uint8 (H, W, 1 or 3)."""
    try:
        with _opened(source) as opened:
            picture = _converted(ImageOps.exif_transpose(opened), mode)
    except Exception as error:  # Pillow's decoders raise a dozen kinds on a broken file
        raise CampareError(
            f"{source}: cannot be read as a picture ({error}); replace or remove it"
        ) from error
    if size is not None:
        picture = _fitted(picture, size, fit)
    return np.asarray(picture).reshape(picture.height, picture.width, -1)


def _opened(source: Path | NDArray[np.uint8]) -> Image.Image:
    if isinstance(source, Path):
        return Image.open(source)
    return Image.fromarray(source[..., 0] if source.shape[2] == 1 else source)


def _converted(picture: Image.Image, mode: str) -> Image.Image:
    """A picture of any mode as "L" or "RGB"."""
    if picture.mode == "F":
        raise ValueError("pixels are real numbers of unknown range; save it with 8 or 16 bits")
    if picture.mode.startswith("I"):  # 16 bits; Pillow's own conversion cuts off at 255
        deep = np.asarray(picture).astype(np.int64)
        if deep.min() < 0 or deep.max() > 65535:
            raise ValueError("pixels have more than 16 bits")
        picture = Image.fromarray(((deep * 255 + 32767) // 65535).astype(np.uint8))
    if picture.has_transparency_data:
        paper = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(paper, picture.convert("RGBA"))
    return picture.convert(mode)


def _fitted(picture: Image.Image, size: int, fit: str) -> Image.Image:
    """A picture as a square of this side, its aspect ratio kept."""
    bilinear = Image.Resampling.BILINEAR
    if fit == "crop":
        return ImageOps.fit(picture, (size, size), bilinear)
    width, height = (max(1, round(size * side / max(picture.size))) for side in picture.size)
    square = Image.new(picture.mode, (size, size))
    square.paste(
        picture.resize((width, height), bilinear), ((size - width) // 2, (size - height) // 2)
    )
    return square
