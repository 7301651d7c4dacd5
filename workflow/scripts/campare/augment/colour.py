"""Augmentations of colour, contrast and sharpness."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F

from campare.augment.core import Batch, Draw, as_float, as_uint8, choose


def color_jitter(
    batch: Batch, draw: Draw, *, brightness: float, contrast: float, saturation: float, hue: float
) -> Batch:
    """Brightness, contrast, saturation and hue as in ColorJitter, in a random order per image.

    Factors are uniform in 1 ± the parameter, at least 0; the shift of hue is uniform in ± the
    parameter, in turns. Saturation and hue apply to RGB only.
    """
    images = batch.images.float()
    colour = images.shape[1] == 3
    strengths = (brightness, contrast, saturation)[: 3 if colour else 2]
    drawn = [draw.uniform(max(0.0, 1 - strength), 1 + strength) for strength in strengths]
    factors = as_float(torch.cat(drawn, 1))
    order = draw.uniform(0, 1, count=len(strengths)).argsort(dim=1, stable=True)
    factors = factors.gather(1, order)
    if not colour:
        return replace(batch, images=as_uint8(blends(images, order, factors)))
    # Hue takes longest, so it is computed once: between the blends before it and those after it.
    turns, slot = as_float(draw.uniform(-hue, hue)), draw.integers(4)
    early = torch.arange(3, device=slot.device) < slot
    images = blends(images, order, torch.where(early, factors, 1.0))
    images = hue_shifted(images, turns)
    return replace(batch, images=as_uint8(blends(images, order, torch.where(early, 1.0, factors))))


def blends(images: Tensor, order: Tensor, factors: Tensor) -> Tensor:
    """Scale the distance from black (0), the mean grey (1) or the pixel's own grey (2), in turn.

    Images are float32 (B, C, H, W) with integer levels, and so is the result, rounded down after
    each blend as in torchvision. `order` int64 (B, n) has the kinds of the blends, `factors`
    float32 (B, n) their factors; a factor of 1 has no effect.
    """
    for kind, factor in zip(order.unbind(1), factors.unbind(1), strict=True):
        kind, factor = kind[:, None, None, None], factor[:, None, None, None]
        grey = grey_levels(images)
        # Sums of integers in two steps: float32 is exact for a row, int64 for the sum of rows.
        total = grey.sum(3, keepdim=True).long().sum((1, 2), keepdim=True)
        mean = total.float() / math.prod(grey.shape[1:])
        other = grey * (kind == 2) + mean * (kind == 1)
        images = (images * factor).add_(other * (1 - factor)).clamp_(0, 255).floor_()
    return images


def grey_levels(images: Tensor) -> Tensor:
    """Grey levels, rounded down (ITU-R 601 with torchvision's weights); grey images unchanged.

    Computed in ten-thousandths, plus half of one, so that rounding errors do not change integers.
    """
    if images.shape[1] != 3:
        return images
    red, green, blue = images[:, :1], images[:, 1:2], images[:, 2:]
    return (red * 2989).add_(green * 5870).add_(blue * 1140).add_(0.5).mul_(1e-4).floor_()


def hue_shifted(images: Tensor, turns: Tensor) -> Tensor:
    """RGB images with hue shifted by `turns` (B, 1) of the colour circle: float32, integer levels.

    Value V, chroma C and hue in sixths h of the HSV hexcone: channel n = V − C·t((h + n) mod 6),
    n = 5, 3, 1, with the trapezium t(k) = clamp(min(k, 4 − k), 0, 1).
    """
    red, green, blue = images[:, :1], images[:, 1:2], images[:, 2:]
    value = images.amax(1, keepdim=True)
    chroma = value - images.amin(1, keepdim=True)
    safe = chroma.clamp(min=1)
    hue = torch.where(
        value == red,
        (green - blue) / safe,
        torch.where(value == green, (blue - red) / safe + 2, (red - green) / safe + 4),
    )
    hue = hue + turns[:, :, None, None] * 6
    # |k − 2| around the circle, k − 2 being hue + 3, hue + 1, hue − 1
    around = hue + torch.arange(6, 1, -2, device=hue.device)[:, None, None]
    around = around.sub_((around * (1 / 6)).floor_().mul_(6)).sub_(3).abs_()
    return value - around.neg_().add_(2).clamp_(0, 1).mul_(chroma).round_()


def equalize(batch: Batch, draw: Draw, *, probability: float) -> Batch:
    """Equalise the histogram of every channel."""
    chosen = draw.chance(probability)[:, :, None, None]
    return replace(batch, images=choose(chosen, equalized(batch.images), batch.images))


def equalized(images: Tensor) -> Tensor:
    """Pillow's equalisation of each channel of each image, uint8 (B, C, H, W).

    Level v becomes (pixels below v + step // 2) // step, where step is a 255th of the number of
    pixels that do not have the highest level, rounded down. Channels with step 0 do not change:
    constant ones, and all with fewer than 256 pixels.
    """
    level = images.flatten(2).long()
    one = torch.ones_like(level, dtype=torch.int32)
    histogram = one.new_zeros(*images.shape[:2], 256).scatter_add_(2, level, one)
    highest = histogram.gather(2, level.amax(2, keepdim=True))
    step = (level.shape[2] - highest) // 255
    below = histogram.cumsum(2, dtype=torch.int32) - histogram
    table = ((below + step // 2) // step.clamp(min=1)).clamp_(max=255)
    table = torch.where(step > 0, table, torch.arange(256, device=table.device))
    return table.to(torch.uint8).gather(2, level).view_as(images)


def gaussian_blur(batch: Batch, draw: Draw, *, kernel_size: int, sigma: Sequence[float]) -> Batch:
    """Gaussian blur with a random standard deviation and reflection at the border."""
    return replace(batch, images=blurred(batch.images, kernel_size, draw.uniform(*sigma)))


def blurred(images: Tensor, kernel_size: int, sigma: Tensor) -> Tensor:
    """Blur with standard deviations `sigma` (B, 1), pixels: uint8 (B, C, H, W).

    The radius of the kernel is at most the size of the image minus 1, the limit of reflection.
    """
    result = images.float()
    for axis in (2, 3):
        size = images.shape[axis]
        radius = min(kernel_size // 2, size - 1)
        offsets = torch.arange(-radius, radius + 1, device=images.device)
        weights = as_float(torch.softmax(-0.5 * (offsets / sigma) ** 2, dim=1))[..., None, None, None]
        border = (0, 0, radius, radius) if axis == 2 else (radius, radius, 0, 0)
        padded = F.pad(result, border, mode="reflect")
        shifted = [padded.narrow(axis, offset, size) for offset in range(2 * radius + 1)]
        result = shifted[radius] * weights[:, radius]
        for offset in range(radius):  # the kernel is symmetric: two pixels share a weight
            pair = shifted[offset] + shifted[2 * radius - offset]
            result = result.add_(pair.mul_(weights[:, offset]))
    return as_uint8(result.round_())
