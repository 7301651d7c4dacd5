"""EfficientNet-Lite0 of the package `efficientnet-lite-pytorch`, for config/finetune.yaml."""

from efficientnet_lite_pytorch import EfficientNet
from torch import nn


def lite0(classes: int, channels: int) -> nn.Module:
    """EfficientNet-Lite0 for RGB images."""
    if channels != 3:
        raise ValueError(f"EfficientNet-Lite0 has three input channels; the images have {channels}")
    network: nn.Module = EfficientNet.from_name("efficientnet-lite0", num_classes=classes)
    return network
