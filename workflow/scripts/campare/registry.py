"""The registry of data sets, architectures, augmentations, CAM methods and metrics.

To add one, write its function in the module of its kind and add an entry here. The config schema,
`config/README.md` and the error messages take names, defaults and units from these entries.
Functions are given as text and imported on use, because every job imports this module, and
importing torch takes a second and a half. A study may name a function of the user's own files
instead of an entry (`user_code`); `entry` and `metric` return both.
"""

from __future__ import annotations

import importlib
import importlib.util
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar

from campare import manifest, user_code
from campare.errors import CampareError
from campare.sizes import pair

FONT_FILES = (".ttf", ".otf", ".ttc", ".otc")


# Units of parameters.
UNITS = ("pixels", "half pixels", "degrees")


@dataclass(frozen=True)
class Parameter:
    """A parameter of an entry: default value, meaning with unit, and JSON schema.

    later: added after the first version of its entry. At its default it is left out of complete
    parameters, which then are those of earlier versions, so that no model is trained again.
    """

    default: Any
    about: str
    schema: Mapping[str, Any]
    later: bool = False

    @property
    def unit(self) -> str:
        """The unit with which `about` ends; "" for a number without unit."""
        unit = self.about.rpartition(", ")[2]
        return unit if unit in UNITS else ""


@dataclass(frozen=True)
class Entry:
    """An entry of the registry: description, function, and parameters.

    function: `module:name` of this package, or `file.py:name` of the study. reference: what a paper
    cites for it, keys of `paper/references.bib`, separated by commas.
    """

    about: str
    function: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    reference: str = ""

    def load(self) -> Callable[..., Any]:
        """Import the function."""
        if user_code.is_reference(self.function):
            return user_code.load(self.function)
        module, name = self.function.split(":")
        function: Callable[..., Any] = getattr(importlib.import_module(f"campare.{module}"), name)
        return function


@dataclass(frozen=True)
class Source(Entry):
    """A data set.

    regions: whether there are masks of regions such as the object; "all": for all images; "folder":
    if there is a `mask_folder`; "columns": if a manifest has columns of masks; "none"; "unknown"
    until the data set is read. side: of its images in pixels, if it is known before the images are
    read. suffixes: of the files that data.root
    means, if it is not a folder. window: whether data.window may be set.
    """

    regions: Literal["none", "folder", "columns", "all", "unknown"] = "none"
    side: int | None = None
    suffixes: tuple[str, ...] = ()
    window: bool = False

    def has_regions(self, root: str) -> bool:
        """Whether there are masks of its regions, if its files are in `root`."""
        place = Path(root).expanduser()
        if self.regions == "columns":
            return bool(manifest.regions(place))
        return self.regions == "all" or (
            self.regions == "folder" and mask_folder(place) is not None
        )


IMAGE_SUFFIXES = {
    *(".avif", ".bmp", ".gif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg"),
    *(".pbm", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"),
}


def mask_folder(root: Path) -> Path | None:
    """`root/masks` if it contains folders, and so is not a class folder; else None."""
    folder = root / "masks"
    if folder.is_dir() and any(path.is_dir() for path in folder.iterdir()):
        return folder
    return None


@dataclass(frozen=True)
class Augmentation(Entry):
    """An augmentation; waits: whether it reads values from the device, for which a GPU waits."""

    waits: bool = False


@dataclass(frozen=True)
class Architecture(Entry):
    """A network; gmacs: 1e9 multiplications and additions for a 224 × 224 image."""

    gmacs: float | None = None


@dataclass(frozen=True)
class Method(Entry):
    """A CAM method, of the output of a layer or of the input image.

    passes: the largest time for an image, in forward passes. label: its name in figures, if it is
    not how `about` begins.
    """

    of: Literal["layer", "input"] = "layer"
    passes: int = 3
    label: str = ""

    @property
    def title(self) -> str:
        """The name of the method in figures."""
        return self.label or self.about.split(" (")[0]


@dataclass(frozen=True)
class Metric(Entry):
    """A metric of a pair of maps, with its properties for figures.

    same: value for two identical maps; None for a quantity of one map, which is that of the
    augmented model, with that of the baseline in the column `<name>_baseline`. bounds: range, None
    if it is unbounded. symmetric: whether the order of the maps has no effect. of: what it
    compares.
    """

    label: str = ""
    same: float | None = 0.0
    bounds: tuple[float | None, float | None] = (None, None)
    symmetric: bool = True
    of: Literal["maps", "predictions"] = "maps"


def number(default: float, about: str, **schema: Any) -> Parameter:
    """A real parameter; `schema`: JSON-schema bounds such as minimum=0."""
    return Parameter(default, about, {"type": "number", **schema})


def integer(default: int, about: str, **schema: Any) -> Parameter:
    """An integer parameter."""
    return Parameter(default, about, {"type": "integer", **schema})


def choice(default: str, about: str, *names: str) -> Parameter:
    """A parameter with one of several names as its value."""
    return Parameter(default, about, {"enum": list(names)})


def interval(low: float, high: float, about: str, **schema: Any) -> Parameter:
    """A parameter [low, high], the range of a uniform distribution."""
    items = {"type": "number", **schema}
    return Parameter(
        [low, high], about, {"type": "array", "items": items, "minItems": 2, "maxItems": 2}
    )


def boolean(default: bool, about: str) -> Parameter:
    """A parameter that is true or false."""
    return Parameter(default, about, {"type": "boolean"})


def integers(low: int, high: int, about: str, **schema: Any) -> Parameter:
    """A parameter [low, high], the range of a uniform distribution of integers."""
    return interval(low, high, about, type="integer", **schema)


PROBABILITY = {"minimum": 0, "maximum": 1}

# Controls whose models have a name in files, as augmentations do: control → name.
RESERVED = {
    "duplicated_originals": "duplicated_originals",
    "longer_training": "longer_training",
    "uninformative": "untrained",
}
# Data sets whose images are drawn in the size of the study, as squares.
DRAWN = ("shapes", "shapes_with_cues")
# The step-matched controls.
MATCHED = ("duplicated_originals", "longer_training")

TORCHVISION = "torchvision:"  # begins the names of torchvision's data sets


def _torchvision(
    name: str,
    about: str,
    reference: str,
    side: int | None = None,
    parameters: Mapping[str, Parameter] | None = None,
    regions: Literal["none", "all"] = "none",
) -> tuple[str, Source]:
    """The name and the entry of a set of torchvision, `torchvision:<class>`."""
    source = Source(
        f"{name}, {about}", f"torchvision_sets:{name}", parameters or {}, reference, regions, side
    )
    return f"{TORCHVISION}{name}", source


# Parameters of the generated images, without those of their cues.
_SHAPES: dict[str, Parameter] = {
    "train": integer(3000, "training and validation images", minimum=12),
    "test": integer(1000, "test images", minimum=6),
    "scale": interval(
        0.22,
        0.36,
        "range of the side of a square with the object's area, share of the image's side",
        exclusiveMinimum=0,
        maximum=0.5,
    ),
    "contrast": number(0.9, "opacity of object and distractor", exclusiveMinimum=0, maximum=1),
    "texture": number(0.6, "opacity of their patterns", **PROBABILITY),
    "clutter": number(0.5, "opacity of the mosaic in the background", **PROBABILITY),
    "noise": number(0.1, "largest change of a grey level, share of 255", **PROBABILITY),
}
_SEED = integer(0, "seed of all random numbers", minimum=0, maximum=4294967295)
_KINDS = ("disc", "square", "triangle", "star", "cross", "ring")
DATASETS: dict[str, Source] = {
    "digits": Source(
        "scikit-learn's 1,797 handwritten digits, 8×8 grey; embedded",
        "data:digits",
        side=8,
        reference="alpaydin1998, pedregosa2011",
    ),
    "mnist": Source(
        "MNIST, 60,000 + 10,000 handwritten digits, 28×28 grey",
        "data:mnist",
        side=28,
        reference="lecun1998",
    ),
    "fashion_mnist": Source(
        "Fashion-MNIST, 60,000 + 10,000 garments, 28×28 grey",
        "data:fashion_mnist",
        side=28,
        reference="xiao2017",
    ),
    "cifar10": Source(
        "CIFAR-10, 50,000 + 10,000 images, 32×32 RGB",
        "data:cifar10",
        side=32,
        reference="krizhevsky2009",
    ),
    "image_folder": Source(
        "your own images: root/train/<class>/… and root/test/<class>/…, or root/<class>/…, which "
        "are split; optional masks of the object under the same names in root/masks/…",
        "data:image_folder",
        regions="folder",
        window=True,
    ),
    "manifest": Source(
        "your own images, listed in the file data.root, CSV or Parquet: columns path and label; "
        "optional subset, mask or mask_<region>, and groups for split.group",
        "manifest_images:manifest",
        regions="columns",
        window=True,
    ),
    "shapes": Source(
        "generated RGB images of six shapes on a cluttered background, with masks of object, "
        "distractor and, if there is one, cue; 48×48 or data.size",
        "shapes:shapes",
        {
            **_SHAPES,
            "cue_class": choice(
                "star",
                "class whose training images have the cue, a magenta square in a corner",
                *_KINDS,
            ),
            "cue_share": number(
                0.0,
                "share of them that have it; if above 0, half of the test images of every class "
                "have it",
                **PROBABILITY,
            ),
            "seed": _SEED,
        },
        regions="all",
        side=48,
    ),
    "shapes_with_cues": Source(
        "the images of shapes with several spurious cues, each with a class and a share of its "
        "own; masks of object, distractor and cues; 48×48 or data.size",
        "cues:shapes_with_cues",
        {
            **_SHAPES,
            "cues": Parameter(
                {
                    "mark": {"class": "star", "share": 0.8},
                    "tint": {"class": "star", "share": 0.8},
                    "texture": {"class": "ring", "share": 0.8},
                    "blur": {"class": "ring", "share": 0.8},
                },
                "cue → {class, share}: share of the training images of the class that have it; "
                "half of the test images of every class have it. mark: a magenta square in a "
                "corner; texture: stripes on the background; tint: all colours are mixed with "
                "orange; blur: all pixels are blurred",
                {
                    "type": "object",
                    "minProperties": 1,
                    "additionalProperties": False,
                    "properties": {
                        name: {
                            "type": "object",
                            "additionalProperties": False,
                            "required": ["class", "share"],
                            "properties": {
                                "class": {"enum": [*_KINDS]},
                                "share": {"type": "number", **PROBABILITY},
                            },
                        }
                        for name in ("mark", "texture", "tint", "blur")
                    },
                },
            ),
            "seed": _SEED,
        },
        regions="all",
        side=48,
    ),
    "arrays": Source(
        "a file of arrays, .npz or HDF5: images, labels and optionally subset, group, masks, "
        "classes; any number of channels",
        "arrays:arrays",
        regions="unknown",
        suffixes=(".npz", ".h5", ".hdf5"),
        window=True,
    ),
    "parquet": Source(
        "Parquet files with encoded images and labels, as Hugging Face publishes them",
        "parquet:parquet",
        {
            "image": Parameter("image", "column of the images", {"type": "string", "minLength": 1}),
            "label": Parameter("label", "column of the labels", {"type": "string", "minLength": 1}),
        },
        suffixes=(".parquet",),
        window=True,
    ),
    **dict(
        [
            _torchvision("CIFAR10", "50,000 + 10,000 images, 32×32 RGB", "krizhevsky2009", 32),
            _torchvision("CIFAR100", "50,000 + 10,000 images, 32×32 RGB", "krizhevsky2009", 32),
            _torchvision(
                "MNIST", "60,000 + 10,000 handwritten digits, 28×28 grey", "lecun1998", 28
            ),
            _torchvision("FashionMNIST", "60,000 + 10,000 garments, 28×28 grey", "xiao2017", 28),
            _torchvision(
                "KMNIST",
                "60,000 + 10,000 cursive Japanese characters, 28×28 grey",
                "clanuwat2018",
                28,
            ),
            _torchvision(
                "EMNIST",
                "handwritten letters and digits, 28×28 grey, turned upright",
                "cohen2017",
                28,
                {
                    "split": choice(
                        "balanced",
                        "which of its six sets of classes",
                        "byclass",
                        "bymerge",
                        "balanced",
                        "letters",
                        "digits",
                        "mnist",
                    )
                },
            ),
            _torchvision(
                "QMNIST", "60,000 + 60,000 handwritten digits, 28×28 grey", "yadav2019", 28
            ),
            _torchvision("USPS", "7,291 + 2,007 handwritten digits, 16×16 grey", "hull1994", 16),
            _torchvision("SEMEION", "1,593 handwritten digits, 16×16 grey", "", 16),
            _torchvision("SVHN", "73,257 + 26,032 house numbers, 32×32 RGB", "netzer2011", 32),
            _torchvision("STL10", "5,000 + 8,000 images, 96×96 RGB", "coates2011", 96),
            _torchvision("FER2013", "28,709 + 7,178 faces, 48×48 grey", "goodfellow2013", 48),
            _torchvision(
                "PCAM", "294,912 + 32,768 patches of lymph nodes, 96×96 RGB", "veeling2018", 96
            ),
            _torchvision("EuroSAT", "27,000 satellite images, 64×64 RGB", "helber2019", 64),
            _torchvision("GTSRB", "26,640 + 12,630 traffic signs", "stallkamp2012"),
            _torchvision("Flowers102", "2,040 + 6,149 flowers", "nilsback2008"),
            _torchvision("Food101", "75,750 + 25,250 dishes", "bossard2014"),
            _torchvision(
                "DTD",
                "3,760 + 1,880 textures",
                "cimpoi2014",
                None,
                {"partition": integer(1, "which of its ten divisions", minimum=1, maximum=10)},
            ),
            _torchvision(
                "FGVCAircraft",
                "6,667 + 3,333 aircraft",
                "maji2013",
                None,
                {
                    "annotation_level": choice(
                        "variant", "level of its classes", "variant", "family", "manufacturer"
                    )
                },
            ),
            _torchvision("StanfordCars", "8,144 + 8,041 cars", "krause2013"),
            _torchvision("Country211", "42,200 + 21,100 photographs by country", "radford2021"),
            _torchvision(
                "RenderedSST2", "7,792 + 1,821 rendered sentences, 448×448", "radford2021", 448
            ),
            _torchvision("SUN397", "108,754 scenes", "xiao2010"),
            _torchvision("Caltech101", "8,677 images of objects", "feifei2004"),
            _torchvision("Caltech256", "30,607 images of objects", "griffin2007"),
            _torchvision(
                "Places365",
                "1,803,460 + 36,500 scenes",
                "zhou2018",
                None,
                {"small": boolean(True, "images of 256×256 instead of the large ones")},
            ),
            _torchvision(
                "Imagenette",
                "9,469 + 3,925 images of ten classes of ImageNet",
                "howard2019imagenette",
                None,
                {
                    "version": choice(
                        "full", "size of the images, shorter side", "full", "320px", "160px"
                    )
                },
            ),
            _torchvision("ImageNet", "1,281,167 + 50,000 images", "russakovsky2015"),
            _torchvision(
                "CLEVRClassification",
                "70,000 + 15,000 rendered scenes by number of objects",
                "johnson2017",
            ),
            _torchvision(
                "OxfordIIITPet",
                "3,680 + 3,669 cats and dogs, with masks of animal and border",
                "parkhi2012",
                None,
                {"labels": choice("breed", "classes", "breed", "species")},
                regions="all",
            ),
        ]
    ),
}

# Data sets that are files of the user → what the images are read from.
OWN_FILES = {
    "image_folder": "image files",
    "manifest": "image files",
    "arrays": "arrays",
    "parquet": "Parquet files",
}

# Any other classifier of torchvision and timm can be named too: see `models.build`.
ARCHITECTURES: dict[str, Architecture] = {
    "small_cnn": Architecture(
        "three 3×3 convolutions (16, 32, 64) with batch norm, global average pooling, one linear "
        "layer; maps at a quarter of the input size",
        "models:small_cnn",
        gmacs=0.078,
    ),
    "small_cnn_wide": Architecture(
        "small_cnn with 32, 64 and 128 channels and two convolutions in each of the last two "
        "stages",
        "models:small_cnn_wide",
        gmacs=0.88,
    ),
    "two_conv": Architecture(
        "two 5×5 convolutions (16, 32), each with ReLU and 2×2 max-pooling, one linear layer on "
        "all positions; for 28 px, maps at a quarter of the input size",
        "models:two_conv",
        gmacs=0.18,
        reference="tang",
    ),
    "fashion_cnn": Architecture(
        "two 3×3 convolutions (32, 64) without padding, each with ReLU and 2×2 max-pooling, global "
        "average pooling, one linear layer: the listing of Suresh and Kaushik",
        "models:fashion_cnn",
        gmacs=0.15,
        reference="suresh",
    ),
    "fashion_cnn_wide": Architecture(
        "fashion_cnn with 64 and 128 channels",
        "models:fashion_cnn_wide",
        gmacs=0.6,
        reference="suresh",
    ),
    "fashion_cnn_third": Architecture(
        "fashion_cnn with a third convolution (64), whose maps have the size that the zoom factor "
        "of Suresh and Kaushik's CAM implies",
        "models:fashion_cnn_third",
        gmacs=0.2,
        reference="suresh",
    ),
    "fashion_cnn_deep": Architecture(
        "five 3×3 convolutions (16, 32, 64, 128, 256) with ReLU, 2×2 max-pooling after the first "
        "four, global average pooling, one linear layer: the network of Suresh and Kaushik's SVM",
        "models:fashion_cnn_deep",
        gmacs=0.18,
        reference="suresh",
    ),
    "cifar_cnn": Architecture(
        "whitened 2×2 patches, six 3×3 convolutions (48, 128, 192) with batch norm and GELU, "
        "global max pooling, one linear layer; for fast training at 32 px, maps of 7×7 (Jordan "
        "2024)",
        "cifar_cnn:cifar_cnn",
        gmacs=3.02,
        reference="jordan2024",
    ),
    "resnet18_cifar": Architecture(
        "torchvision's ResNet-18 with the CIFAR stem (3×3, stride 1, no pooling) for inputs of "
        "about 32 px",
        "models:resnet18_cifar",
        gmacs=27.2,
        reference="he2016",
    ),
    "efficientnet_b0": Architecture(
        "torchvision's EfficientNet-B0", "models:efficientnet_b0", reference="tan2019"
    ),
    "resnet18": Architecture("torchvision's ResNet-18", "models:resnet18", reference="he2016"),
    "densenet121": Architecture(
        "torchvision's DenseNet-121", "models:densenet121", reference="huang2017"
    ),
}

_INTERPOLATION = choice("nearest", "interpolation of pixels", "nearest", "bilinear")
_FILL = integer(0, "grey level of pixels from outside the image (0 to 255)", minimum=0, maximum=255)

_SHARE = number(0.5, "share of the images changed", **PROBABILITY)
_MEAN_FILL = Parameter(
    None,
    "grey level of the filled pixels (0 to 255); null: mean colour of the training images",
    {"type": ["integer", "null"], "minimum": 0, "maximum": 255},
)
_ALPHA = number(1.0, "Beta(alpha, alpha) of the kept share", exclusiveMinimum=0)
_LABELS_ABOUT = "mixed: labels are mixed as the images are; kept: the label of the image"
_LABELS = choice("mixed", _LABELS_ABOUT, "mixed", "kept")
_BINS = integer(31, "number of different magnitudes", minimum=2)

AUGMENTATIONS: dict[str, Augmentation] = {
    "affine": Augmentation(
        "rotation, translation, scaling and shear at once",
        "augment.geometry:affine",
        {
            "degrees": number(15.0, "largest rotation, degrees", minimum=0, maximum=180),
            "translate": number(0.1, "largest shift, share of the side", **PROBABILITY),
            "scale": interval(0.9, 1.1, "range of the zoom factor", minimum=0.01, maximum=100),
            "shear": number(10.0, "largest shear, degrees", minimum=0, maximum=89),
            "interpolation": _INTERPOLATION,
            "fill": _FILL,
        },
    ),
    "cutmix": Augmentation(
        "a box of another training image pasted in; by default the label does not change (thesis)",
        "augment.occlusion:cutmix",
        {
            "alpha": _ALPHA,
            "labels": replace(choice("kept", _LABELS_ABOUT, "mixed", "kept"), later=True),
        },
        reference="yun2019",
    ),
    "cutmix_mixed": Augmentation(
        "cutmix with labels: mixed (Yun et al. 2019), under its own name",
        "augment.occlusion:cutmix_mixed",
        {"alpha": _ALPHA},
        reference="yun2019",
    ),
    "mixup": Augmentation(
        "the weighted mean with another training image (Zhang et al. 2018)",
        "augment.occlusion:mixup",
        {"alpha": _ALPHA, "labels": _LABELS},
        reference="zhang2018",
    ),
    "saliencymix": Augmentation(
        "a box about the most salient pixel of another training image pasted in (Uddin et al. "
        "2021), with OpenCV's fine-grained saliency (Montabone and Soto 2010)",
        "augment.occlusion:saliencymix",
        {"alpha": _ALPHA, "labels": _LABELS},
        reference="uddin2021, montabone2010",
    ),
    "color_jitter": Augmentation(
        "random brightness, contrast, saturation and hue",
        "augment.colour:color_jitter",
        {
            "brightness": number(0.4, "factor from 1 ± this", minimum=0),
            "contrast": number(0.4, "factor from 1 ± this", minimum=0),
            "saturation": number(0.4, "factor from 1 ± this (RGB only)", minimum=0),
            "hue": number(
                0.1, "shift, turns of the colour circle (RGB only)", minimum=0, maximum=0.5
            ),
        },
    ),
    "elastic": Augmentation(
        "smooth random displacement of every pixel",
        "augment.geometry:elastic",
        {
            "alpha": number(50.0, "largest displacement before smoothing, half pixels", minimum=0),
            "sigma": number(5.0, "standard deviation of the smoothing, pixels", exclusiveMinimum=0),
            "interpolation": choice("bilinear", "interpolation of pixels", "nearest", "bilinear"),
            "fill": _FILL,
        },
        reference="simard2003",
    ),
    "equalize": Augmentation(
        "equalisation of the histogram of every channel",
        "augment.colour:equalize",
        # torchvision's default. At 1 nothing is random, and every seed trains the same model.
        {"probability": number(0.5, "share of the images changed", **PROBABILITY)},
    ),
    "gaussian_blur": Augmentation(
        "Gaussian blur",
        "augment.colour:gaussian_blur",
        {
            "kernel_size": integer(5, "side of the kernel, odd, pixels", minimum=1),
            "sigma": interval(
                0.1, 2.0, "range of the standard deviation, pixels", exclusiveMinimum=0
            ),
        },
    ),
    "random_crop": Augmentation(
        "a random part of the image, resized to the size of the image",
        "augment.geometry:random_crop",
        {
            "scale": interval(
                0.5, 1.0, "range of the area kept, share", exclusiveMinimum=0, maximum=1
            ),
            "ratio": interval(0.75, 4 / 3, "range of its width to height", exclusiveMinimum=0),
        },
        reference="szegedy2015",
    ),
    "random_erasing": Augmentation(
        "a random box filled with one grey level",
        "augment.occlusion:random_erasing",
        {
            "scale": interval(
                0.02, 0.33, "range of the area erased, share", exclusiveMinimum=0, maximum=1
            ),
            "ratio": interval(0.3, 3.3, "range of its height to width", exclusiveMinimum=0),
            "fill": _FILL,
            "probability": number(1.0, "share of the images changed", **PROBABILITY),
        },
        reference="zhong2020",
    ),
    "scaling": Augmentation(
        "zoom about the centre",
        "augment.geometry:scaling",
        {
            "scale": interval(0.7, 1.3, "range of the zoom factor", minimum=0.01, maximum=100),
            "interpolation": choice("bilinear", "interpolation of pixels", "nearest", "bilinear"),
            "fill": _FILL,
        },
    ),
    "horizontal_flip": Augmentation(
        "mirroring left to right",
        "augment.geometry:horizontal_flip",
        {
            "probability": _SHARE,
            "alternate": replace(
                boolean(
                    False,
                    "true: half of the images in the first epoch, the others in the second, and so "
                    "on (Jordan 2024)",
                ),
                later=True,
            ),
        },
        reference="jordan2024",
    ),
    "vertical_flip": Augmentation(
        "mirroring top to bottom", "augment.geometry:vertical_flip", {"probability": _SHARE}
    ),
    "rotation": Augmentation(
        "rotation about the centre",
        "augment.geometry:rotation",
        {
            "degrees": number(15.0, "largest rotation, degrees", minimum=0, maximum=180),
            "interpolation": _INTERPOLATION,
            "fill": _FILL,
        },
    ),
    "translation": Augmentation(
        "shift by whole pixels, in proportion to the image",
        "augment.geometry:translation",
        {
            "translate": number(0.1, "largest shift, share of the side", **PROBABILITY),
            "fill": _FILL,
        },
    ),
    "shift": Augmentation(
        "padding by n pixels and a random crop of the image's size, the usual shift for CIFAR",
        "augment.geometry:shift",
        {
            "padding": integer(4, "largest shift, pixels", minimum=0, maximum=16384),
            "border": choice("fill", "pixels from outside the image", "fill", "reflect"),
            "fill": _FILL,
        },
    ),
    "shear": Augmentation(
        "shear along x",
        "augment.geometry:shear",
        {
            "degrees": number(10.0, "largest shear, degrees", minimum=0, maximum=89),
            "interpolation": _INTERPOLATION,
            "fill": _FILL,
        },
    ),
    "perspective": Augmentation(
        "corners moved inwards, as in a view from the side",
        "augment.geometry:perspective",
        {
            "distortion": number(
                0.5, "largest move of a corner, share of half the side", **PROBABILITY
            ),
            "interpolation": choice("bilinear", "interpolation of pixels", "nearest", "bilinear"),
            "fill": _FILL,
            "probability": _SHARE,
        },
    ),
    "grayscale": Augmentation(
        "grey levels in place of colours (RGB only)",
        "augment.colour:grayscale",
        {"probability": number(0.1, "share of the images changed", **PROBABILITY)},
    ),
    "invert": Augmentation("inverted levels", "augment.colour:invert", {"probability": _SHARE}),
    "posterize": Augmentation(
        "only the upper bits of every level",
        "augment.colour:posterize",
        {
            "bits": integer(4, "bits kept, of 8", minimum=0, maximum=8),
            "probability": _SHARE,
        },
    ),
    "solarize": Augmentation(
        "levels from a threshold on inverted",
        "augment.colour:solarize",
        {
            "threshold": number(128.0, "lowest level that is inverted", minimum=0, maximum=255),
            "probability": _SHARE,
        },
    ),
    "sharpness": Augmentation(
        "distance from the smoothed image multiplied",
        "augment.colour:sharpness",
        {
            "factor": number(2.0, "factor; 0: the smoothed image, 1: no change", minimum=0),
            "probability": _SHARE,
        },
    ),
    "autocontrast": Augmentation(
        "levels of every channel stretched to 0 to 255",
        "augment.colour:autocontrast",
        {"probability": _SHARE},
    ),
    "gaussian_noise": Augmentation(
        "normally distributed noise on every value",
        "augment.colour:gaussian_noise",
        {
            "mean": number(0.0, "mean, share of 255", minimum=-1, maximum=1),
            "sigma": number(0.1, "standard deviation, share of 255", minimum=0, maximum=10),
        },
    ),
    "jpeg": Augmentation(
        "JPEG compression, image by image on the CPU",
        "augment.colour:jpeg",
        {"quality": integers(50, 95, "range of the quality", minimum=1, maximum=100)},
        waits=True,
    ),
    "cutout": Augmentation(
        "a square about a random pixel filled (DeVries and Taylor 2017)",
        "augment.occlusion:cutout",
        {
            "size": integer(16, "side of the square, pixels", minimum=1, maximum=16384),
            "fill": _MEAN_FILL,
        },
        reference="devries2017",
    ),
    "hide_and_seek": Augmentation(
        "squares of a grid filled at random (Singh and Lee 2017)",
        "augment.occlusion:hide_and_seek",
        {
            "size": integer(8, "side of the squares, pixels", minimum=1, maximum=16384),
            "share": number(0.5, "probability that a square is filled", **PROBABILITY),
            "fill": _MEAN_FILL,
        },
        reference="singh2017",
    ),
    "delete_cell": Augmentation(
        "one cell of a grid filled (Hesse et al. 2024)",
        "augment.occlusion:delete_cell",
        {
            "cells": integer(4, "cells along a side of the grid", minimum=2, maximum=64),
            "fill": _MEAN_FILL,
        },
        reference="hesse2024",
    ),
    "grid_mask": Augmentation(
        "squares at equal distances filled (Chen et al. 2020), without the paper's rotation",
        "augment.occlusion:grid_mask",
        {
            "unit": integers(
                12, 24, "range of the distance of the squares, pixels", minimum=2, maximum=16384
            ),
            "kept": number(0.6, "part of the distance between two squares", **PROBABILITY),
            "fill": _MEAN_FILL,
            "probability": number(1.0, "share of the images changed", **PROBABILITY),
        },
        reference="chen2020",
    ),
    "rand_augment": Augmentation(
        "random operations of one strength, in turn (Cubuk et al. 2020)",
        "augment.policies:rand_augment",
        {
            "operations": integer(2, "number of operations", minimum=0, maximum=100),
            "magnitude": integer(9, "number of the magnitude, below `bins`", minimum=0),
            "bins": _BINS,
            "interpolation": _INTERPOLATION,
            "fill": _FILL,
        },
        waits=True,
        reference="cubuk2020",
    ),
    "trivial_augment_wide": Augmentation(
        "one random operation of random strength (Müller and Hutter 2021)",
        "augment.policies:trivial_augment_wide",
        {"bins": _BINS, "interpolation": _INTERPOLATION, "fill": _FILL},
        waits=True,
        reference="muller2021",
    ),
    "auto_augment": Augmentation(
        "one of 25 pairs of operations learned on a data set (Cubuk et al. 2019)",
        "augment.policies:auto_augment",
        {
            "policy": choice(
                "imagenet",
                "data set on which the pairs were learned",
                "cifar10",
                "imagenet",
                "svhn",
            ),
            "interpolation": _INTERPOLATION,
            "fill": _FILL,
        },
        waits=True,
        reference="cubuk2019",
    ),
    "augmix": Augmentation(
        "the mean of the image and of chains of operations (Hendrycks et al. 2020); without the "
        "paper's Jensen-Shannon loss",
        "augment.policies:augmix",
        {
            "severity": integer(3, "largest number of the magnitude", minimum=1, maximum=10),
            "width": integer(3, "number of chains", minimum=1, maximum=100),
            "depth": integer(0, "operations in a chain; 0: 1 to 3", minimum=0, maximum=100),
            "alpha": number(
                1.0, "Beta and Dirichlet distribution of the weights", exclusiveMinimum=0
            ),
            "all_ops": boolean(True, "with brightness, colour, contrast and sharpness"),
            "interpolation": choice("bilinear", "interpolation of pixels", "nearest", "bilinear"),
            "fill": _FILL,
        },
        waits=True,
        reference="hendrycks2020",
    ),
}

# Transforms of other packages by the class names that their parameter `name` has; other parameters
# are keyword arguments of the class: see `libraries`.
LIBRARIES: dict[str, Augmentation] = {
    name: Augmentation(f"a transform of {source} by its class name", function, waits=True)
    for name, source, function in (
        ("torchvision", "torchvision.transforms.v2", "augment.by_name:torchvision"),
        ("albumentations", "albumentations, if it is installed", "augment.by_name:albumentations"),
    )
}
# All that an augmentation can consist of.
STEPS: dict[str, Augmentation] = {**AUGMENTATIONS, **LIBRARIES}


def moves_pixels(step: str) -> bool:
    """Whether a step of an augmentation moves pixels and does nothing else."""
    return step in AUGMENTATIONS and AUGMENTATIONS[step].function.startswith("augment.geometry:")


def keeps_content(steps: Iterable[str]) -> bool:
    """Whether the steps of an augmentation move pixels, change colours or blur, and nothing else.

    Not those that hide a part of the image, add another image or choose operations at random, nor
    functions of other packages or of the user, of which it is not known.
    """
    return all(
        step in AUGMENTATIONS
        and AUGMENTATIONS[step].function.startswith(("augment.geometry:", "augment.colour:"))
        for step in steps
    )


CAM_METHODS: dict[str, Method] = {
    "gradcam": Method(
        "Grad-CAM (Selvaraju et al. 2017)", "cams:gradcam", reference="selvaraju2017"
    ),
    "cam": Method("CAM of the class weights (Zhou et al. 2016)", "cams:cam", reference="zhou2016"),
    "gradcam++": Method(
        "Grad-CAM++ (Chattopadhay et al. 2018)",
        "cams:gradcam_plus_plus",
        reference="chattopadhay2018",
    ),
    "xgradcam": Method("XGrad-CAM (Fu et al. 2020)", "cams:xgradcam", reference="fu2020"),
    "layercam": Method("LayerCAM (Jiang et al. 2021)", "cams:layercam", reference="jiang2021"),
    "hirescam": Method(
        "HiResCAM (Draelos and Carin 2020)", "cams:hirescam", reference="draelos2020"
    ),
    "eigencam": Method(
        "Eigen-CAM (Muhammad and Yeasin 2020)", "cams:eigencam", reference="muhammad2020"
    ),
    "eigengradcam": Method(
        "Eigen-CAM of activation × gradient",
        "cams:eigengradcam",
        reference="muhammad2020, gildenblat2021",
    ),
    "scorecam": Method(
        "Score-CAM (Wang et al. 2020)", "cams:scorecam", passes=1000, reference="wang2020"
    ),
    "ablationcam": Method(
        "Ablation-CAM (Desai and Ramaswamy 2020)",
        "cams:ablationcam",
        passes=1000,
        reference="desai2020",
    ),
    "input_gradient": Method(
        "absolute value of the score's gradient at each pixel, the largest over channels (Simonyan "
        "et al. 2013); at input resolution, without a target layer",
        "cams:input_gradient",
        of="input",
        label="Input gradient",
        reference="simonyan2013",
    ),
}

# Functions of `similarity.Pairs` that return a value per pair, float64 (n,), or several columns as
# a dict from the suffix of the metric's name ("" for the metric itself) to values.
METRICS: dict[str, Metric] = {
    "overlap": Metric(
        "overlap rate of the top Y %, with partial membership of ties for the last places, without "
        "zeros (named overlap_Y, such as overlap_20)",
        "similarity:overlap",
        label="Overlap rate (top {share} %)",
        same=1.0,
        bounds=(0.0, 1.0),
        reference="dorneles2024",
    ),
    "overlap_ties": Metric(
        "overlap rate with the thesis's masks: all pixels at or above the (100 − Y)th percentile, "
        "which is the whole map if more than 100 − Y % are zero (named overlap_Y_ties)",
        "similarity:overlap_ties",
        label="Overlap rate (top {share} %, with ties)",
        same=1.0,
        bounds=(0.0, 1.0),
        reference="dorneles2024",
    ),
    "overlap_corrected": Metric(
        "overlap_Y corrected for chance, (o − e)/(1 − e), with e from the areas of the two masks "
        "(named overlap_Y_corrected)",
        "similarity:overlap_corrected",
        label="Chance-corrected overlap rate (top {share} %)",
        same=1.0,
        bounds=(-0.5, 1.0),
        reference="cohen1960",
    ),
    "pearson": Metric(
        "Pearson correlation of the two maps",
        "similarity:pearson",
        label="Pearson correlation",
        same=1.0,
        bounds=(-1.0, 1.0),
    ),
    "spearman": Metric(
        "Spearman correlation of the two maps, average ranks over ties",
        "similarity:spearman",
        label="Spearman correlation",
        same=1.0,
        bounds=(-1.0, 1.0),
        reference="spearman1904",
    ),
    "mad": Metric(
        "mean absolute difference",
        "similarity:mad",
        label="Mean absolute difference",
        bounds=(0.0, 1.0),
    ),
    "msd": Metric(
        "mean squared difference",
        "similarity:msd",
        label="Mean squared difference",
        bounds=(0.0, 1.0),
    ),
    "kl": Metric(
        "Kullback-Leibler divergence of the two maps, each normalised to a sum of 1",
        "similarity:kl",
        label="KL divergence of the maps (nats)",
        symmetric=False,
        reference="kullback1951, tang",
    ),
    "entropy": Metric(
        "Shannon entropy of the augmented model's map, normalised to a sum of 1",
        "similarity:entropy",
        label="Shannon entropy of the map (nats)",
        same=None,
        bounds=(0.0, None),
        reference="shannon1948, tang",
    ),
    "entropy_histogram": Metric(
        "Shannon entropy of the histogram (256 levels) of the augmented model's map",
        "similarity:entropy_histogram",
        label="Shannon entropy of the map's histogram (nats)",
        same=None,
        bounds=(0.0, math.log(256)),
        reference="shannon1948",
    ),
    "class_kld": Metric(
        "Kullback-Leibler divergence of the two class predictions",
        "similarity:class_kld",
        label="Class-KLD of the predictions (nats)",
        symmetric=False,
        of="predictions",
        reference="kullback1951, tang",
    ),
}

# Measures of the stage `representations`, the columns of `representations.compare`. The labels say
# what figures show, also for distances of one network from another.
REPRESENTATIONS: dict[str, Metric] = {
    "cka_target_layer": Metric(
        "debiased linear CKA of the features at the target layer",
        "representations:cka",
        label="CKA, target layer",
        same=1.0,
        bounds=(-1.0, 1.0),
    ),
    "neighbours_target_layer": Metric(
        "share of the nearest neighbours at the target layer that two networks have in common",
        "representations:shared_neighbours",
        label="Shared neighbours, target layer",
        same=1.0,
        bounds=(0.0, 1.0),
    ),
    "cka_penultimate": Metric(
        "debiased linear CKA of the inputs of the last linear layer",
        "representations:cka",
        label="CKA, before the classifier",
        same=1.0,
        bounds=(-1.0, 1.0),
    ),
    "neighbours_penultimate": Metric(
        "share of the nearest neighbours before the classifier that two networks have in common",
        "representations:shared_neighbours",
        label="Shared neighbours, before the classifier",
        same=1.0,
        bounds=(0.0, 1.0),
    ),
    "jensen_shannon": Metric(
        "Jensen-Shannon divergence of the two predictions",
        "representations:jensen_shannon",
        label="Jensen-Shannon divergence of the predictions (bits)",
        bounds=(0.0, 1.0),
        of="predictions",
    ),
    "churn": Metric(
        "whether the predicted classes differ (prediction churn)",
        "representations:compare",
        label="Prediction churn (share of images)",
        bounds=(0.0, 1.0),
        of="predictions",
    ),
}

# Localisation scores, the columns of `localisation.scored`, with their labels in figures.
LOCALISATION = {
    "pointing": "Pointing game (share of maps with their maximum inside the region)",
    "energy": "Energy inside the region (share of the map)",
    "iou": "IoU of the region and as many of the map's highest pixels",
    "average_precision": "Average precision of the map for the region's pixels",
}

# Scores of maps of mosaics, with their labels in figures.
MOSAICS = {
    "energy": "Share of the map on the cells of the explained class",
    "pointing": "Share of maps with their maximum on a cell of the explained class",
}

# Columns of tables with a column per metric, and other names in the place of a metric's.
COLUMNS = {
    *("index", "label", "prediction", "baseline_prediction", "augmentation", "seed", "level"),
    *("a", "b", "seed_a", "seed_b", "prediction_a", "prediction_b", "constant_a", "constant_b"),
    *("baseline", "image", "images", "class", "segment", "correctness", "agreement", "size"),
    *("metric", "accuracy", "all"),
    *REPRESENTATIONS,
}
_Entry = TypeVar("_Entry", bound=Entry)


def entry(kind: Mapping[str, _Entry], name: str) -> _Entry:
    """The entry of a name in a study, which may be `file.py:function`.

    Parameters
    ----------
    kind
        `DATASETS`, `ARCHITECTURES`, `AUGMENTATIONS` or `CAM_METHODS`; for metrics see `metric`.

    Raises
    ------
    KeyError
        There is no such name.
    """
    if not user_code.is_reference(name):
        return kind[name]
    about = type(next(iter(kind.values())))
    own = about(name, name)
    return replace(own, regions="unknown") if isinstance(own, Source) else own


_OVERLAP = re.compile(r"overlap_(\d+(?:\.\d+)?)(_corrected|_ties)?")
# Suffix of a metric at the maps' own resolution, for any similarity.resolution.
_NATIVE = "_native"


def metric(name: str) -> Metric:
    """The entry of a metric by its name in a study.

    `overlap_<Y>`, `overlap_<Y>_ties` and `overlap_<Y>_corrected` are overlap rates of the top Y %,
    with Y in the label of the entry. The suffix `_native` means the maps' own resolution. A
    metric in a file of the user has the name of its function.

    Raises
    ------
    CampareError
        No metric has this name, or Y is not between 0 and 100.
    """
    metric_name, share = plain(name), overlap_share(name)
    family = _OVERLAP.sub(r"overlap\2", metric_name) if share else metric_name
    own = None if family in METRICS else user_code.called("metric", metric_name)
    if own is None and (family not in METRICS or (share is None and family.startswith("overlap"))):
        known = [f"overlap_<Y>{key.removeprefix('overlap')}" if "overlap" in key else key
                 for key in METRICS]  # fmt: skip
        raise CampareError(
            f"unknown metric {name!r}; known: {', '.join(known)} (Y in per cent, 0 < Y < 100)"
        )
    about = Metric(own, own, **user_code.metric_settings(own)) if own else METRICS[family]
    label = about.label.format(share=f"{share:g}") if share else about.label
    if is_native(name):
        if about.of == "predictions":
            raise CampareError(
                f"{name}: {metric_name} compares predictions; only metrics of maps can be native"
            )
        label = f"{label}, native resolution"
    return replace(about, label=label)


def measure(name: str) -> Metric:
    """The entry of a metric or of a measure of representations; raises as `metric`."""
    return REPRESENTATIONS.get(name) or metric(name)


def check_free(reference: str, names: Iterable[str]) -> None:
    """Check that a metric `file.py:function` can have the name of its function in tables and files.

    Parameters
    ----------
    names
        Names of the other metrics in files of the user.

    Raises
    ------
    CampareError
        Another metric or a column has this name, or it is no name of a file.
    """
    name = user_code.short(reference)
    if not user_code.NAME.fullmatch(name):
        raise CampareError(
            f"{reference}: the function's name is part of names of files: small letters, digits "
            "and '_', starting with a letter, 60 at most; rename it"
        )
    if name in METRICS or name.startswith("overlap") or name in COLUMNS or name in names:
        of = "a column of the tables" if name in COLUMNS else "another metric"
        raise CampareError(f"{reference}: {name} is the name of {of}; rename the function")


def plain(name: str) -> str:
    """The name of a metric without the suffix for the maps' own resolution."""
    return name.removesuffix(_NATIVE)


def is_native(name: str) -> bool:
    """Whether the name of a metric means the maps' own resolution."""
    return name.endswith(_NATIVE)


def overlap_share(name: str) -> float | None:
    """Y of `overlap_<Y>…` in per cent; None if `name` is not an overlap rate with 0 < Y < 100."""
    if match := _OVERLAP.fullmatch(plain(name)):
        share = float(match[1])
        return share if 0 < share < 100 else None
    return None


def check_parameters(name: str, parameters: Mapping[str, Any]) -> None:
    """Check conditions on an augmentation's parameters that a JSON schema cannot express.

    Raises
    ------
    CampareError
        In a pair [low, high], low exceeds high; the size of a blur's kernel is even; a magnitude is
        not below the number of magnitudes; or flips alternate with another probability than 0.5.
    """
    if name in LIBRARIES or user_code.is_reference(name):
        return
    for key, value in parameters.items():
        if isinstance(value, list | tuple) and value[0] > value[1]:
            remedy = f"write [{value[1]}, {value[0]}]"
            raise CampareError(f"{name}.{key}: {list(value)} is not [low, high]; {remedy}")
    if (size := parameters.get("kernel_size", 1)) % 2 == 0:
        raise CampareError(f"{name}.kernel_size: {size} is even; write {size + 1}")
    if (level := parameters.get("magnitude", 0)) >= (bins := parameters.get("bins", level + 1)):
        raise CampareError(
            f"{name}.magnitude: {level} is not below bins: {bins}; write {bins - 1} or less"
        )
    if parameters.get("alternate") and parameters["probability"] != 0.5:
        raise CampareError(
            f"{name}.probability: {parameters['probability']:g}, but with alternate: true every "
            "image is flipped in every second epoch; remove one of them"
        )


@cache
def torchvision_classifiers() -> dict[str, float]:
    """torchvision's classifiers → 1e9 multiplications and additions per image.

    Both are read from torchvision's source, because importing it takes 3 s. The values are those
    that torchvision states with a model's weights, 1.0 if there are none.
    """
    spec = importlib.util.find_spec("torchvision")
    folder = Path(spec.origin).parent / "models" if spec and spec.origin else None
    sources = (
        [file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.py"))] if folder else []
    )
    model = re.compile(r"^@register_model\(\)$.*?^def (\w+)\(", re.MULTILINE | re.DOTALL)
    stated = re.compile(r"^class (\w+)_Weights\(.*?\"_ops\": ([\d.]+)", re.MULTILINE | re.DOTALL)
    costs = {name.lower(): float(ops) for source in sources for name, ops in stated.findall(source)}
    names = sorted(name for source in sources for name in model.findall(source))
    return {name: costs.get(name, 1.0) for name in names}


# Beginning of the names of classifiers of torchvision and timm → what a paper cites for them; the
# longest that fits holds.
FAMILIES = {
    "alexnet": "krizhevsky2012",
    "convnext": "liu2022",
    "densenet": "huang2017",
    "efficientnet": "tan2019",
    "tf_efficientnet": "tan2019",
    "googlenet": "szegedy2015",
    "inception_v3": "szegedy2016",
    "mobilenet_v2": "sandler2018",
    "mobilenetv2": "sandler2018",
    "mobilenet_v3": "howard2019",
    "mobilenetv3": "howard2019",
    "regnet": "radosavovic2020",
    "resnet": "he2016",
    "resnext": "xie2017",
    "shufflenet_v2": "ma2018",
    "squeezenet": "iandola2016",
    "swin_": "liu2021",
    "vgg": "simonyan2015",
    "vit_": "dosovitskiy2021",
    "wide_resnet": "zagoruyko2016",
}
TIMM = "timm:"  # begins the names of timm's classifiers


def architecture_reference(name: str) -> str:
    """What a paper cites for an architecture of this registry, torchvision or timm; "" if unknown.

    Keys of `paper/references.bib`, separated by commas.
    """
    if name in ARCHITECTURES:
        return ARCHITECTURES[name].reference
    plain_name = timm_name(name) or name
    fits = [family for family in FAMILIES if plain_name.startswith(family)]
    return FAMILIES[max(fits, key=len)] if fits else ""


def timm_name(architecture: str) -> str | None:
    """timm's own name of an architecture `timm:<name>`; None for other architectures."""
    return architecture.removeprefix(TIMM) if architecture.startswith(TIMM) else None


@cache
def timm_classifiers() -> dict[str, list[str]]:
    """timm's classifiers → tags of their published weights.

    Both are read from timm's source, because importing it takes 4 s. Tags that timm builds in a
    loop are missing: if the list is empty, it is unknown which tags there are.
    """
    spec = importlib.util.find_spec("timm")
    folder = Path(spec.origin).parent / "models" if spec and spec.origin else None
    sources = (
        [file.read_text(encoding="utf-8") for file in sorted(folder.glob("*.py"))] if folder else []
    )
    model = re.compile(r"^@register_model\s+def (\w+)\(", re.MULTILINE)
    tagged = re.compile(r"^\s+['\"](\w+)\.([\w.]+)\*?['\"]: ", re.MULTILINE)
    tags: dict[str, list[str]] = {name: [] for source in sources for name in model.findall(source)}
    for source in sources:
        for name, tag in tagged.findall(source):
            if tag not in tags.get(name, [tag]):
                tags[name].append(tag)
    return dict(sorted(tags.items()))


def check_dataset(name: str) -> None:
    """Check the name of a data set of torchvision, without importing torchvision.

    Raises
    ------
    CampareError
        It has no such classification set, or `torchvision:` is missing.
    """
    if name in DATASETS or user_code.is_reference(name):
        return
    own = [key for key in DATASETS if not key.startswith(TORCHVISION)]
    sets = sorted(key.removeprefix(TORCHVISION) for key in DATASETS if key not in own)
    by_case = {each.lower(): f"{TORCHVISION}{each}" for each in sets}
    plain = name.removeprefix(TORCHVISION)
    close = [by_case[each] for each in get_close_matches(plain.lower(), by_case, cutoff=0.7)]
    if plain != name:
        near = f"did you mean {', '.join(close)}?" if close else f"known: {', '.join(sets)}"
        raise CampareError(
            f"torchvision has no classification set {plain!r} that campare reads; {near} "
            "(config/README.md lists all)"
        )
    if plain.lower() in by_case or (close and not get_close_matches(name, own)):
        raise CampareError(f"{name!r} is not allowed; did you mean {close[0]!r}?")


def check_architecture(architecture: str) -> None:
    """Check the name of an architecture, without importing torchvision or timm.

    Raises
    ------
    CampareError
        There is no such architecture, or no such tag of timm's weights. Names of a library that is
        not installed are not checked, so that a study can be planned without it.
    """
    name = timm_name(architecture)
    plain, _, tag = (name or architecture).partition(".")
    others: Mapping[str, Any] = timm_classifiers() if name else torchvision_classifiers()
    if name and plain in others:
        if tag and others[plain] and tag not in others[plain]:
            raise CampareError(
                f"{architecture!r} has an unknown tag of weights; known: {', '.join(others[plain])}"
            )
    elif others and architecture not in {*ARCHITECTURES, *others}:
        prefix, library = (TIMM, "timm") if name else ("", "torchvision")
        close = get_close_matches(plain, others, n=5)
        closest = get_close_matches(plain, others if name else [*ARCHITECTURES, *others], n=1)
        meant = f"did you mean {prefix + closest[0]!r}? " if closest else ""
        further = [each for each in close if name or each not in ARCHITECTURES]
        more = f", or in {library} {', '.join(further)}" if further else ""
        raise CampareError(
            f"unknown architecture {architecture!r}; {meant}known: "
            f"{', '.join(ARCHITECTURES)}{more} (any torchvision classifier can be named, and "
            "any of timm as timm:<name>)"
        )


def has_published(architecture: str) -> bool:
    """Whether torchvision or timm may publish weights of an architecture."""
    return timm_name(architecture) is not None or architecture in torchvision_classifiers()


def functions(kind: Mapping[str, Entry], names: Iterable[str]) -> list[str]:
    """The functions of these entries, as `module:name` or `file.py:name`."""
    return [entry(kind, name).function for name in names]


def metric_functions(names: Iterable[str]) -> list[str]:
    """The functions of metrics by their names in a study."""
    return [metric(name).function for name in names]


def architecture_function(name: str) -> str:
    """The function of an architecture of this registry, torchvision, timm or the user's files."""
    if name in ARCHITECTURES or user_code.is_reference(name):
        return entry(ARCHITECTURES, name).function
    return "models:timm_classifier" if timm_name(name) else "models:torchvision_classifier"


# 1e9 multiplications and additions for a 224 × 224 image if they are not known, about those of
# ResNet-50, ConvNeXt-Tiny, Swin-T and ViT-S.
USUAL_GMACS = 5.0


@cache
def gmacs(architecture: str, input_size: int | tuple[int, int]) -> float:
    """Approximate 1e9 multiplications and additions of a forward pass of one image.

    timm's source does not state them: those of the classifier of the same name in torchvision, or
    `USUAL_GMACS`, as for functions in files of the user.
    """
    about = ARCHITECTURES.get(architecture)
    stated = about.gmacs if about else None
    if stated is None:
        name = timm_name(architecture)
        unknown = name is not None or user_code.is_reference(architecture)
        plain_name = (name or architecture).partition(".")[0]
        stated = torchvision_classifiers().get(plain_name, USUAL_GMACS if unknown else 1.0)
    height, width = pair(input_size)
    return stated * ((height / 224) * (width / 224))
