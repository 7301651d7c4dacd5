"""Features of images at two places of a network: the target layer, and before the classifier."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from campare import cams
from campare.errors import CampareError
from campare.preprocess import prepare
from campare.sizes import Size

Floats = NDArray[np.float32]


def extract(
    network: nn.Module,
    layer: nn.Module,
    images: NDArray[np.uint8],
    *,
    mean: Sequence[float],
    std: Sequence[float],
    input_size: Size,
    batch_size: int,
    device: torch.device | str = "cpu",
) -> tuple[Floats, Floats]:
    """Features of images at the target layer, and the input of the last linear layer.

    Parameters
    ----------
    network, layer
        From `models.load` and `models.target_layer`. The network is moved to the device.
    images
        uint8 (N, H, W, C).
    mean, std, input_size
        As in training; see `preprocess.prepare`.

    Returns
    -------
    float32 (N, K, h, w) and (N, d).

    Raises
    ------
    CampareError
        The network has no linear layer.
    """
    linear = [module for module in network.modules() if isinstance(module, nn.Linear)]
    if not linear:
        raise CampareError(
            "representations: the network has no linear layer, the input of which is compared; "
            "choose another network, or remove the key"
        )
    kept: tuple[list[Tensor], list[Tensor]] = ([], [])
    handles = [
        layer.register_forward_hook(lambda _, __, output: kept[0].append(output.cpu())),
        linear[-1].register_forward_hook(lambda _, inputs, __: kept[1].append(inputs[0].cpu())),
    ]
    device = torch.device(device)
    network.to(device).eval()
    try:
        with cams.exact(device, gradient=False):
            for start in range(0, len(images), batch_size):
                batch = torch.from_numpy(images[start : start + batch_size]).to(device)
                network(prepare(batch.permute(0, 3, 1, 2), mean, std, input_size))
    finally:
        for handle in handles:
            handle.remove()
    of_layer, before_classifier = (torch.cat(parts).float().numpy() for parts in kept)
    return of_layer, before_classifier
