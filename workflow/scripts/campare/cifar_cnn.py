"""A network for fast training on images of about 32 px, after Jordan (2024).

K. Jordan, "94 % on CIFAR-10 in 3.29 seconds on a single GPU", arXiv:2404.00498: a fixed whitening
convolution, convolutions that start as identities, batch norms without scales. Here it is narrower,
and its last block keeps its resolution, so that maps have 7×7 pixels for inputs of 32×32.
"""

from __future__ import annotations

from collections import OrderedDict
from itertools import pairwise

import torch
from torch import Tensor, nn

WIDTHS = (48, 128, 192)
# Added to the eigenvalues of the patches' covariance, so that noise is not amplified.
NOISE = 5e-4
# Scores before it are too large for the learning rates of the other layers (Jordan, section 3.1).
SCALE = 1 / 9


def cifar_cnn(classes: int, channels: int) -> nn.Module:
    """Whitened 2×2 patches, three blocks of two 3×3 convolutions, the largest value of each map."""
    return CifarCNN(classes, channels)


class CifarCNN(nn.Module):
    """(B, channels, H, W) -> (B, classes); a side S becomes (S - 1) // 4 in the last block."""

    def __init__(self, classes: int, channels: int) -> None:
        super().__init__()
        patch = 4 * channels
        self.whitening = nn.Conv2d(channels, 2 * patch, 2)
        self.whitening.weight.requires_grad_(False)
        nn.init.zeros_(self.whitening.bias)  # type: ignore[arg-type]
        widths = (2 * patch, *WIDTHS)
        self.blocks = nn.Sequential(
            *(
                _block(before, width, pooled=number < 2)
                for number, (before, width) in enumerate(pairwise(widths))
            )
        )
        self.head = nn.Linear(WIDTHS[-1], classes, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        maps: Tensor = self.blocks(nn.functional.gelu(self.whitening(images)))
        scores: Tensor = self.head(maps.amax((2, 3))) * SCALE
        return scores

    def initialise(self, images: Tensor) -> None:
        """Set the first convolution to the whitening of 2×2 patches, with both signs.

        Its filters are the eigenvectors of the patches' covariance, each divided by the square root
        of its eigenvalue.
        """
        patches = nn.functional.unfold(images, 2).transpose(1, 2).flatten(0, 1).double()
        values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
        filters = (vectors / (values + NOISE).sqrt()).T.flip(0).float()
        filters = filters.reshape(-1, *self.whitening.weight.shape[1:])
        self.whitening.weight.copy_(torch.cat([filters, -filters]))


def _block(before: int, width: int, *, pooled: bool) -> nn.Sequential:
    """Two convolutions, each with batch norm and GELU; max-pooling after the first, if `pooled`."""
    return nn.Sequential(
        OrderedDict(
            conv1=_convolution(before, width),
            pool=nn.MaxPool2d(2) if pooled else nn.Identity(),
            norm1=_norm(width),
            act1=nn.GELU(),
            conv2=_convolution(width, width),
            norm2=_norm(width),
            act2=nn.GELU(),
        )
    )


def _convolution(before: int, width: int) -> nn.Conv2d:
    """A 3×3 convolution whose first filters copy its input."""
    layer = nn.Conv2d(before, width, 3, padding=1, bias=False)
    copied = min(before, width)
    nn.init.dirac_(layer.weight.data[:copied])
    return layer


def _norm(width: int) -> nn.BatchNorm2d:
    """A batch norm without scales, whose statistics follow quickly, for short trainings."""
    layer = nn.BatchNorm2d(width, momentum=0.4)
    layer.weight.requires_grad_(False)
    return layer
