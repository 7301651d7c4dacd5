"""Geometric augmentations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import torch
from torch import Tensor
from torch.nn import functional as F

from campare.augment.core import Batch, Draw, as_float, as_uint8, boxes, choose, mix


def affine(
    batch: Batch,
    draw: Draw,
    *,
    degrees: float,
    translate: float,
    scale: Sequence[float],
    shear: float,
    interpolation: str,
    fill: int,
) -> Batch:
    """Rotation, whole-pixel translation, zoom and shear along x, as RandomAffine draws them."""
    height, width = batch.images.shape[-2:]
    angle = draw.uniform(-degrees, degrees)
    across = draw.uniform(-translate * width, translate * width).round()
    down = draw.uniform(-translate * height, translate * height).round()
    zoom = draw.uniform(*scale)
    slant = draw.uniform(-shear, shear)
    x, y = affine_grid((height, width), angle, across, down, zoom, slant)
    return replace(batch, images=sample(batch.images, x, y, interpolation, fill))


def scaling(
    batch: Batch, draw: Draw, *, scale: Sequence[float], interpolation: str, fill: int
) -> Batch:
    """Zoom about the centre."""
    zoom = draw.uniform(*scale)
    still = torch.zeros_like(zoom)
    x, y = affine_grid(batch.images.shape[-2:], still, still, still, zoom, still)
    return replace(batch, images=sample(batch.images, x, y, interpolation, fill))


def elastic(
    batch: Batch, draw: Draw, *, alpha: float, sigma: float, interpolation: str, fill: int
) -> Batch:
    """Smooth random displacement of every pixel (Simard et al. 2003), as ElasticTransform's."""
    height, width = batch.images.shape[-2:]
    noise = draw.noise(2 * height * width).view(len(batch.images), 2, height, width)
    x, y = displacement(noise, alpha, sigma).unbind(1)
    x = x + torch.arange(width, device=x.device)
    y = y + torch.arange(height, device=y.device)[:, None]
    return replace(batch, images=sample(batch.images, x, y, interpolation, fill))


def random_crop(
    batch: Batch, draw: Draw, *, scale: Sequence[float], ratio: Sequence[float]
) -> Batch:
    """A part of random area and shape, resized to the image's size, as RandomResizedCrop."""
    height, width = batch.images.shape[-2:]
    wide, tall, fits = boxes(draw, height * width, (width, height), scale, ratio)
    # If no box fitted: the largest central part of an allowed shape
    wide = torch.where(fits, wide, max(1, min(width, round(height * ratio[1]))))
    tall = torch.where(fits, tall, max(1, min(height, round(width / ratio[0]))))
    top = torch.where(fits, draw.integers(height - tall + 1), (height - tall) // 2)
    left = torch.where(fits, draw.integers(width - wide + 1), (width - wide) // 2)
    return replace(batch, images=resized_crop(batch.images, top, left, tall, wide))


def horizontal_flip(batch: Batch, draw: Draw, *, probability: float) -> Batch:
    """Mirror left to right with a probability."""
    flipped = draw.chance(probability)[:, :, None, None]
    return replace(batch, images=choose(flipped, batch.images.flip(-1), batch.images))


def affine_grid(
    size: Sequence[int], angle: Tensor, across: Tensor, down: Tensor, zoom: Tensor, shear: Tensor
) -> tuple[Tensor, Tensor]:
    """Source position of each pixel of the result: x and y, float32 (B, H, W), pixels.

    Parameters are (B, 1): degrees clockwise, pixels right and down, factor, degrees. This is the
    inverse of translation · rotation · zoom · shear about the centre, as in torchvision.
    """
    height, width = size
    angle, slope = angle.deg2rad(), shear.deg2rad().tan()
    sine, cosine = angle.sin(), angle.cos()
    xx, xy = (cosine - sine * slope) / zoom, (cosine * slope + sine) / zoom
    yx, yy = -sine / zoom, cosine / zoom
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    columns = torch.arange(width, device=zoom.device) - middle_x
    rows = torch.arange(height, device=zoom.device) - middle_y
    x0, y0 = middle_x - xx * across - xy * down, middle_y - yx * across - yy * down
    x = as_float(xx * columns + x0)[:, None, :] + as_float(xy * rows)[:, :, None]
    y = as_float(yx * columns + y0)[:, None, :] + as_float(yy * rows)[:, :, None]
    return x, y


def sample(images: Tensor, x: Tensor, y: Tensor, interpolation: str, fill: int) -> Tensor:
    """Values of images (B, C, H, W) at x and y, pixels, broadcast to (B, h, w); `fill` outside.

    `interpolation` is "nearest" (halves to even) or "bilinear". With a fill, torchvision's bilinear
    interpolation weights pixels at the border twice by their share inside the image; here pixels
    outside simply have the level `fill`.
    """
    channels, height, width = images.shape[1:]
    pitch = width + 2
    framed = F.pad(images, (1, 1, 1, 1), value=fill).flatten(2)  # positions outside read the frame
    x, y = x.clamp(-1, width), y.clamp(-1, height)
    nearest = interpolation == "nearest"
    left = x.round() if nearest else x.floor().clamp_(max=width - 1)
    upper = y.round() if nearest else y.floor().clamp_(max=height - 1)
    place = (upper.to(torch.int32) * pitch + left.to(torch.int32) + (pitch + 1)).long()
    shape = (len(images), channels, *place.shape[1:])
    index = place.flatten(1)[:, None].expand(-1, channels, -1)

    def read(right: int, down: int) -> Tensor:
        return framed[:, :, right + down * pitch :].gather(2, index).view(shape)

    if nearest:
        return read(0, 0)
    share_x, share_y = (x - left)[:, None], (y - upper)[:, None]
    above = mix(read(0, 0).float(), read(1, 0), share_x)
    below = mix(read(0, 1).float(), read(1, 1), share_x)
    return as_uint8(mix(above, below, share_y).round_())


def resized_crop(
    images: Tensor, top: Tensor, left: Tensor, height: Tensor, width: Tensor
) -> Tensor:
    """A box (B, 1), pixels, of each image, resized to the image's size, bilinear.

    torchvision's antialiasing acts on shrinking only, and a box is never larger than the image; so
    both interpolations are the same.
    """
    full_height, full_width = images.shape[-2:]
    x = _stretched(left, width, full_width)[:, None, :]
    y = _stretched(top, height, full_height)[:, :, None]
    return sample(images, x, y, "bilinear", 0)


def _stretched(first: Tensor, length: Tensor, size: int) -> Tensor:
    """Centres of `size` pixels that span `length` pixels from `first`: float32 (B, size)."""
    centres = torch.arange(size, device=first.device) + 0.5
    inside = (centres * length / size - 0.5).clamp(min=0)
    return torch.minimum(inside, length - 1.0) + first


def displacement(noise: Tensor, alpha: float, sigma: float) -> Tensor:
    """Displacements in pixels, float32 (B, 2, H, W), from noise of odd numbers up to ±255.

    The noise, scaled to ±1, is multiplied by alpha / 2, because ElasticTransform's alpha is in half
    pixels, and smoothed by a Gaussian of `sigma` pixels that ends at 4 sigma, with reflection at
    the border.
    """
    height, width = noise.shape[-2:]
    down, total_down = _smoothing(height, sigma, noise.device)
    across, total_across = _smoothing(width, sigma, noise.device)
    # Both sums stay below 2²⁴, where float32 is exact and the order of a sum does not matter.
    once = (noise @ across.T * (2 / total_across)).round_()
    return down @ once * (alpha / (4 * 256 * total_down))


@cache
def _smoothing(size: int, sigma: float, device: torch.device) -> tuple[Tensor, int]:
    """A Gaussian filter with reflection along `size` pixels: integer weights (size, size), row sum.

    The radius of the kernel is at most `size` − 1 pixels, the limit of reflection. Row sums are at
    most 2¹⁵. Weights, the sums of up to three weights of the kernel, are at most 2¹¹, which even
    TF32 represents exactly.
    """
    radius = min((int(8 * sigma + 1) | 1) // 2, size - 1)
    offsets = range(-radius, radius + 1)
    weights = [math.exp(-0.5 * (offset / sigma) ** 2) for offset in offsets]
    scale = min(2**11 / 3 - 1, (2**15 - len(weights)) / sum(weights))
    integers = [round(weight * scale) for weight in weights]
    matrix = [[0.0] * size for _ in range(size)]
    for row in range(size):
        for offset, weight in zip(offsets, integers, strict=True):
            matrix[row][_reflected(row + offset, size)] += weight
    return torch.tensor(matrix, device=device), sum(integers)


def _reflected(position: int, size: int) -> int:
    return size - 1 - abs(size - 1 - abs(position))
