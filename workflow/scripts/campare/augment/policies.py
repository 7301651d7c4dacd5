"""Policies: operations drawn for every image, with torchvision's operations and magnitudes.

Images with the same operation are processed together, so operations are read from the device. The
magnitudes of TranslateX, TranslateY, shears, rotations and the enhancements have a random sign.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import torch
from torch import Tensor

from campare.augment import colour, geometry
from campare.augment.core import Batch, Draw, as_float, as_uint8, beta

# Name, probability and number of the magnitude of an operation.
Part = tuple[str, float, int]

GEOMETRIC = ("shear_x", "shear_y", "translate_x", "translate_y", "rotate")
ENHANCING = ("brightness", "color", "contrast", "sharpness")
SIGNED = (*GEOMETRIC, *ENHANCING)
OPERATIONS = ("identity", *SIGNED, "posterize", "solarize", "autocontrast", "equalize", "invert")
# Operations from which a policy draws; AutoAugment names its own.
DRAWN = OPERATIONS[:-1]
AUGMIX = DRAWN[1:]
AUGMIX_PLAIN = tuple(name for name in AUGMIX if name not in ENHANCING)


@dataclass(frozen=True)
class Space:
    """The largest magnitudes of a policy.

    shear: tangent of the angle. translate: share of the side, or pixels above 1. rotate: degrees.
    enhance: distance of the factor from 1. bits: with the lowest and the highest magnitude.
    """

    shear: float
    translate: float
    rotate: float
    enhance: float
    bits: tuple[int, int]

    def magnitudes(self, bins: int, height: int, width: int) -> Tensor:
        """Magnitudes of all operations: float64 (operations, bins), computed as torchvision's."""
        steps = torch.arange(bins) / ((bins - 1) / (self.bits[0] - self.bits[1]))

        def reach(side: int) -> float:
            return self.translate if self.translate > 1 else self.translate * side

        largest = {
            **dict.fromkeys(("shear_x", "shear_y"), self.shear),
            "translate_x": reach(width),
            "translate_y": reach(height),
            "rotate": self.rotate,
            **dict.fromkeys(ENHANCING, self.enhance),
        }
        rows = {name: torch.linspace(0.0, high, bins) for name, high in largest.items()}
        rows["posterize"] = (self.bits[0] - steps).round()
        rows["solarize"] = torch.linspace(1.0, 0.0, bins)
        none = torch.zeros(bins)
        return torch.stack([rows.get(name, none) for name in OPERATIONS]).double()


AUTO = Space(0.3, 150.0 / 331.0, 30.0, 0.9, (8, 4))
WIDE = Space(0.99, 32.0, 135.0, 0.99, (8, 2))
MIX = Space(0.3, 1 / 3, 30.0, 0.9, (4, 0))


def rand_augment(
    batch: Batch,
    draw: Draw,
    *,
    operations: int,
    magnitude: int,
    bins: int,
    interpolation: str,
    fill: int,
) -> Batch:
    """Operations of one strength, in turn (RandAugment, Cubuk et al. 2020)."""
    images = batch.images
    table = _table(AUTO, bins, images)
    for _ in range(operations):
        kind = _kind(draw, DRAWN)
        strength = _signed(draw, kind, table[kind, magnitude][:, None])
        images = operated(images, kind, strength, interpolation, fill)
    return replace(batch, images=images)


def trivial_augment_wide(
    batch: Batch, draw: Draw, *, bins: int, interpolation: str, fill: int
) -> Batch:
    """One operation of random strength (TrivialAugment Wide, Müller and Hutter 2021)."""
    images = batch.images
    kind = _kind(draw, DRAWN)
    strength = _table(WIDE, bins, images)[kind, draw.integers(bins)[:, 0]][:, None]
    images = operated(images, kind, _signed(draw, kind, strength), interpolation, fill)
    return replace(batch, images=images)


def auto_augment(batch: Batch, draw: Draw, *, policy: str, interpolation: str, fill: int) -> Batch:
    """One of 25 pairs of operations, learned for a data set (AutoAugment, Cubuk et al. 2019)."""
    images = batch.images
    table = _table(AUTO, 10, images)
    chosen = draw.integers(len(POLICIES[policy]))[:, 0]
    for part in range(2):
        rows = [pair[part] for pair in POLICIES[policy]]
        kinds = torch.tensor([OPERATIONS.index(name) for name, _, _ in rows], device=chosen.device)
        chances = torch.tensor([chance for _, chance, _ in rows], device=chosen.device)
        levels = torch.tensor([level for _, _, level in rows], device=chosen.device)
        kind = kinds[chosen]
        strength = _signed(draw, kind, table[kind, levels[chosen]][:, None])
        happens = draw.uniform(0, 1)[:, 0] < chances[chosen]
        kind = torch.where(happens, kind, OPERATIONS.index("identity"))
        images = operated(images, kind, strength, interpolation, fill)
    return replace(batch, images=images)


def augmix(
    batch: Batch,
    draw: Draw,
    *,
    severity: int,
    width: int,
    depth: int,
    alpha: float,
    all_ops: bool,
    interpolation: str,
    fill: int,
) -> Batch:
    """The mean of an image and of chains of operations with random weights (Hendrycks et al. 2020).

    As in torchvision, without the paper's Jensen-Shannon loss. The result is rounded; torchvision
    rounds it down.
    """
    table = _table(MIX, 10, batch.images)
    names = AUGMIX if all_ops else AUGMIX_PLAIN
    kept = beta(draw, alpha)
    weights = as_float((1 - kept) * _dirichlet(draw, alpha, width))
    total = batch.images.float() * as_float(kept)[:, :, None, None]
    for chain in range(width):
        images = batch.images
        length = draw.integers(3)[:, 0] + 1
        for step in range(depth or 3):
            kind = _kind(draw, names)
            strength = _signed(draw, kind, table[kind, draw.integers(severity)[:, 0]][:, None])
            if not depth:
                kind = torch.where(step < length, kind, OPERATIONS.index("identity"))
            images = operated(images, kind, strength, interpolation, fill)
        total.add_(images * weights[:, chain, None, None, None])
    return replace(batch, images=as_uint8(total.round_().clamp_(0, 255)))


def operated(
    images: Tensor, kind: Tensor, magnitude: Tensor, interpolation: str, fill: int
) -> Tensor:
    """Images after an operation each: `kind` int64 (B,), in `OPERATIONS`; magnitude (B, 1)."""
    result = images.clone()
    for number in torch.unique(kind).tolist():
        if (name := OPERATIONS[number]) == "identity":
            continue
        rows = (kind == number).nonzero()[:, 0]
        strength = magnitude.index_select(0, rows)
        part = _geometric if name in GEOMETRIC else _of_levels
        result[rows] = part(name, images.index_select(0, rows), strength, interpolation, fill)
    return result


def _geometric(
    name: str, images: Tensor, strength: Tensor, interpolation: str, fill: int
) -> Tensor:
    """Images after a geometric operation; shears are about the upper left corner."""
    if name.endswith("_y"):
        turned = images.transpose(2, 3)
        name = f"{name.removesuffix('_y')}_x"
        return _geometric(name, turned, strength, interpolation, fill).transpose(2, 3)
    parameters = {
        "shear_x": lambda: {
            "slant": strength.atan().rad2deg(), "across": strength * (-images.shape[2] / 2)
        },
        "translate_x": lambda: {"across": strength.trunc()},
        "rotate": lambda: {"angle": -strength},
    }[name]()  # fmt: skip
    return geometry.moved(images, **parameters, interpolation=interpolation, fill=fill)


def _of_levels(name: str, images: Tensor, strength: Tensor, *_: object) -> Tensor:
    """Images after an operation on their levels."""
    operation: Callable[[], Tensor] = {
        "brightness": lambda: _blended(images, 0, strength),
        "contrast": lambda: _blended(images, 1, strength),
        "color": lambda: _blended(images, 2, strength) if images.shape[1] == 3 else images,
        "sharpness": lambda: colour.sharpened(images, as_float(1 + strength)),
        "posterize": lambda: colour.posterized(images, strength.long()),
        "solarize": lambda: colour.solarized(images, as_float(255 * strength)),
        "autocontrast": lambda: colour.autocontrasted(images),
        "equalize": lambda: colour.equalized(images),
        "invert": lambda: images.bitwise_not(),
    }[name]
    return operation()


def _blended(images: Tensor, kind: int, strength: Tensor) -> Tensor:
    order = torch.full_like(strength, kind, dtype=torch.int64)
    return as_uint8(colour.blends(images.float(), order, as_float(1 + strength)))


def _kind(draw: Draw, names: tuple[str, ...]) -> Tensor:
    """Operations drawn from `names`: int64 (B,), in `OPERATIONS`."""
    drawn = draw.integers(len(names))[:, 0]
    return _numbers(names, drawn.device)[drawn]


@cache
def _numbers(names: tuple[str, ...], device: torch.device) -> Tensor:
    return torch.tensor([OPERATIONS.index(name) for name in names], device=device)


def _signed(draw: Draw, kind: Tensor, strength: Tensor) -> Tensor:
    """Strengths, negative for half of the images with an operation in `SIGNED`."""
    signed = (kind[:, None] >= 1) & (kind[:, None] <= len(SIGNED))
    return torch.where(draw.chance(0.5) & signed, -strength, strength)


@cache
def _magnitudes(
    space: Space, bins: int, height: int, width: int, dtype: torch.dtype, device: torch.device
) -> Tensor:
    return space.magnitudes(bins, height, width).to(dtype).to(device)


def _table(space: Space, bins: int, images: Tensor) -> Tensor:
    wide = torch.float32 if images.device.type == "mps" else torch.float64
    return _magnitudes(space, bins, *images.shape[-2:], wide, images.device)


def _dirichlet(draw: Draw, alpha: float, size: int) -> Tensor:
    """Random numbers from Dirichlet(alpha, …): float64 (B, size), by parts of what is left."""
    left, shares = None, []
    for number in range(size - 1):
        part = beta(draw, alpha, alpha * (size - 1 - number))
        shares.append(part if left is None else part * left)
        left = 1 - part if left is None else left * (1 - part)
    if left is None:
        return torch.ones_like(draw.uniform(0, 1))
    return torch.cat([*shares, left], 1)


# The operations of every image are those of one row; learned on the data set that is named.
POLICIES: dict[str, list[tuple[Part, Part]]] = {
    "cifar10": [
        (("invert", 0.1, 0), ("contrast", 0.2, 6)),
        (("rotate", 0.7, 2), ("translate_x", 0.3, 9)),
        (("sharpness", 0.8, 1), ("sharpness", 0.9, 3)),
        (("shear_y", 0.5, 8), ("translate_y", 0.7, 9)),
        (("autocontrast", 0.5, 0), ("equalize", 0.9, 0)),
        (("shear_y", 0.2, 7), ("posterize", 0.3, 7)),
        (("color", 0.4, 3), ("brightness", 0.6, 7)),
        (("sharpness", 0.3, 9), ("brightness", 0.7, 9)),
        (("equalize", 0.6, 0), ("equalize", 0.5, 0)),
        (("contrast", 0.6, 7), ("sharpness", 0.6, 5)),
        (("color", 0.7, 7), ("translate_x", 0.5, 8)),
        (("equalize", 0.3, 0), ("autocontrast", 0.4, 0)),
        (("translate_y", 0.4, 3), ("sharpness", 0.2, 6)),
        (("brightness", 0.9, 6), ("color", 0.2, 8)),
        (("solarize", 0.5, 2), ("invert", 0.0, 0)),
        (("equalize", 0.2, 0), ("autocontrast", 0.6, 0)),
        (("equalize", 0.2, 0), ("equalize", 0.6, 0)),
        (("color", 0.9, 9), ("equalize", 0.6, 0)),
        (("autocontrast", 0.8, 0), ("solarize", 0.2, 8)),
        (("brightness", 0.1, 3), ("color", 0.7, 0)),
        (("solarize", 0.4, 5), ("autocontrast", 0.9, 0)),
        (("translate_y", 0.9, 9), ("translate_y", 0.7, 9)),
        (("autocontrast", 0.9, 0), ("solarize", 0.8, 3)),
        (("equalize", 0.8, 0), ("invert", 0.1, 0)),
        (("translate_y", 0.7, 9), ("autocontrast", 0.9, 0)),
    ],
    "imagenet": [
        (("posterize", 0.4, 8), ("rotate", 0.6, 9)),
        (("solarize", 0.6, 5), ("autocontrast", 0.6, 0)),
        (("equalize", 0.8, 0), ("equalize", 0.6, 0)),
        (("posterize", 0.6, 7), ("posterize", 0.6, 6)),
        (("equalize", 0.4, 0), ("solarize", 0.2, 4)),
        (("equalize", 0.4, 0), ("rotate", 0.8, 8)),
        (("solarize", 0.6, 3), ("equalize", 0.6, 0)),
        (("posterize", 0.8, 5), ("equalize", 1.0, 0)),
        (("rotate", 0.2, 3), ("solarize", 0.6, 8)),
        (("equalize", 0.6, 0), ("posterize", 0.4, 6)),
        (("rotate", 0.8, 8), ("color", 0.4, 0)),
        (("rotate", 0.4, 9), ("equalize", 0.6, 0)),
        (("equalize", 0.0, 0), ("equalize", 0.8, 0)),
        (("invert", 0.6, 0), ("equalize", 1.0, 0)),
        (("color", 0.6, 4), ("contrast", 1.0, 8)),
        (("rotate", 0.8, 8), ("color", 1.0, 2)),
        (("color", 0.8, 8), ("solarize", 0.8, 7)),
        (("sharpness", 0.4, 7), ("invert", 0.6, 0)),
        (("shear_x", 0.6, 5), ("equalize", 1.0, 0)),
        (("color", 0.4, 0), ("equalize", 0.6, 0)),
        (("equalize", 0.4, 0), ("solarize", 0.2, 4)),
        (("solarize", 0.6, 5), ("autocontrast", 0.6, 0)),
        (("invert", 0.6, 0), ("equalize", 1.0, 0)),
        (("color", 0.6, 4), ("contrast", 1.0, 8)),
        (("equalize", 0.8, 0), ("equalize", 0.6, 0)),
    ],
    "svhn": [
        (("shear_x", 0.9, 4), ("invert", 0.2, 0)),
        (("shear_y", 0.9, 8), ("invert", 0.7, 0)),
        (("equalize", 0.6, 0), ("solarize", 0.6, 6)),
        (("invert", 0.9, 0), ("equalize", 0.6, 0)),
        (("equalize", 0.6, 0), ("rotate", 0.9, 3)),
        (("shear_x", 0.9, 4), ("autocontrast", 0.8, 0)),
        (("shear_y", 0.9, 8), ("invert", 0.4, 0)),
        (("shear_y", 0.9, 5), ("solarize", 0.2, 6)),
        (("invert", 0.9, 0), ("autocontrast", 0.8, 0)),
        (("equalize", 0.6, 0), ("rotate", 0.9, 3)),
        (("shear_x", 0.9, 4), ("solarize", 0.3, 3)),
        (("shear_y", 0.8, 8), ("invert", 0.7, 0)),
        (("equalize", 0.9, 0), ("translate_y", 0.6, 6)),
        (("invert", 0.9, 0), ("equalize", 0.6, 0)),
        (("contrast", 0.3, 3), ("rotate", 0.8, 4)),
        (("invert", 0.8, 0), ("translate_y", 0.0, 2)),
        (("shear_y", 0.7, 6), ("solarize", 0.4, 8)),
        (("invert", 0.6, 0), ("rotate", 0.8, 4)),
        (("shear_y", 0.3, 7), ("translate_x", 0.9, 3)),
        (("shear_x", 0.1, 6), ("invert", 0.6, 0)),
        (("solarize", 0.7, 2), ("translate_y", 0.6, 7)),
        (("shear_y", 0.8, 4), ("invert", 0.8, 0)),
        (("shear_x", 0.7, 9), ("translate_y", 0.8, 3)),
        (("shear_y", 0.8, 5), ("autocontrast", 0.7, 0)),
        (("shear_x", 0.7, 2), ("invert", 0.1, 0)),
    ],
}
