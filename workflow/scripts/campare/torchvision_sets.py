"""The classification sets of torchvision, each a function of its class's name.

A set that is not here: Omniglot (training and test part have different classes), LFW (most people
have one image), CelebA (attributes, not classes), iNaturalist (its order depends on the file
system), and those of detection, segmentation, video and captions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from campare.data import Dataset, Files, Regions, _folder
from campare.errors import CampareError
from campare.sizes import Size
from campare.stacking import Item, Masks, occurring, stacked

Options = Mapping[str, Any]
# Keyword arguments of the subsets of which a set consists.
TRAIN: Options = {"train": True}
TEST: Options = {"train": False}


def split(*names: str) -> tuple[Options, ...]:
    """Subsets by their names."""
    return tuple({"split": name} for name in names)


@dataclass(frozen=True)
class Set:
    """A classification set of torchvision, which reads it if it is called.

    Attributes
    ----------
    kind : name of its class in `torchvision.datasets`
    files : what has to be in `data.root`, with the values of parameters in braces
    train : keyword arguments of the subsets for training, and of all if it has no own test images
    test : those of the test images; empty if the images have to be split
    names : names of its classes, if the class does not have them; else empty
    keywords : parameter → name of the keyword argument, if it is another
    downloads : whether the class can download it
    sorts : whether the order of its images depends on the file system; they then are sorted
    turned : whether its images are transposed; they then are turned upright
    trimaps : whether there are trimaps, of which the masks are made
    """

    kind: str
    files: str
    train: tuple[Options, ...] = split("train")
    test: tuple[Options, ...] = split("test")
    names: tuple[str, ...] = ()
    keywords: Mapping[str, str] = field(default_factory=dict)
    downloads: bool = True
    sorts: bool = False
    turned: bool = False
    trimaps: bool = False

    def __call__(
        self, *, root: str | None, size: Size | None, fit: str, channels: int | None, **values: Any
    ) -> Dataset:
        """Read the set from `root`, or download it into it; values of its parameters.

        Raises
        ------
        CampareError
            Its files are missing and cannot be downloaded, or cannot be read; the images differ in
            size, and no size is set.
        """
        folder = _folder(root)
        subsets = [
            [self._subset(folder, {**options, **self._options(values)}, values) for options in part]
            for part in (self.train, self.test)
        ]
        lengths = [sum(map(len, part)) for part in subsets]
        parts = ("train", "test") if self.test else ("images",)
        every = [(name, each) for name, part in zip(parts, subsets, strict=False) for each in part]
        first = _names(subsets[0][0])
        if any(_names(subset) != first for _, subset in every):
            raise CampareError(
                f"{folder}: training and test images of {self.kind} are of different classes; "
                f"{self._put(folder, values)}"
            )
        stack = stacked(
            (
                item
                for name, subset in every
                for item in self._items(folder / self.kind / name, subset)
            ),
            sum(lengths),
            size=size,
            fit=fit,
            channels=channels,
        )
        labels = stack.extras
        names = self.names or first
        if values.get("labels") == "species":
            names = ("cat", "dog")
        positions, classes = occurring(labels, names or [str(n) for n in range(max(labels) + 1)])
        part = np.repeat(np.array(["train", "test"]), lengths)
        return Dataset(
            stack.images,
            positions,
            classes,
            part if self.test else np.full(len(part), "", dtype="U5"),
            None if stack.masks is None else Regions(("animal", "border"), stack.masks),
            Files(folder, stack.paths, (), 0),
        )

    def _options(self, values: Options) -> Options:
        """Keyword arguments from the values of parameters."""
        options = {self.keywords.get(name, name): value for name, value in values.items()}
        if self.trimaps:
            label = "category" if options["target_types"] == "breed" else "binary-category"
            options["target_types"] = [label, "segmentation"]
        return options

    def _subset(self, folder: Path, options: Options, values: Options) -> Any:
        """An object of torchvision's class, after a download if files are missing."""
        from torchvision import datasets

        kind = getattr(datasets, self.kind)
        try:
            return kind(folder, **options)
        except Exception as error:  # each class raises its own kinds
            reason = error
        if self.downloads:
            try:
                return kind(folder, download=True, **options)
            except Exception as error:
                reason = error
        why = "cannot be downloaded" if self.downloads else "torchvision does not download it"
        said = " ".join(str(reason).split()) or type(reason).__name__
        raise CampareError(
            f"{folder}: {self.kind} is missing or damaged, and {why} ({said}); "
            f"{self._put(folder, values)}"
        ) from reason

    def _put(self, folder: Path, values: Options) -> str:
        files = self.files.format(**values)
        return f"set data.root to the folder that has it, or put into {folder}: {files}"

    def _items(self, place: Path, subset: Any) -> Iterator[Item[int]]:
        """The images of a subset; place: how those without a file of their own are called."""
        paths = [_path(place, subset, row) for row in range(len(subset))]
        rows = range(len(subset))
        for row in sorted(rows, key=lambda row: str(paths[row])) if self.sorts else rows:
            yield paths[row], partial(self._image, subset, row)

    def _image(self, subset: Any, row: int) -> tuple[Image.Image, int, Masks | None]:
        image, target = subset[row]
        if self.turned:
            image = image.transpose(Image.Transpose.TRANSPOSE)
        if not self.trimaps:
            return image, int(target), None
        label, trimap = target
        levels = np.asarray(trimap)
        if levels.shape != (image.height, image.width):
            raise CampareError(
                f"{subset._segs[row]}: {levels.shape[1]}×{levels.shape[0]} pixels, while "
                f"{subset._images[row]} has {image.width}×{image.height}; unpack the set again"
            )
        masks = np.stack([levels == 1, levels == 3])  # 1: animal, 2: background, 3: border
        return image, int(label), masks


def _names(subset: Any) -> tuple[str, ...]:
    """Names of the classes, as the class of torchvision has them; empty if it has none.

    Of several names of one class, the first; without numbers ("7 - seven" → "7", "001.ak47" →
    "ak47").
    """
    listed: Sequence[Any] = getattr(subset, "classes", getattr(subset, "categories", ()))
    first = (name if isinstance(name, str) else name[0] for name in listed)
    return tuple(re.sub(r"^\d{3}\.", "", name.split(" - ")[0]) for name in first)


def _path(place: Path, subset: Any, row: int) -> Path:
    """The file of an image if it has one of its own, else such as `SVHN/train[7]`."""
    for name in ("_image_files", "_images", "_samples", "samples", "imgs"):
        listed = getattr(subset, name, None)
        if isinstance(listed, list):
            file = listed[row][0] if isinstance(listed[row], tuple) else listed[row]
            if isinstance(file, str | Path):
                return Path(file)
    return place.with_name(f"{getattr(subset, '_split', place.name)}[{row}]")


def _idx(kind: str) -> str:
    """The files of a set in the format of MNIST."""
    return (
        f"{kind}/raw/ with train-images-idx3-ubyte, train-labels-idx1-ubyte, "
        "t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte"
    )


def _archive(folder: str, archive: str) -> str:
    return f"{folder} (unpacked from {archive})"


CIFAR10 = Set(
    "CIFAR10", _archive("cifar-10-batches-py/", "cifar-10-python.tar.gz"), (TRAIN,), (TEST,)
)
CIFAR100 = Set(
    "CIFAR100", _archive("cifar-100-python/", "cifar-100-python.tar.gz"), (TRAIN,), (TEST,)
)
MNIST = Set("MNIST", _idx("MNIST"), (TRAIN,), (TEST,))
FashionMNIST = Set("FashionMNIST", _idx("FashionMNIST"), (TRAIN,), (TEST,))
KMNIST = Set("KMNIST", _idx("KMNIST"), (TRAIN,), (TEST,))
EMNIST = Set(
    "EMNIST",
    "EMNIST/raw/ with emnist-{split}-train-images-idx3-ubyte and the other three of that name",
    (TRAIN,),
    (TEST,),
    turned=True,
)
QMNIST = Set(
    "QMNIST",
    "QMNIST/raw/ with qmnist-train-images-idx3-ubyte, qmnist-train-labels-idx2-int, and both of "
    "test",
    (TRAIN,),
    (TEST,),
)
USPS = Set("USPS", "usps.bz2 and usps.t.bz2", (TRAIN,), (TEST,))
SEMEION = Set("SEMEION", "semeion.data", ({},), ())
SVHN = Set("SVHN", "train_32x32.mat and test_32x32.mat")
STL10 = Set("STL10", _archive("stl10_binary/", "stl10_binary.tar.gz"))
FER2013 = Set(
    "FER2013",
    "fer2013/ with fer2013.csv or icml_face_data.csv, from Kaggle",
    names=("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"),
    downloads=False,
)
PCAM = Set(
    "PCAM",
    "pcam/ with camelyonpatch_level_2_split_{{train,valid,test}}_{{x,y}}.h5",
    split("train", "val"),
    names=("no tumour", "tumour"),
)
EuroSAT = Set("EuroSAT", _archive("eurosat/2750/", "EuroSAT.zip"), ({},), ())
GTSRB = Set("GTSRB", "gtsrb/ with GTSRB/Training/, GTSRB/Final_Test/Images/ and GT-final_test.csv")
Flowers102 = Set(
    "Flowers102", "flowers-102/ with jpg/, imagelabels.mat and setid.mat", split("train", "val")
)
Food101 = Set("Food101", _archive("food-101/", "food-101.tar.gz"))
DTD = Set("DTD", _archive("dtd/dtd/", "dtd-r1.0.1.tar.gz"), split("train", "val"))
FGVCAircraft = Set(
    "FGVCAircraft",
    _archive("fgvc-aircraft-2013b/", "fgvc-aircraft-2013b.tar.gz"),
    split("trainval"),
)
StanfordCars = Set(
    "StanfordCars",
    "stanford_cars/ with cars_train/, cars_test/, devkit/ and cars_test_annos_withlabels.mat",
    downloads=False,
)
Country211 = Set("Country211", _archive("country211/", "country211.tgz"), split("train", "valid"))
RenderedSST2 = Set(
    "RenderedSST2", _archive("rendered-sst2/", "rendered-sst2.tgz"), split("train", "val")
)
SUN397 = Set("SUN397", _archive("SUN397/", "SUN397.tar.gz"), ({},), (), sorts=True)
Caltech101 = Set(
    "Caltech101",
    _archive("caltech101/101_ObjectCategories/", "caltech-101.zip"),
    ({},),
    (),
)
Caltech256 = Set(
    "Caltech256",
    _archive("caltech256/256_ObjectCategories/", "256_ObjectCategories.tar"),
    ({},),
    (),
)
Places365 = Set(
    "Places365",
    "categories_places365.txt, places365_train_standard.txt, places365_val.txt and the folders of "
    "images, data_256_standard/ and val_256/ with small: true, else data_large_standard/ and "
    "val_large/",
    split("train-standard"),
    split("val"),
)
Imagenette = Set(
    "Imagenette",
    _archive("imagenette2/ (for other versions imagenette2-320/, -160/)", "its .tgz"),
    split("train"),
    split("val"),
    keywords={"version": "size"},
)
ImageNet = Set(
    "ImageNet",
    "ILSVRC2012_devkit_t12.tar.gz, ILSVRC2012_img_train.tar and ILSVRC2012_img_val.tar, from "
    "image-net.org",
    split("train"),
    split("val"),
    downloads=False,
)
CLEVRClassification = Set(
    "CLEVRClassification",
    _archive("clevr/CLEVR_v1.0/", "CLEVR_v1.0.zip"),
    split("train"),
    split("val"),
)
OxfordIIITPet = Set(
    "OxfordIIITPet",
    _archive("oxford-iiit-pet/ with images/ and annotations/", "images.tar.gz, annotations.tar.gz"),
    split("trainval"),
    keywords={"labels": "target_types"},
    trimaps=True,
)
