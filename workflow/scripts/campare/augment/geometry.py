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


def horizontal_flip(
    batch: Batch, draw: Draw, *, probability: float, alternate: bool = False
) -> Batch:
    """Mirror left to right with a probability, or in every second epoch (`alternate`).

    With `alternate`, each image is drawn once: half of the images are mirrored in the first epoch,
    the other half in the second, and so on (Jordan 2024, "94% on CIFAR-10 in 3.29 seconds").
    """
    if alternate:
        flipped = draw.in_all_epochs().integers(2) != (draw.epoch + 1) % 2
    else:
        flipped = draw.chance(probability)
    flipped = flipped[:, :, None, None]
    return replace(batch, images=choose(flipped, batch.images.flip(-1), batch.images))


def vertical_flip(batch: Batch, draw: Draw, *, probability: float) -> Batch:
    """Mirror top to bottom with a probability."""
    flipped = draw.chance(probability)[:, :, None, None]
    return replace(batch, images=choose(flipped, batch.images.flip(-2), batch.images))


def rotation(batch: Batch, draw: Draw, *, degrees: float, interpolation: str, fill: int) -> Batch:
    """Rotation about the centre."""
    angle = draw.uniform(-degrees, degrees)
    images = moved(batch.images, angle=angle, interpolation=interpolation, fill=fill)
    return replace(batch, images=images)


def translation(batch: Batch, draw: Draw, *, translate: float, fill: int) -> Batch:
    """Shift by whole pixels in both directions, as RandomAffine draws it."""
    height, width = batch.images.shape[-2:]
    across = draw.uniform(-translate * width, translate * width).round()
    down = draw.uniform(-translate * height, translate * height).round()
    return replace(batch, images=moved(batch.images, across=across, down=down, fill=fill))


def shear(batch: Batch, draw: Draw, *, degrees: float, interpolation: str, fill: int) -> Batch:
    """Shear along x about the centre, as RandomAffine draws it."""
    slant = draw.uniform(-degrees, degrees)
    images = moved(batch.images, slant=slant, interpolation=interpolation, fill=fill)
    return replace(batch, images=images)


def shift(batch: Batch, draw: Draw, *, padding: int, border: str, fill: int) -> Batch:
    """Shift by up to `padding` pixels in both directions: RandomCrop of the padded image."""
    down, across = draw.integers(2 * padding + 1), draw.integers(2 * padding + 1)
    images = shifted(batch.images, down - padding, across - padding, padding, border, fill)
    return replace(batch, images=images)


def perspective(
    batch: Batch,
    draw: Draw,
    *,
    distortion: float,
    interpolation: str,
    fill: int,
    probability: float,
) -> Batch:
    """Move the corners inwards by up to a share of half the side, as RandomPerspective does."""
    images = batch.images
    height, width = images.shape[-2:]
    reach_x, reach_y = int(distortion * (width // 2)) + 1, int(distortion * (height // 2)) + 1
    corners = [
        (
            draw.integers(reach_x) + (width - reach_x if right else 0),
            draw.integers(reach_y) + (height - reach_y if bottom else 0),
        )
        for right, bottom in ((False, False), (True, False), (True, True), (False, True))
    ]
    chosen = draw.chance(probability)[:, :, None, None]
    if min(height, width) < 2:  # corners coincide
        return batch
    x, y = perspective_grid((height, width), corners)
    return replace(batch, images=choose(chosen, sample(images, x, y, interpolation, fill), images))


def moved(
    images: Tensor,
    *,
    angle: Tensor | None = None,
    across: Tensor | None = None,
    down: Tensor | None = None,
    slant: Tensor | None = None,
    interpolation: str = "nearest",
    fill: int,
) -> Tensor:
    """Images after an affine map of which some parameters, (B, 1), are given: see `affine_grid`."""
    given = [angle, across, down, slant]
    still = torch.zeros_like(next(one for one in given if one is not None))
    angle, across, down, slant = (still if one is None else one for one in given)
    x, y = affine_grid(images.shape[-2:], angle, across, down, still + 1, slant)
    return sample(images, x, y, interpolation, fill)


def shifted(
    images: Tensor, down: Tensor, across: Tensor, reach: int, border: str, fill: int
) -> Tensor:
    """Pixels from (y + down, x + across), int64 (B, 1), each at most `reach` in absolute value.

    Beyond the border lie the level `fill` (border "fill"), or the image reflected about its
    outermost pixels (border "reflect"), several times if the shift is larger than the image.
    """
    height, width = images.shape[2:]
    if border == "reflect":
        for axis in (2, 3):
            size = images.shape[axis]
            positions = torch.arange(-reach, size + reach, device=images.device)
            images = images.index_select(axis, _folded(positions, size))
    else:
        images = F.pad(images, (reach, reach, reach, reach), value=fill)
    windows = images.unfold(2, height, 1).unfold(3, width, 1)
    row = torch.arange(len(images), device=images.device)
    shown = windows[row, :, (down + reach)[:, 0], (across + reach)[:, 0]]
    return shown.contiguous()


def _folded(positions: Tensor, size: int) -> Tensor:
    """Positions brought into 0 to size − 1 by reflection about the outermost pixels."""
    if size == 1:
        return torch.zeros_like(positions)
    period = 2 * (size - 1)
    return size - 1 - (positions.remainder(period) - (size - 1)).abs()


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


def perspective_grid(
    size: Sequence[int], corners: Sequence[tuple[Tensor, Tensor]]
) -> tuple[Tensor, Tensor]:
    """Source position of each pixel of the result: x and y, float32 (B, H, W), pixels.

    `corners` are the positions (x, y), int64 (B, 1), to which the pixels at the corners of the
    image move: top left, top right, bottom right, bottom left. As torchvision does, the map of
    pixel numbers is applied to the centres of pixels, at half a pixel.

    The map from the unit square to the corners (Heckbert 1989, "Fundamentals of texture mapping and
    image warping", section 2.2.3) is inverted by its adjugate matrix. Up to the last division all
    numbers are integers and exact.
    """
    height, width = size
    wide = torch.float32 if corners[0][0].device.type == "mps" else torch.float64
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = ((x.to(wide), y.to(wide)) for x, y in corners)
    sum_x, sum_y = x0 - x1 + x2 - x3, y0 - y1 + y2 - y3
    dx1, dy1, dx2, dy2 = x1 - x2, y1 - y2, x3 - x2, y3 - y2
    i = dx1 * dy2 - dx2 * dy1
    g, h = sum_x * dy2 - dx2 * sum_y, dx1 * sum_y - sum_x * dy1
    a, b, c = i * (x1 - x0) + g * x1, i * (x3 - x0) + h * x3, i * x0
    d, e, f = i * (y1 - y0) + g * y1, i * (y3 - y0) + h * y3, i * y0
    columns = (torch.arange(width, device=i.device) + 0.5)[None, None, :]
    rows = (torch.arange(height, device=i.device) + 0.5)[None, :, None]

    def plane(first: Tensor, second: Tensor, third: Tensor) -> Tensor:
        return first[..., None] * columns + second[..., None] * rows + third[..., None]

    across = plane(e * i - f * h, c * h - b * i, b * f - c * e) * (width - 1)
    down = plane(f * g - d * i, a * i - c * g, c * d - a * f) * (height - 1)
    scale = plane(d * h - e * g, b * g - a * h, a * e - b * d)
    # A point without an image lies outside: `sample` reads the fill there.
    x, y = (as_float(one / scale - 0.5).nan_to_num(-2.0) for one in (across, down))
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
    # By a tensor: on CUDA torch multiplies by the rounded reciprocal of a Python number.
    inside = (centres * length / torch.full_like(length, size) - 0.5).clamp(min=0)
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
