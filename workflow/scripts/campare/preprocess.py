"""Preparation of images for a network, the same in training and for CAMs."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F


def prepare(
    images: torch.Tensor,
    mean: Sequence[float] | torch.Tensor,
    std: Sequence[float] | torch.Tensor,
    input_size: int,
) -> torch.Tensor:
    """Images scaled to [0, 1], resized and standardised, on their device.

    Parameters
    ----------
    images
        uint8 (B, C, H, W).
    mean, std
        Mean and standard deviation (> 0) of each channel, of grey levels in [0, 1]
        (`data.channel_statistics`). Tensors on the device need no copy to it.
    input_size
        Side S of the square input of the network, pixels. The resize is bilinear, with antialiasing
        when it shrinks, as in torchvision's `Resize`; there is none if H = W = S.

    Returns
    -------
    float32 (B, C, S, S).
    """
    shown = _scaled(images.to(torch.float32), input_size).div_(255)
    shape = (1, len(mean), 1, 1)
    centre = torch.as_tensor(mean, dtype=torch.float32, device=shown.device).view(shape)
    spread = torch.as_tensor(std, dtype=torch.float32, device=shown.device).view(shape)
    return shown.sub_(centre).div_(spread)


def resized(images: torch.Tensor, size: int) -> torch.Tensor:
    """Images uint8 (B, C, H, W) resized to uint8 (B, C, size, size), for `augmenting.at: input`."""
    return _scaled(images.to(torch.float32), size).round_().clamp_(0, 255).to(torch.uint8)


def _scaled(images: torch.Tensor, size: int) -> torch.Tensor:
    """float32 images resized to (size, size)."""
    if tuple(images.shape[2:]) == (size, size):
        return images
    return F.interpolate(images, (size, size), mode="bilinear", align_corners=False, antialias=True)
