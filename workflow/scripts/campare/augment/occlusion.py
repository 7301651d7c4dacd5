"""Augmentations that replace parts of an image by a level or by another training image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from campare.augment.core import Batch, Draw, beta, boxes, choose


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
        (height, width), beta(draw, alpha), draw.integers(width), draw.integers(height)
    )
    top, left, bottom, right = box
    images = choose(inside((height, width), box), partners.images, batch.images)
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
    tall, wide, fits = boxes(draw, height * width, (height - 1, width - 1), scale, ratio)
    top, left = draw.integers(height - tall + 1), draw.integers(width - wide + 1)
    box = top, left, top + tall, left + wide
    chosen = (fits & draw.chance(probability))[:, :, None, None]
    images = batch.images
    paint = torch.full_like(images[:1, :1, :1, :1], fill)
    return replace(batch, images=choose(inside((height, width), box) & chosen, paint, images))


def inside(size: tuple[int, int], box: tuple[Tensor, Tensor, Tensor, Tensor]) -> Tensor:
    """Whether pixels lie in a box (top, left, bottom, right), each (B, 1): bool (B, 1, H, W)."""
    top, left, bottom, right = box
    rows = torch.arange(size[0], device=top.device)
    columns = torch.arange(size[1], device=top.device)
    down, across = (rows >= top) & (rows < bottom), (columns >= left) & (columns < right)
    return (down[:, :, None] & across[:, None, :])[:, None]
