"""Random initial weights of a network, which may depend on the training images."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from campare import models
from campare.data import Rows
from campare.errors import CampareError
from campare.preprocess import prepare
from campare.sizes import Size, pair

# Images from which initial weights may be computed: their number, and their values.
SAMPLE = 5000
SAMPLE_VALUES = 1 << 26


def network(
    architecture: str,
    images: NDArray[np.uint8] | Rows,
    *,
    classes: int,
    input_size: Size,
    seed: int,
    mean: Sequence[float],
    std: Sequence[float],
    parameters: Mapping[str, Any] | None = None,
) -> nn.Module:
    """The network with which a training without given weights starts.

    Parameters
    ----------
    architecture, classes, seed, parameters
        As in `models.build`. `seed` also chooses the images for the network's `initialise`.
    images
        uint8 (N, H, W, C), the training images.
    input_size, mean, std
        See `preprocess.prepare`.

    Returns
    -------
    The network of `models.build`, on the CPU, after its method `initialise` if it has one.

    Raises
    ------
    CampareError
        As `models.build`.
    """
    built = models.build(
        architecture,
        classes=classes,
        channels=images.shape[3],
        seed=seed,
        parameters=parameters,
    )
    initialise: Callable[[torch.Tensor], None] | None = getattr(built, "initialise", None)
    if initialise is not None:
        values = images.shape[3] * math.prod(pair(input_size))
        order = np.random.default_rng(seed).permutation(len(images))
        some = torch.from_numpy(images[order[: min(SAMPLE, SAMPLE_VALUES // values)]])
        with torch.no_grad():
            initialise(prepare(some.permute(0, 3, 1, 2), mean, std, input_size))
    return built


def reset_last(network: nn.Module, fresh: nn.Module, layers: int) -> list[str]:
    """Replace the weights and buffers of the last layers of a network by those of another one.

    Layers are convolutions and linear layers in the order in which they are registered, which is
    that of the forward pass in common networks. Norms and other parts after the first of them are
    replaced as well.

    Parameters
    ----------
    network, fresh
        Two networks of one architecture; the first is changed.
    layers
        Number of layers, from the last one, the classifier.

    Returns
    -------
    list of str
        Dotted names of the parts that are replaced.

    Raises
    ------
    CampareError
        The network has fewer layers.
    """
    parts = [
        name
        for name, part in network.named_modules()
        if [*part.parameters(recurse=False), *part.buffers(recurse=False)]
    ]
    weighted = [
        place
        for place, name in enumerate(parts)
        if any(p.dim() > 1 for p in network.get_submodule(name).parameters(recurse=False))
    ]
    if layers > len(weighted):
        raise CampareError(
            f"known_changes.untrained_layers: {layers}, but the network has {len(weighted)}; "
            "set fewer"
        )
    reset = parts[weighted[-layers] :]
    for name in reset:
        # Parts of a part, if it has any, follow in the list.
        own = fresh.get_submodule(name).state_dict()
        network.get_submodule(name).load_state_dict(own)
    return reset
