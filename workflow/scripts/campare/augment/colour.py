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
    return _with_probability(batch, draw, probability, equalized(batch.images))


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


def autocontrast(batch: Batch, draw: Draw, *, probability: float) -> Batch:
    """Stretch the levels of every channel to 0 to 255."""
    return _with_probability(batch, draw, probability, autocontrasted(batch.images))


def autocontrasted(images: Tensor) -> Tensor:
    """Channels stretched so that their lowest level becomes 0 and their highest 255.

    Channels of one level do not change.
    """
    levels = images.float()
    lowest, highest = levels.amin((2, 3), keepdim=True), levels.amax((2, 3), keepdim=True)
    constant = lowest == highest
    scale = torch.where(constant, 1.0, (highest - lowest) * (1 / 255))
    stretched = levels.sub_(torch.where(constant, 0.0, lowest)).div_(scale)
    return as_uint8(stretched.clamp_(0, 255))


def posterize(batch: Batch, draw: Draw, *, bits: int, probability: float) -> Batch:
    """Keep the upper bits of every level."""
    return _with_probability(batch, draw, probability, batch.images & ((0xFF << (8 - bits)) & 0xFF))


def posterized(images: Tensor, bits: Tensor) -> Tensor:
    """Levels of which the upper `bits`, int64 (B, 1), are kept."""
    mask = (255 >> (8 - bits)) << (8 - bits)
    return images & mask.to(torch.uint8)[:, :, None, None]


def solarize(batch: Batch, draw: Draw, *, threshold: float, probability: float) -> Batch:
    """Invert the levels that are not below a threshold."""
    changed = solarized(batch.images, _equal(batch, threshold))
    return _with_probability(batch, draw, probability, changed)


def solarized(images: Tensor, threshold: Tensor) -> Tensor:
    """Levels of at least `threshold`, float32 (B, 1), inverted."""
    bright = images >= threshold[:, :, None, None]
    return choose(bright, images.bitwise_not(), images)


def invert(batch: Batch, draw: Draw, *, probability: float) -> Batch:
    """Invert the levels."""
    return _with_probability(batch, draw, probability, batch.images.bitwise_not())


def grayscale(batch: Batch, draw: Draw, *, probability: float) -> Batch:
    """Replace the colours of RGB images by grey levels; other images do not change."""
    grey = as_uint8(grey_levels(batch.images.float())).expand_as(batch.images)
    return _with_probability(batch, draw, probability, grey)


def sharpness(batch: Batch, draw: Draw, *, factor: float, probability: float) -> Batch:
    """Scale the distance from the smoothed image by a factor: below 1 blurs, above 1 sharpens."""
    changed = sharpened(batch.images, _equal(batch, factor))
    return _with_probability(batch, draw, probability, changed)


def sharpened(images: Tensor, factor: Tensor) -> Tensor:
    """Images whose distance from the smoothed image is scaled by `factor`, float32 (B, 1).

    The smoothing has the weights 1 and, in the middle, 5 of 13; the outermost pixels do not change.
    Rounded down, as in torchvision.
    """
    if min(images.shape[2:]) <= 2:
        return images
    levels = images.float()
    rows = levels[:, :, :-2] + levels[:, :, 1:-1] + levels[:, :, 2:]
    total = rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]
    inner = levels[:, :, 1:-1, 1:-1]
    # An integer divided by 13 is never halfway between two integers, so rounding is safe.
    smooth = total.add_(inner * 4).mul_(1 / 13).round_()
    change = smooth.sub_(inner).mul_(1 - factor[:, :, None, None])
    levels[:, :, 1:-1, 1:-1] += change
    return as_uint8(levels.clamp_(0, 255))


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
        weights = as_float(torch.softmax(-0.5 * (offsets / sigma) ** 2, dim=1))
        weights = weights[..., None, None, None]
        border = (0, 0, radius, radius) if axis == 2 else (radius, radius, 0, 0)
        padded = F.pad(result, border, mode="reflect")
        shifted = [padded.narrow(axis, offset, size) for offset in range(2 * radius + 1)]
        result = shifted[radius] * weights[:, radius]
        for offset in range(radius):  # the kernel is symmetric: two pixels share a weight
            pair = shifted[offset] + shifted[2 * radius - offset]
            result = result.add_(pair.mul_(weights[:, offset]))
    return as_uint8(result.round_())


def gaussian_noise(batch: Batch, draw: Draw, *, mean: float, sigma: float) -> Batch:
    """Normally distributed noise on every value, rounded towards zero and clipped."""
    noise = draw.normal(batch.images[:1].numel()).view(batch.images.shape)
    levels = (noise * (sigma * 255) + mean * 255).to(torch.int16).add_(batch.images)
    return replace(batch, images=levels.clamp_(0, 255).to(torch.uint8))


def jpeg(batch: Batch, draw: Draw, *, quality: Sequence[int]) -> Batch:
    """JPEG compression with a random quality, image by image on the CPU (libjpeg-turbo)."""
    drawn = quality[0] + draw.integers(quality[1] - quality[0] + 1)
    return replace(batch, images=compressed(batch.images, drawn))


def compressed(images: Tensor, quality: Tensor) -> Tensor:
    """Images after JPEG compression with `quality`, int64 (B, 1).

    Grey and RGB images are compressed as such, those of other numbers of channels per channel.
    """
    from torchvision.io import decode_jpeg, encode_jpeg

    size = images.shape[1] if images.shape[1] in (1, 3) else 1
    results = [
        torch.cat([decode_jpeg(encode_jpeg(part, quality=level)) for part in image.split(size)])
        for image, level in zip(images.cpu(), quality.flatten().tolist(), strict=True)
    ]
    return torch.stack(results).to(images.device) if results else images


def _with_probability(batch: Batch, draw: Draw, probability: float, changed: Tensor) -> Batch:
    """The batch with each image replaced, with a probability, by that of `changed`."""
    chosen = draw.chance(probability)[:, :, None, None]
    return replace(batch, images=choose(chosen, changed, batch.images))


def _equal(batch: Batch, value: float) -> Tensor:
    """The same parameter for every image: float32 (B, 1)."""
    images = batch.images
    return torch.full((len(images), 1), value, dtype=torch.float32, device=images.device)
