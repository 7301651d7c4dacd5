"""Augmentation alone: campare's own, beside torchvision's and albumentations' by name.

All three have the same keys and one thread. Parameters are the defaults, and every image is changed
if there is a probability; those of the libraries are set alike where they have one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

import library
import training
from campare import registry
from campare.augment import Augmenter, Batch
from rounds import Row, Work, interleaved, row, timed

SIZES = {32: 256, 224: 16}  # side of an image, pixels → images
# Native name → class and parameters of torchvision, and of albumentations; None: there is none.
Transform = tuple[str, dict[str, Any]] | None
COUNTERPARTS: dict[str, tuple[Transform, Transform]] = {
    "affine": (
        ("RandomAffine",
         {"degrees": 15, "translate": [0.1, 0.1], "scale": [0.9, 1.1], "shear": 10}),
        ("Affine", {"rotate": [-15, 15], "translate_percent": [-0.1, 0.1], "scale": [0.9, 1.1],
                    "shear": [-10, 10], "p": 1.0}),
    ),
    "cutmix": (None, None),
    "cutmix_mixed": (None, None),
    "mixup": (None, None),
    "saliencymix": (None, None),
    "color_jitter": (
        ("ColorJitter", {"brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "hue": 0.1}),
        ("ColorJitter", {"brightness": [0.6, 1.4], "contrast": [0.6, 1.4],
                         "saturation": [0.6, 1.4], "hue": [-0.1, 0.1], "p": 1.0}),
    ),
    "elastic": (
        ("ElasticTransform", {"alpha": 50.0, "sigma": 5.0}),
        ("ElasticTransform", {"alpha": 50.0, "sigma": 5.0, "p": 1.0}),
    ),
    "equalize": (("RandomEqualize", {"p": 1.0}), ("Equalize", {"p": 1.0})),
    "gaussian_blur": (
        ("GaussianBlur", {"kernel_size": 5}),
        ("GaussianBlur", {"blur_limit": [5, 5], "sigma_limit": [0.1, 2.0], "p": 1.0}),
    ),
    "random_crop": (
        ("RandomResizedCrop", {"size": "side", "scale": [0.5, 1.0]}),
        ("RandomResizedCrop", {"size": "side", "scale": [0.5, 1.0], "p": 1.0}),
    ),
    "random_erasing": (("RandomErasing", {"p": 1.0}), ("Erasing", {"p": 1.0})),
    "scaling": (
        ("RandomAffine", {"degrees": 0, "scale": [0.7, 1.3], "interpolation": "bilinear"}),
        ("Affine", {"scale": [0.7, 1.3], "p": 1.0}),
    ),
    "horizontal_flip": (("RandomHorizontalFlip", {"p": 1.0}), ("HorizontalFlip", {"p": 1.0})),
    "vertical_flip": (("RandomVerticalFlip", {"p": 1.0}), ("VerticalFlip", {"p": 1.0})),
    "rotation": (("RandomRotation", {"degrees": 15}), ("Rotate", {"limit": [-15, 15], "p": 1.0})),
    "translation": (
        ("RandomAffine", {"degrees": 0, "translate": [0.1, 0.1]}),
        ("Affine", {"translate_percent": [-0.1, 0.1], "p": 1.0}),
    ),
    "shift": (("RandomCrop", {"size": "side", "padding": 4}), None),
    "shear": (
        ("RandomAffine", {"degrees": 0, "shear": 10}),
        ("Affine", {"shear": {"x": [-10, 10], "y": [0, 0]}, "p": 1.0}),
    ),
    "perspective": (("RandomPerspective", {"p": 1.0}), ("Perspective", {"p": 1.0})),
    "grayscale": (("RandomGrayscale", {"p": 1.0}), ("ToGray", {"p": 1.0})),
    "invert": (("RandomInvert", {"p": 1.0}), ("InvertImg", {"p": 1.0})),
    "posterize": (
        ("RandomPosterize", {"bits": 4, "p": 1.0}),
        ("Posterize", {"num_bits": 4, "p": 1.0}),
    ),
    "solarize": (("RandomSolarize", {"threshold": 128.0, "p": 1.0}), ("Solarize", {"p": 1.0})),
    "sharpness": (
        ("RandomAdjustSharpness", {"sharpness_factor": 2.0, "p": 1.0}), ("Sharpen", {"p": 1.0}),
    ),
    "autocontrast": (("RandomAutocontrast", {"p": 1.0}), ("AutoContrast", {"p": 1.0})),
    "gaussian_noise": (
        ("GaussianNoise", {}), ("GaussNoise", {"std_range": [0.1, 0.1], "p": 1.0}),
    ),
    "jpeg": (
        ("JPEG", {"quality": [50, 95]}),
        ("ImageCompression", {"quality_range": [50, 95], "p": 1.0}),
    ),
    "cutout": (None, ("CoarseDropout", {"num_holes_range": [1, 1], "p": 1.0})),
    "hide_and_seek": (None, None),
    "grid_mask": (None, ("GridDropout", {"p": 1.0})),
    "rand_augment": (("RandAugment", {}), None),
    "trivial_augment_wide": (("TrivialAugmentWide", {}), None),
    "auto_augment": (("AutoAugment", {}), None),
    "augmix": (("AugMix", {}), None),
}  # fmt: skip


def rows(rounds: int) -> Iterator[Row]:
    """Native augmentations against both libraries by name; those without one against affine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for side, count in SIZES.items():
            images = torch.from_numpy(library.pictures(count, side)).permute(0, 3, 1, 2)
            for name in COUNTERPARTS:
                yield from _rows(name, images.contiguous(), rounds)
    finally:
        torch.set_num_threads(threads)


def _rows(name: str, images: torch.Tensor, rounds: int) -> Iterator[Row]:
    side = images.shape[-1]
    native = training.defaults(name)
    if "probability" in native and not native.get("alternate"):
        native["probability"] = 1.0
    sides: dict[str, Work] = {"native": _work(name, native, images)}
    for package, counterpart in zip(registry.LIBRARIES, COUNTERPARTS[name], strict=True):
        if counterpart:
            cls, parameters = counterpart
            sized = {k: [side, side] if v == "side" else v for k, v in parameters.items()}
            sides[package] = _work(package, {"name": cls, **sized}, images)
    if len(sides) == 1:
        sides["affine"] = _work("affine", training.defaults("affine"), images)
    rates = interleaved(sides, rounds)
    for other in list(sides)[1:]:
        yield row(f"augment_{name}_{side}_{other}", rates, "native", other, None, "images/s")


def _work(name: str, parameters: dict[str, Any], images: torch.Tensor) -> Work:
    """Augment all images once."""
    batch = Batch(images, torch.eye(10)[torch.arange(len(images)) % 10])
    augmenter = Augmenter([(name, parameters)], 0, batch)
    source = torch.arange(len(images))

    def work() -> float:
        augmenter(batch, source, source * 0, 1)
        return len(images)

    return timed(work)
