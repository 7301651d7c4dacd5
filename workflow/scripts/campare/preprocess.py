"""Preparation of images for a network, the same in training and for CAMs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from campare import data
from campare.errors import CampareError
from campare.sizes import Size, pair

# Mean and standard deviation of ImageNet's RGB channels, of grey levels in [0, 1].
IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}


def normalisation(
    setting: str | Mapping[str, Any], images: NDArray[np.uint8] | data.Rows
) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of each channel, for `prepare`.

    Parameters
    ----------
    setting
        `model.normalise`: "training" (those of the images), "imagenet" (for grey images, the means
        of the values of the three channels), or a mapping with `mean` and `std`.
    images
        uint8 (N, H, W, C), the training images.

    Raises
    ------
    CampareError
        The images have another number of channels than the mapping has numbers.
    """
    channels = images.shape[3]
    if setting == "training":
        mean, std = data.channel_statistics(images)
        return mean.tolist(), std.tolist()
    if setting == "imagenet":
        values = IMAGENET
        if channels == 1:
            values = {key: [float(np.mean(each))] for key, each in IMAGENET.items()}
    else:
        assert not isinstance(setting, str)
        values = {key: list(setting[key]) for key in ("mean", "std")}
    if len(values["mean"]) != channels:
        raise CampareError(
            f"model.normalise: {len(values['mean'])} values, but the images have {channels} "
            "channel(s); give a mean and a std for each channel"
        )
    return values["mean"], values["std"]


def prepare(
    images: torch.Tensor,
    mean: Sequence[float] | torch.Tensor,
    std: Sequence[float] | torch.Tensor,
    input_size: Size,
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
        Side of the square input of the network, or its (height, width), pixels. The resize is
        bilinear, with antialiasing when it shrinks, as in torchvision's `Resize`; there is none if
        the images have this size.

    Returns
    -------
    float32 (B, C, height, width).
    """
    shown = _scaled(images.to(torch.float32), input_size).div_(255)
    shape = (1, len(mean), 1, 1)
    centre = torch.as_tensor(mean, dtype=torch.float32, device=shown.device).view(shape)
    spread = torch.as_tensor(std, dtype=torch.float32, device=shown.device).view(shape)
    return shown.sub_(centre).div_(spread)


def resized(images: torch.Tensor, size: Size) -> torch.Tensor:
    """Images uint8 (B, C, H, W) resized to uint8 (B, C, *size), for `augmenting.at: input`."""
    return _scaled(images.to(torch.float32), size).round_().clamp_(0, 255).to(torch.uint8)


def at_input_size(images: NDArray[np.uint8], size: Size) -> NDArray[np.uint8]:
    """Stored images (N, H, W, C) at the size of a network's input: (N, *size, C)."""
    scaled = resized(torch.from_numpy(images).permute(0, 3, 1, 2), size)
    return scaled.permute(0, 2, 3, 1).contiguous().numpy()


def _scaled(images: torch.Tensor, size: Size) -> torch.Tensor:
    """float32 images resized to `size`."""
    if tuple(images.shape[2:]) == pair(size):
        return images
    return F.interpolate(images, pair(size), mode="bilinear", align_corners=False, antialias=True)
