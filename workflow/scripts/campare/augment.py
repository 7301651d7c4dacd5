"""Augmentations of batches, with random parameters for every image.

Images are uint8 (B, C, H, W) before and after. The result for an image depends only on (seed,
epoch, source index, copy, step of the composition), not on batch, order, number of threads or
device. Three rules ensure this:

- random numbers are a function of this key (`seeding`);
- parameters are computed in float64 and rounded to float32, which removes differences between
  devices in the last bit of sines or exponentials (MPS has no float64 and uses float32);
- pixels come from element-wise operations, whose rounding IEEE 754 defines, or from sums of
  integers that float32 represents exactly. No fused, reduced or vendor kernel rounds a pixel.

No step reads a value from the device, so a GPU does not wait for the host. Use it outside autocast.

Geometry, defaults and rounding are those of torchvision (v2), with which the tests compare every
operation; deviations are stated in the functions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from campare import registry, seeding, user_code
from campare.errors import CampareError


@dataclass(frozen=True)
class Batch:
    """Images uint8 (B, C, H, W) and targets float32 (B, K): shares of the classes, summing to 1."""

    images: Tensor
    targets: Tensor


def _unchanged(images: Tensor) -> Tensor:
    return images


class Draw:
    """The random numbers of one step for one batch, from a separate stream for each image."""

    _RESERVE = 32  # numbers generated at once: a few take as long as one

    def __init__(
        self,
        seed: int,
        epoch: int,
        source: Tensor,
        copy: Tensor,
        *,
        step: int,
        pool: Batch,
        prepare: Callable[[Tensor], Tensor] = _unchanged,
    ) -> None:
        self._key = seed, epoch, source, copy
        self._stream = step << 16
        self._pool, self._prepare = pool, prepare
        self._reserve = source.new_empty(len(source), 0)

    def words(self, count: int) -> Tensor:
        """Words of a new stream: int64 (B, count)."""
        drawn = seeding.words(*self._key, count, stream=self._stream)
        self._stream += 1
        return drawn

    def _take(self, count: int) -> Tensor:
        if self._reserve.shape[1] < count:
            self._reserve = self.words(max(count, self._RESERVE))
        taken, self._reserve = self._reserve[:, :count], self._reserve[:, count:]
        return taken

    def uniform(self, low: float, high: float, *, count: int = 1) -> Tensor:
        """Numbers in [low, high): float64 (B, count), float32 on MPS."""
        wide = torch.float32 if self._reserve.device.type == "mps" else torch.float64
        return low + (high - low) * seeding.unit(self._take(count)).to(wide)

    def integers(self, high: int | Tensor) -> Tensor:
        """Integers from 0 to high − 1: int64 (B, 1); `high` may be a tensor (B, 1)."""
        return self._take(1) * high >> 32

    def chance(self, probability: float) -> Tensor:
        """True with this probability: bool (B, 1)."""
        return self.uniform(0.0, 1.0) < probability

    def noise(self, count: int) -> Tensor:
        """White noise, uniform on the odd numbers −255 to 255: float32 (B, count)."""
        drawn = self.words(-(-count // 4))
        octets = drawn[..., None].view(torch.uint8)[..., :4]  # a word is the lower half of an int64
        return octets.flatten(1)[:, :count].float() * 2 - 255

    def partners(self) -> Batch:
        """A training image for each, drawn uniformly from the pool (possibly the image itself)."""
        index = self.integers(len(self._pool.images))[:, 0]
        images = self._pool.images.index_select(0, index)
        return Batch(self._prepare(images), self._pool.targets.index_select(0, index))


class Augmenter:
    """One augmentation or several in turn, keyed by a seed.

    Parameters
    ----------
    steps
        (name in `registry.AUGMENTATIONS` or `file.py:function`, all its parameters), applied in
        turn; empty: images are not changed (baseline).
    seed
        The augmentation seed, 0 to 2³²−1.
    pool
        The training images from which partners (CutMix) are drawn, as they are stored.
    prepare
        Function that resizes pool images to the size of the batches.

    Raises
    ------
    CampareError
        Parameters contradict each other.
    """

    def __init__(
        self,
        steps: Sequence[tuple[str, Mapping[str, Any]]],
        seed: int,
        pool: Batch,
        prepare: Callable[[Tensor], Tensor] = _unchanged,
    ) -> None:
        for name, parameters in steps:
            registry.check_parameters(name, parameters)
        self._names = [name for name, _ in steps]
        self._steps = [
            (registry.entry(registry.AUGMENTATIONS, name).load(), dict(kept))
            for name, kept in steps
        ]
        self._seed, self._pool, self._prepare = seed, pool, prepare

    def __call__(self, batch: Batch, source: Tensor, copy: Tensor, epoch: int) -> Batch:
        """The augmented batch; `source` (B,) and `copy` (B,) are the keys of its images.

        Both are int64 on the device of the images.

        Raises
        ------
        CampareError
            A function of the user does not return images and targets as it got them.
        """
        for step, (function, parameters) in enumerate(self._steps):
            draw = Draw(
                self._seed,
                epoch,
                source,
                copy,
                step=step,
                pool=self._pool,
                prepare=self._prepare,
            )
            before, batch = batch, function(batch, draw, **parameters)
            if user_code.is_reference(self._names[step]):
                _check_result(self._names[step], before, batch)
        return batch


def _check_result(name: str, before: Batch, batch: Any) -> None:
    """Check what a function of the user returns."""
    if not isinstance(batch, Batch):
        raise CampareError(
            f"{name}: returns {type(batch).__name__}; return a Batch, such as "
            "dataclasses.replace(batch, images=…)"
        )
    for part in ("images", "targets"):
        old, new = getattr(before, part), getattr(batch, part)
        if not isinstance(new, Tensor) or (new.shape, new.dtype) != (old.shape, old.dtype):
            what = f"{new.dtype} {tuple(new.shape)}" if isinstance(new, Tensor) else type(new)
            raise CampareError(
                f"{name}: returns {part} {what}; must be {old.dtype} {tuple(old.shape)}, as given"
            )


# Geometry


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
    wide, tall, fits = _boxes(draw, height * width, (width, height), scale, ratio)
    # If no box fitted: the largest central part of an allowed shape
    wide = torch.where(fits, wide, max(1, min(width, round(height * ratio[1]))))
    tall = torch.where(fits, tall, max(1, min(height, round(width / ratio[0]))))
    top = torch.where(fits, draw.integers(height - tall + 1), (height - tall) // 2)
    left = torch.where(fits, draw.integers(width - wide + 1), (width - wide) // 2)
    return replace(batch, images=resized_crop(batch.images, top, left, tall, wide))


def horizontal_flip(batch: Batch, draw: Draw, *, probability: float) -> Batch:
    """Mirror left to right with a probability."""
    flipped = draw.chance(probability)[:, :, None, None]
    return replace(batch, images=_choose(flipped, batch.images.flip(-1), batch.images))


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
    x = _float(xx * columns + x0)[:, None, :] + _float(xy * rows)[:, :, None]
    y = _float(yx * columns + y0)[:, None, :] + _float(yy * rows)[:, :, None]
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
    above = _mix(read(0, 0).float(), read(1, 0), share_x)
    below = _mix(read(0, 1).float(), read(1, 1), share_x)
    return _uint8(_mix(above, below, share_y).round_())


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


def _boxes(
    draw: Draw, area: int, longest: tuple[int, int], scale: Sequence[float], ratio: Sequence[float]
) -> tuple[Tensor, Tensor, Tensor]:
    """The first of ten random boxes that fits: first side, second side, whether one fits.

    int64, int64 and bool (B, 1). Shares of the `area` are uniform in `scale`, and ratios of first
    to second side log-uniform in `ratio`, as in torchvision. A box fits if its sides have 1 to
    `longest` pixels.
    """
    tries = 10
    areas = draw.uniform(*scale, count=tries) * area
    ratios = draw.uniform(math.log(ratio[0]), math.log(ratio[1]), count=tries).exp()
    first, second = (areas * ratios).sqrt().round().long(), (areas / ratios).sqrt().round().long()
    fits = (first > 0) & (first <= longest[0]) & (second > 0) & (second <= longest[1])
    number = torch.arange(tries, device=fits.device)
    chosen = torch.where(fits, number, tries - 1).amin(1, keepdim=True)
    return first.gather(1, chosen), second.gather(1, chosen), fits.any(1, keepdim=True)


# Parts replaced


def cutmix(batch: Batch, draw: Draw, *, alpha: float) -> Batch:
    """A box of another training image pasted in; targets do not change."""
    images, _, _ = _pasted(batch, draw, alpha)
    return replace(batch, images=images)


def cutmix_mixed(batch: Batch, draw: Draw, *, alpha: float) -> Batch:
    """A box of another training image pasted in; targets mixed by area (Yun et al. 2019)."""
    images, partner_targets, share = _pasted(batch, draw, alpha)
    return Batch(images, batch.targets * (1 - share) + partner_targets * share)


def _pasted(batch: Batch, draw: Draw, alpha: float) -> tuple[Tensor, Tensor, Tensor]:
    """Images with a box of a partner, the partners' targets, the share pasted float32 (B, 1)."""
    height, width = batch.images.shape[-2:]
    partners = draw.partners()
    box = cutmix_box(
        (height, width), _beta(draw, alpha), draw.integers(width), draw.integers(height)
    )
    top, left, bottom, right = box
    images = _choose(_inside((height, width), box), partners.images, batch.images)
    area = (bottom - top) * (right - left)
    return images, partners.targets, area.float() / (height * width)


def cutmix_box(
    size: tuple[int, int], kept: Tensor, x: Tensor, y: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Top, left, bottom, right (exclusive) of a box about (x, y) that leaves the share `kept`.

    int64 (B, 1), clipped to the image, so that more than `kept` may be left (Yun et al. 2019).
    """
    height, width = size
    half = 0.5 * (1 - kept).sqrt()
    half_height, half_width = (half * height).long(), (half * width).long()
    top, left = (y - half_height).clamp(min=0), (x - half_width).clamp(min=0)
    bottom, right = (y + half_height).clamp(max=height), (x + half_width).clamp(max=width)
    return top, left, bottom, right


def random_erasing(
    batch: Batch,
    draw: Draw,
    *,
    scale: Sequence[float],
    ratio: Sequence[float],
    fill: int,
    probability: float,
) -> Batch:
    """A box filled with `fill`, as in RandomErasing; none if none of ten boxes fits."""
    height, width = batch.images.shape[-2:]
    tall, wide, fits = _boxes(draw, height * width, (height - 1, width - 1), scale, ratio)
    top, left = draw.integers(height - tall + 1), draw.integers(width - wide + 1)
    box = top, left, top + tall, left + wide
    chosen = (fits & draw.chance(probability))[:, :, None, None]
    images = batch.images
    paint = torch.full_like(images[:1, :1, :1, :1], fill)
    return replace(batch, images=_choose(_inside((height, width), box) & chosen, paint, images))


def _inside(size: tuple[int, int], box: tuple[Tensor, Tensor, Tensor, Tensor]) -> Tensor:
    """Whether pixels lie in a box (top, left, bottom, right), each (B, 1): bool (B, 1, H, W)."""
    top, left, bottom, right = box
    rows = torch.arange(size[0], device=top.device)
    columns = torch.arange(size[1], device=top.device)
    down, across = (rows >= top) & (rows < bottom), (columns >= left) & (columns < right)
    return (down[:, :, None] & across[:, None, :])[:, None]


# Colour and sharpness


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
    factors = _float(torch.cat(drawn, 1))
    order = draw.uniform(0, 1, count=len(strengths)).argsort(dim=1, stable=True)
    factors = factors.gather(1, order)
    if not colour:
        return replace(batch, images=_uint8(blends(images, order, factors)))
    # Hue takes longest, so it is computed once: between the blends before it and those after it.
    turns, slot = _float(draw.uniform(-hue, hue)), draw.integers(4)
    early = torch.arange(3, device=slot.device) < slot
    images = blends(images, order, torch.where(early, factors, 1.0))
    images = hue_shifted(images, turns)
    return replace(batch, images=_uint8(blends(images, order, torch.where(early, 1.0, factors))))


def blends(images: Tensor, order: Tensor, factors: Tensor) -> Tensor:
    """Scale the distance from black (0), the mean grey (1) or the pixel's own grey (2), in turn.

    Images are float32 (B, C, H, W) with integer levels, and so is the result, rounded down after
    each blend as in torchvision. `order` int64 (B, n) has the kinds of the blends, `factors`
    float32 (B, n) their factors; a factor of 1 has no effect.
    """
    for kind, factor in zip(order.unbind(1), factors.unbind(1), strict=True):
        kind, factor = kind[:, None, None, None], factor[:, None, None, None]
        grey = _grey(images)
        # Sums of integers in two steps: float32 is exact for a row, int64 for the sum of rows.
        total = grey.sum(3, keepdim=True).long().sum((1, 2), keepdim=True)
        mean = total.float() / math.prod(grey.shape[1:])
        other = grey * (kind == 2) + mean * (kind == 1)
        images = (images * factor).add_(other * (1 - factor)).clamp_(0, 255).floor_()
    return images


def _grey(images: Tensor) -> Tensor:
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
    return replace(batch, images=_choose(chosen, equalized(batch.images), batch.images))


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
        weights = _float(torch.softmax(-0.5 * (offsets / sigma) ** 2, dim=1))[..., None, None, None]
        border = (0, 0, radius, radius) if axis == 2 else (radius, radius, 0, 0)
        padded = F.pad(result, border, mode="reflect")
        shifted = [padded.narrow(axis, offset, size) for offset in range(2 * radius + 1)]
        result = shifted[radius] * weights[:, radius]
        for offset in range(radius):  # the kernel is symmetric: two pixels share a weight
            pair = shifted[offset] + shifted[2 * radius - offset]
            result = result.add_(pair.mul_(weights[:, offset]))
    return _uint8(result.round_())


# Shared


def _beta(draw: Draw, alpha: float) -> Tensor:
    """Random numbers from Beta(alpha, alpha), float64 (B, 1), by interpolated quantiles."""
    uniform = draw.uniform(0, 1)
    if alpha == 1:
        return uniform
    table = _beta_quantiles(alpha, uniform.dtype, uniform.device)
    position = uniform * (len(table) - 1)
    left = position.long()
    low, high = table[left], table[left + 1]
    return low + (high - low) * (position - left)


@cache
def _beta_quantiles(alpha: float, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Quantiles of Beta(alpha, alpha) at 4097 probabilities.

    Between them the error of the distribution function is less than 1/4096.
    """
    from scipy.special import betaincinv

    exact = betaincinv(alpha, alpha, torch.linspace(0, 1, 4097, dtype=torch.float64).numpy())
    return torch.from_numpy(exact).to(dtype).to(device)


def _float(parameters: Tensor) -> Tensor:
    return parameters.to(torch.float32)


def _uint8(levels: Tensor) -> Tensor:
    """uint8 from float32 levels 0 to 255, via int16, which is four times as fast in torch."""
    return levels.to(torch.int16).to(torch.uint8)


def _mix(a: Tensor, b: Tensor, share: Tensor) -> Tensor:
    """a + (b − a)·share of float32 `a`; not `lerp`, whose rounding depends on the device."""
    return b.float().sub_(a).mul_(share).add_(a)


def _choose(mask: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """`torch.where` of bytes by bit operations, which is six times as fast on CPUs."""
    return (a ^ b).bitwise_and_(mask.to(torch.uint8).neg_()).bitwise_xor_(b)
