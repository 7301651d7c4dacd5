"""Global average pooling with a cheaper gradient, for training."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F


class Pooling(torch.autograd.Function):
    """`F.adaptive_avg_pool2d(maps, 1)` of maps (B, C, H, W), bit for bit, with a cheaper gradient.

    The gradient of every pixel is that of the mean divided by the number of pixels, so one number
    per map is stored and expanded as a view. torch stores all of them, in another memory layout
    than the maps have; then the ReLU before the pooling takes 30 times as long, a twelfth of the
    training time of a small network.
    """

    @staticmethod
    def forward(ctx: Any, maps: torch.Tensor) -> torch.Tensor:
        ctx.shape = maps.shape
        return F.adaptive_avg_pool2d(maps, 1)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        shape: torch.Size = ctx.shape
        return (gradient / shape[2:].numel()).expand(shape)


def pool_leanly(network: torch.nn.Module) -> None:
    """Replace the forward pass of all global average pooling layers by `Pooling`, for training."""
    for module in network.modules():
        if isinstance(module, torch.nn.AdaptiveAvgPool2d) and module.output_size in (1, (1, 1)):
            module.forward = Pooling.apply  # type: ignore[method-assign]
