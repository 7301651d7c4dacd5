"""Augmentations that replace parts of an image by a level or by another training image."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F

from campare.augment.core import Batch, Draw, as_float, as_uint8, beta, boxes, choose, mix


def cutmix(batch: Batch, draw: Draw, *, alpha: float, labels: str = "kept") -> Batch:
    """A box of another training image pasted in (Yun et al. 2019)."""
    partners = draw.partners()
    height, width = batch.images.shape[-2:]
    kept, x, y = beta(draw, alpha), draw.integers(width), draw.integers(height)
    return _pasted(batch, partners, cutmix_box((height, width), kept, x, y), labels)


def cutmix_mixed(batch: Batch, draw: Draw, *, alpha: float) -> Batch:
    """`cutmix` with labels mixed by area."""
    return cutmix(batch, draw, alpha=alpha, labels="mixed")


def saliencymix(batch: Batch, draw: Draw, *, alpha: float, labels: str) -> Batch:
    """A box about the most salient pixel of another training image (Uddin et al. 2021)."""
    partners = draw.partners()
    height, width = batch.images.shape[-2:]
    kept = beta(draw, alpha)
    # The largest, the first of equals
    saliency = fine_grained_saliency(partners.images).flatten(1)
    order = torch.arange(height * width, 0, -1, device=saliency.device) - 1
    centre = (saliency * (height * width) + order).argmax(1, keepdim=True)
    box = cutmix_box((height, width), kept, centre % width, centre // width)
    return _pasted(batch, partners, box, labels)


def mixup(batch: Batch, draw: Draw, *, alpha: float, labels: str) -> Batch:
    """The weighted mean with another training image (Zhang et al. 2018)."""
    partners = draw.partners()
    share = as_float(1 - beta(draw, alpha))
    blend = mix(batch.images.float(), partners.images, share[:, :, None, None])
    return Batch(as_uint8(blend.round_()), _targets(batch, partners, share, labels))


def _pasted(
    batch: Batch, partners: Batch, box: tuple[Tensor, Tensor, Tensor, Tensor], labels: str
) -> Batch:
    """The batch with a box of the partners pasted in."""
    height, width = batch.images.shape[-2:]
    top, left, bottom, right = box
    images = choose(inside((height, width), box), partners.images, batch.images)
    area = (bottom - top) * (right - left)
    share = area.float() / (height * width)
    return Batch(images, _targets(batch, partners, share, labels))


def _targets(batch: Batch, partners: Batch, share: Tensor, labels: str) -> Tensor:
    """Targets: `labels` is "kept" or "mixed", by the share of the partners, float32 (B, 1)."""
    if labels == "kept":
        return batch.targets
    return batch.targets * (1 - share) + partners.targets * share


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
    tall, wide, fits = boxes(draw, height * width, (height - 1, width - 1), scale, ratio)
    top, left = draw.integers(height - tall + 1), draw.integers(width - wide + 1)
    box = top, left, top + tall, left + wide
    chosen = (fits & draw.chance(probability))[:, :, None, None]
    images = batch.images
    paint = torch.full_like(images[:1, :1, :1, :1], fill)
    return replace(batch, images=choose(inside((height, width), box) & chosen, paint, images))


def cutout(batch: Batch, draw: Draw, *, size: int, fill: int | None) -> Batch:
    """A square filled whose centre is anywhere in the image (DeVries and Taylor 2017)."""
    height, width = batch.images.shape[-2:]
    top, left = draw.integers(height) - size // 2, draw.integers(width) - size // 2
    hidden = inside((height, width), (top, left, top + size, left + size))
    return replace(batch, images=choose(hidden, _paint(batch, draw, fill), batch.images))


def hide_and_seek(batch: Batch, draw: Draw, *, size: int, share: float, fill: int | None) -> Batch:
    """Squares of a grid filled, each with the probability `share` (Singh and Lee 2017)."""
    height, width = batch.images.shape[-2:]
    down, across = -(-height // size), -(-width // size)
    hidden = draw.uniform(0, 1, count=down * across).view(-1, down, across) < share
    rows = torch.arange(height, device=hidden.device) // size
    columns = torch.arange(width, device=hidden.device) // size
    hidden = hidden[:, rows][:, :, columns][:, None]
    return replace(batch, images=choose(hidden, _paint(batch, draw, fill), batch.images))


def delete_cell(batch: Batch, draw: Draw, *, cells: int, fill: int | None) -> Batch:
    """One cell, at random, of a grid of `cells` × `cells` filled (Hesse et al. 2024)."""
    height, width = batch.images.shape[-2:]
    row, column = draw.integers(cells), draw.integers(cells)
    top, left = row * height // cells, column * width // cells
    bottom, right = (row + 1) * height // cells, (column + 1) * width // cells
    hidden = inside((height, width), (top, left, bottom, right))
    return replace(batch, images=choose(hidden, _paint(batch, draw, fill), batch.images))


def grid_mask(
    batch: Batch,
    draw: Draw,
    *,
    unit: Sequence[int],
    kept: float,
    fill: int | None,
    probability: float,
) -> Batch:
    """Squares at equal distances filled (Chen et al. 2020), without the paper's rotation.

    The distance is random in `unit`, and so is the offset; the share `kept` of the distance lies
    between two squares.
    """
    height, width = batch.images.shape[-2:]
    period = unit[0] + draw.integers(unit[1] - unit[0] + 1)
    side = (period * (1 - kept)).round()
    chosen = draw.chance(probability)[:, :, None]

    def filled(size: int) -> Tensor:
        offset = draw.integers(period)
        return (torch.arange(size, device=period.device) + offset) % period < side

    hidden = (filled(height)[:, :, None] & filled(width)[:, None, :] & chosen)[:, None]
    return replace(batch, images=choose(hidden, _paint(batch, draw, fill), batch.images))


def _paint(batch: Batch, draw: Draw, fill: int | None) -> Tensor:
    """The level `fill`, or the mean colour of the training images: uint8 (1, 1 or C, 1, 1)."""
    if fill is None:
        return draw.pool_mean
    return torch.full_like(batch.images[:1, :1, :1, :1], fill)


def fine_grained_saliency(images: Tensor) -> Tensor:
    """Fine-grained saliency (Montabone and Soto 2010) of uint8 (B, C, H, W): int64 (B, H, W).

    OpenCV's StaticSaliencyFineGrained, as the paper of SaliencyMix uses it: the grey image,
    smoothed twice, minus the mean of the 2n × 2n pixels around each pixel, without it, for n = 12,
    24, 48, 28, 56 and 112, clipped at the border. Positive ("on") and negative ("off") differences
    are summed separately, and each sum is scaled to 255. The saliency is the sum of both.

    All numbers are integers, and quotients are rounded down. They are exact: in float32 for up to
    2¹⁶ pixels, in float64 for more. OpenCV scales the sum once more and stores it in 8 bits, in
    which values above 255 overflow; here the sum is returned.
    """
    height, width = images.shape[2:]
    exact = torch.float32 if height * width <= 1 << 16 else torch.float64
    levels = _smoothed(_smoothed(_opencv_grey(images)))
    # Sums of integers: on CUDA, torch has no deterministic cumulative sum of floats.
    integral = F.pad(levels.cumsum(1).cumsum(2), (1, 0, 1, 0)).to(exact)
    grey = levels.to(exact)
    # A window that reaches the border on all sides is the whole image, whatever its size.
    sizes = Counter(min(size, max(height, width)) for size in (12, 24, 48, 28, 56, 112))
    on, both = torch.zeros_like(grey), torch.zeros_like(grey)
    for size, times in sizes.items():
        difference = _centre_surround(grey, integral, size)
        both.add_(difference, alpha=times)
        on.add_(difference.clamp_(min=0), alpha=times)
    scaled = torch.zeros_like(grey)
    for part in (on, on - both):
        scaled += (part * 255).div_(part.amax((1, 2), keepdim=True).clamp_(min=1)).floor_()
    return scaled.long()


def _opencv_grey(images: Tensor) -> Tensor:
    """Grey levels of OpenCV's cvtColor for RGB, else the mean of the channels: int32 (B, H, W)."""
    levels = images.int()
    if images.shape[1] != 3:
        return levels.sum(1, dtype=torch.int32) // images.shape[1]
    red, green, blue = levels.unbind(1)
    return (red * 9798).add_(green * 19235).add_(blue * 3735).add_(1 << 14) >> 15


def _smoothed(grey: Tensor) -> Tensor:
    """OpenCV's 3 × 3 GaussianBlur: weights 1, 2, 1, reflection at the border; int32 (B, H, W)."""
    for axis in (1, 2):
        size = grey.shape[axis]
        index = torch.arange(-1, size + 1, device=grey.device).abs()
        index = size - 1 - (size - 1 - index).abs()
        padded = grey.index_select(axis, index.clamp(min=0))
        outer = padded.narrow(axis, 0, size) + padded.narrow(axis, 2, size)
        grey = outer.add_(padded.narrow(axis, 1, size), alpha=2)
    return (grey + 8) >> 4


def _centre_surround(grey: Tensor, integral: Tensor, size: int) -> Tensor:
    """Each pixel minus the mean of those around it, rounded towards zero."""
    height, width = grey.shape[1:]
    rows = torch.arange(height, device=grey.device)
    columns = torch.arange(width, device=grey.device)
    top, bottom = (rows - size + 1).clamp(min=0), (rows + size + 1).clamp(max=height)
    left, right = (columns - size + 1).clamp(min=0), (columns + size + 1).clamp(max=width)
    band = integral.index_select(1, bottom) - integral.index_select(1, top)
    total = band.index_select(2, right) - band.index_select(2, left)
    area = (bottom - top)[:, None] * (right - left)
    others = (area - 1).clamp(min=1).to(grey.dtype)
    # grey · (area − 1) − (total − grey)
    return (grey * area).sub_(total).div_(others).trunc_()


def inside(size: tuple[int, int], box: tuple[Tensor, Tensor, Tensor, Tensor]) -> Tensor:
    """Whether pixels lie in a box (top, left, bottom, right), each (B, 1): bool (B, 1, H, W)."""
    top, left, bottom, right = box
    rows = torch.arange(size[0], device=top.device)
    columns = torch.arange(size[1], device=top.device)
    down, across = (rows >= top) & (rows < bottom), (columns >= left) & (columns < right)
    return (down[:, :, None] & across[:, None, :])[:, None]
