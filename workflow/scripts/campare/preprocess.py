"""From stored pictures to what a network is shown: the same in training and for CAMs."""

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
    """Scale to [0, 1], resize and standardise pictures, on the device they are on.

    Parameters
    ----------
    images
        uint8 (B, C, H, W).
    mean, std
        Per channel, of grey levels in [0, 1] (`data.channel_statistics`); std > 0. Tensors that
        are on the device already spare the copy to it.
    input_size
        Side S of the square the network is shown, pixels. The resize is bilinear, with
        antialiasing where it shrinks, as torchvision's `Resize`; none where H = W = S.

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
    """Pictures uint8 (B, C, H, W) as uint8 (B, C, size, size): what is augmented at input size."""
    return _scaled(images.to(torch.float32), size).round_().clamp_(0, 255).to(torch.uint8)


def _scaled(images: torch.Tensor, size: int) -> torch.Tensor:
    if tuple(images.shape[2:]) == (size, size):
        return images
    return F.interpolate(images, (size, size), mode="bilinear", align_corners=False, antialias=True)
