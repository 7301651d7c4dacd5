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
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar

from campare import user_code
from campare.errors import CampareError

FONT_FILES = (".ttf", ".otf", ".ttc", ".otc")


@dataclass(frozen=True)
class Parameter:
    """A parameter of an entry: default value, meaning with unit, and JSON schema."""

    default: Any
    about: str
    schema: Mapping[str, Any]


@dataclass(frozen=True)
class Entry:
    """An entry of the registry: description, function, and parameters.

    function: `module:name` of this package, or `file.py:name` of the study.
    """

    about: str
    function: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)

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
    if there is a `mask_folder`; "none"; "unknown" until the data set is read. side: of its images
    in pixels, if it is known before the images are read.
    """

    regions: Literal["none", "folder", "all", "unknown"] = "none"
    side: int | None = None

    def has_regions(self, root: str) -> bool:
        """Whether there are masks of its regions, if its files are in `root`."""
        return self.regions == "all" or (
            self.regions == "folder" and mask_folder(Path(root).expanduser()) is not None
        )


def mask_folder(root: Path) -> Path | None:
    """`root/masks` if it contains folders, and so is not a class folder; else None."""
    folder = root / "masks"
    if folder.is_dir() and any(path.is_dir() for path in folder.iterdir()):
        return folder
    return None


@dataclass(frozen=True)
class Architecture(Entry):
    """A network; gmacs: 1e9 multiplications and additions for a 224 × 224 image."""

    gmacs: float | None = None


@dataclass(frozen=True)
class Method(Entry):
    """A CAM method, of the output of a layer or of the input image.

    passes: the largest time for an image, in forward passes.
    """

    of: Literal["layer", "input"] = "layer"
    passes: int = 3


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


PROBABILITY = {"minimum": 0, "maximum": 1}

# Controls whose models have a name in files, as augmentations do: control → name.
RESERVED = {
    "duplicated_originals": "duplicated_originals",
    "longer_training": "longer_training",
    "uninformative": "untrained",
}
# The step-matched controls.
MATCHED = ("duplicated_originals", "longer_training")

DATASETS: dict[str, Source] = {
    "digits": Source(
        "scikit-learn's 1,797 handwritten digits, 8×8 grey; embedded", "data:digits", side=8
    ),
    "mnist": Source("MNIST, 60,000 + 10,000 handwritten digits, 28×28 grey", "data:mnist", side=28),
    "fashion_mnist": Source(
        "Fashion-MNIST, 60,000 + 10,000 garments, 28×28 grey", "data:fashion_mnist", side=28
    ),
    "cifar10": Source("CIFAR-10, 50,000 + 10,000 images, 32×32 RGB", "data:cifar10", side=32),
    "image_folder": Source(
        "your own images: root/train/<class>/… and root/test/<class>/…, or root/<class>/…, which "
        "are split; optional masks of the object under the same names in root/masks/…",
        "data:image_folder",
        regions="folder",
    ),
    "shapes": Source(
        "generated RGB images of six shapes on a cluttered background, with masks of object, "
        "distractor and, if there is one, cue; 48×48 or data.size",
        "shapes:shapes",
        {
            "train": integer(3000, "training and validation images", minimum=12),
            "test": integer(1000, "test images", minimum=6),
            "scale": interval(
                0.22,
                0.36,
                "range of the side of a square with the object's area, share of the image's side",
                exclusiveMinimum=0,
                maximum=0.5,
            ),
            "contrast": number(
                0.9, "opacity of object and distractor", exclusiveMinimum=0, maximum=1
            ),
            "texture": number(0.6, "opacity of their patterns", **PROBABILITY),
            "clutter": number(0.5, "opacity of the mosaic in the background", **PROBABILITY),
            "noise": number(0.1, "largest change of a grey level, share of 255", **PROBABILITY),
            "cue_class": choice(
                "star",
                "class whose training images have the cue, a magenta square in a corner",
                "disc",
                "square",
                "triangle",
                "star",
                "cross",
                "ring",
            ),
            "cue_share": number(
                0.0,
                "share of them that have it; if above 0, half of the test images of every class "
                "have it",
                **PROBABILITY,
            ),
            "seed": integer(0, "seed of all random numbers", minimum=0, maximum=4294967295),
        },
        regions="all",
        side=48,
    ),
}

# Any other torchvision classifier can be named too: see `models.build`.
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
    ),
    "fashion_cnn": Architecture(
        "two 3×3 convolutions (32, 64) without padding, each with ReLU and 2×2 max-pooling, global "
        "average pooling, one linear layer: the listing of Suresh and Kaushik",
        "models:fashion_cnn",
        gmacs=0.15,
    ),
    "fashion_cnn_wide": Architecture(
        "fashion_cnn with 64 and 128 channels",
        "models:fashion_cnn_wide",
        gmacs=0.6,
    ),
    "fashion_cnn_third": Architecture(
        "fashion_cnn with a third convolution (64), whose maps have the size that the zoom factor "
        "of Suresh and Kaushik's CAM implies",
        "models:fashion_cnn_third",
        gmacs=0.2,
    ),
    "fashion_cnn_deep": Architecture(
        "five 3×3 convolutions (16, 32, 64, 128, 256) with ReLU, 2×2 max-pooling after the first "
        "four, global average pooling, one linear layer: the network of Suresh and Kaushik's SVM",
        "models:fashion_cnn_deep",
        gmacs=0.18,
    ),
    "resnet18_cifar": Architecture(
        "torchvision's ResNet-18 with the CIFAR stem (3×3, stride 1, no pooling) for inputs of "
        "about 32 px",
        "models:resnet18_cifar",
        gmacs=27.2,
    ),
    "efficientnet_b0": Architecture("torchvision's EfficientNet-B0", "models:efficientnet_b0"),
    "resnet18": Architecture("torchvision's ResNet-18", "models:resnet18"),
    "densenet121": Architecture("torchvision's DenseNet-121", "models:densenet121"),
}

_INTERPOLATION = choice("nearest", "interpolation of pixels", "nearest", "bilinear")
_FILL = integer(0, "grey level of pixels from outside the image (0 to 255)", minimum=0, maximum=255)

AUGMENTATIONS: dict[str, Entry] = {
    "affine": Entry(
        "rotation, translation, scaling and shear at once",
        "augment:affine",
        {
            "degrees": number(15.0, "largest rotation, degrees", minimum=0, maximum=180),
            "translate": number(0.1, "largest shift, share of the side", **PROBABILITY),
            "scale": interval(0.9, 1.1, "range of the zoom factor", minimum=0.01, maximum=100),
            "shear": number(10.0, "largest shear, degrees", minimum=0, maximum=89),
            "interpolation": _INTERPOLATION,
            "fill": _FILL,
        },
    ),
    "cutmix": Entry(
        "a box of another training image pasted in; the label does not change (thesis)",
        "augment:cutmix",
        {"alpha": number(1.0, "Beta(alpha, alpha) of the kept share", exclusiveMinimum=0)},
    ),
    "cutmix_mixed": Entry(
        "cutmix with labels mixed by area (Yun et al. 2019)",
        "augment:cutmix_mixed",
        {"alpha": number(1.0, "Beta(alpha, alpha) of the kept share", exclusiveMinimum=0)},
    ),
    "color_jitter": Entry(
        "random brightness, contrast, saturation and hue",
        "augment:color_jitter",
        {
            "brightness": number(0.4, "factor from 1 ± this", minimum=0),
            "contrast": number(0.4, "factor from 1 ± this", minimum=0),
            "saturation": number(0.4, "factor from 1 ± this (RGB only)", minimum=0),
            "hue": number(
                0.1, "shift, turns of the colour circle (RGB only)", minimum=0, maximum=0.5
            ),
        },
    ),
    "elastic": Entry(
        "smooth random displacement of every pixel",
        "augment:elastic",
        {
            "alpha": number(50.0, "largest displacement before smoothing, half pixels", minimum=0),
            "sigma": number(5.0, "standard deviation of the smoothing, pixels", exclusiveMinimum=0),
            "interpolation": choice("bilinear", "interpolation of pixels", "nearest", "bilinear"),
            "fill": _FILL,
        },
    ),
    "equalize": Entry(
        "equalisation of the histogram of every channel",
        "augment:equalize",
        # torchvision's default. At 1 nothing is random, and every seed trains the same model.
        {"probability": number(0.5, "share of the images changed", **PROBABILITY)},
    ),
    "gaussian_blur": Entry(
        "Gaussian blur",
        "augment:gaussian_blur",
        {
            "kernel_size": integer(5, "side of the kernel, odd, pixels", minimum=1),
            "sigma": interval(
                0.1, 2.0, "range of the standard deviation, pixels", exclusiveMinimum=0
            ),
        },
    ),
    "random_crop": Entry(
        "a random part of the image, resized to the size of the image",
        "augment:random_crop",
        {
            "scale": interval(
                0.5, 1.0, "range of the area kept, share", exclusiveMinimum=0, maximum=1
            ),
            "ratio": interval(0.75, 4 / 3, "range of its width to height", exclusiveMinimum=0),
        },
    ),
    "random_erasing": Entry(
        "a random box filled with one grey level",
        "augment:random_erasing",
        {
            "scale": interval(
                0.02, 0.33, "range of the area erased, share", exclusiveMinimum=0, maximum=1
            ),
            "ratio": interval(0.3, 3.3, "range of its height to width", exclusiveMinimum=0),
            "fill": _FILL,
            "probability": number(1.0, "share of the images changed", **PROBABILITY),
        },
    ),
    "scaling": Entry(
        "zoom about the centre",
        "augment:scaling",
        {
            "scale": interval(0.7, 1.3, "range of the zoom factor", minimum=0.01, maximum=100),
            "interpolation": choice("bilinear", "interpolation of pixels", "nearest", "bilinear"),
            "fill": _FILL,
        },
    ),
    "horizontal_flip": Entry(
        "mirroring left to right",
        "augment:horizontal_flip",
        {"probability": number(0.5, "share of the images changed", **PROBABILITY)},
    ),
}

CAM_METHODS: dict[str, Method] = {
    "gradcam": Method("Grad-CAM (Selvaraju et al. 2017)", "cams:gradcam"),
    "cam": Method("CAM of the class weights (Zhou et al. 2016)", "cams:cam"),
    "gradcam++": Method("Grad-CAM++ (Chattopadhay et al. 2018)", "cams:gradcam_plus_plus"),
    "xgradcam": Method("XGrad-CAM (Fu et al. 2020)", "cams:xgradcam"),
    "layercam": Method("LayerCAM (Jiang et al. 2021)", "cams:layercam"),
    "hirescam": Method("HiResCAM (Draelos and Carin 2020)", "cams:hirescam"),
    "eigencam": Method("Eigen-CAM (Muhammad and Yeasin 2020)", "cams:eigencam"),
    "eigengradcam": Method("Eigen-CAM of activation × gradient", "cams:eigengradcam"),
    "scorecam": Method("Score-CAM (Wang et al. 2020)", "cams:scorecam", passes=1000),
    "ablationcam": Method(
        "Ablation-CAM (Desai and Ramaswamy 2020)", "cams:ablationcam", passes=1000
    ),
    "input_gradient": Method(
        "absolute value of the score's gradient at each pixel, the largest over channels (Simonyan "
        "et al. 2013); at input resolution, without a target layer",
        "cams:input_gradient",
        of="input",
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
    ),
    "overlap_ties": Metric(
        "overlap rate with the thesis's masks: all pixels at or above the (100 − Y)th percentile, "
        "which is the whole map if more than 100 − Y % are zero (named overlap_Y_ties)",
        "similarity:overlap_ties",
        label="Overlap rate (top {share} %, with ties)",
        same=1.0,
        bounds=(0.0, 1.0),
    ),
    "overlap_corrected": Metric(
        "overlap_Y corrected for chance, (o − e)/(1 − e), with e from the areas of the two masks "
        "(named overlap_Y_corrected)",
        "similarity:overlap_corrected",
        label="Chance-corrected overlap rate (top {share} %)",
        same=1.0,
        bounds=(-0.5, 1.0),
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
    ),
    "entropy": Metric(
        "Shannon entropy of the augmented model's map, normalised to a sum of 1",
        "similarity:entropy",
        label="Shannon entropy of the map (nats)",
        same=None,
        bounds=(0.0, None),
    ),
    "entropy_histogram": Metric(
        "Shannon entropy of the histogram (256 levels) of the augmented model's map",
        "similarity:entropy_histogram",
        label="Shannon entropy of the map's histogram (nats)",
        same=None,
        bounds=(0.0, math.log(256)),
    ),
    "class_kld": Metric(
        "Kullback-Leibler divergence of the two class predictions",
        "similarity:class_kld",
        label="Class-KLD of the predictions (nats)",
        symmetric=False,
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

# Columns of tables with a column per metric, and other names in the place of a metric's.
COLUMNS = {
    *("index", "label", "prediction", "baseline_prediction", "augmentation", "seed", "level"),
    *("a", "b", "seed_a", "seed_b", "prediction_a", "prediction_b", "constant_a", "constant_b"),
    *("baseline", "image", "images", "class", "segment", "correctness", "agreement", "size"),
    *("metric", "accuracy", "all"),
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
        In a pair [low, high], low exceeds high; or the size of a blur's kernel is even.
    """
    if user_code.is_reference(name):
        return
    for key, value in parameters.items():
        if isinstance(value, list | tuple) and value[0] > value[1]:
            remedy = f"write [{value[1]}, {value[0]}]"
            raise CampareError(f"{name}.{key}: {list(value)} is not [low, high]; {remedy}")
    if (size := parameters.get("kernel_size", 1)) % 2 == 0:
        raise CampareError(f"{name}.kernel_size: {size} is even; write {size + 1}")


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


def functions(kind: Mapping[str, Entry], names: Iterable[str]) -> list[str]:
    """The functions of these entries, as `module:name` or `file.py:name`."""
    return [entry(kind, name).function for name in names]


def metric_functions(names: Iterable[str]) -> list[str]:
    """The functions of metrics by their names in a study."""
    return [metric(name).function for name in names]


def architecture_function(name: str) -> str:
    """The function of an architecture of this registry, of torchvision or of the study's own."""
    if name in ARCHITECTURES or user_code.is_reference(name):
        return entry(ARCHITECTURES, name).function
    return "models:torchvision_classifier"


@cache
def gmacs(architecture: str, input_size: int) -> float:
    """Approximate 1e9 multiplications and additions of a forward pass of one image.

    1.0 for an image of 224 pixels if it is not known.
    """
    about = ARCHITECTURES.get(architecture)
    known = about.gmacs if about else None
    if known is None:
        known = torchvision_classifiers().get(architecture, 1.0)
    return known * (input_size / 224) ** 2
