"""Small networks with layers that need tests on CUDA, where large ones take most of a minute."""

from __future__ import annotations

from torch import nn
from torchvision.models.efficientnet import EfficientNet, MBConvConfig


def random_depth(classes: int, channels: int) -> nn.Module:
    """A small EfficientNet, with its dropout, stochastic depth and depthwise convolutions."""
    blocks = [
        MBConvConfig(1, 3, 1, 8, 8, 1, 1, 1),
        MBConvConfig(4, 3, 2, 8, 16, 2, 1, 1),
    ]
    network = EfficientNet(blocks, 0.2, 0.5, classes)
    network.features[0][0] = nn.Conv2d(channels, 8, 3, 2, 1, bias=False)  # type: ignore[index]
    return network


def pooled(classes: int, channels: int) -> nn.Module:
    """Average pooling to several pixels, as VGG and AlexNet have it: at 16 px, from 8 to 3."""
    return nn.Sequential(
        nn.Conv2d(channels, 16, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d(3),
        nn.Flatten(),
        nn.Dropout(),
        nn.Linear(288, classes),
    )
