"""Networks that were trained elsewhere, from files of their weights, as models of a study."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from scipy import stats
from torch import nn

from campare import models, pretrained
from campare.errors import CampareError
from campare.sizes import Size, pair

# Probability that a network without any skill is not reported.
CHANCE = 0.01


def load(
    path: str | Path,
    architecture: str,
    *,
    classes: Sequence[str],
    outputs: Sequence[str] | None,
    channels: int,
    input_size: Size,
    parameters: Mapping[str, Any] | None = None,
) -> nn.Module:
    """A trained network in evaluation mode, whose outputs are in the order of the data's classes.

    Parameters
    ----------
    path
        Safetensors, campare's own included, or a PyTorch state dict.
    classes
        Names of the classes of the data set.
    outputs
        Names of the classes in the order of the network's outputs; None: that of the data set.
    channels, input_size
        Shape of the images that the network is given.
    parameters
        As in `models.build`.

    Raises
    ------
    CampareError
        The file cannot be read, is of another network or another number of classes, has weights
        that are not finite, or the names of the classes differ.
    """
    network = models.build(
        architecture, classes=len(classes), channels=channels, seed=0, parameters=parameters
    )
    tensors = pretrained.read(Path(path).expanduser())
    pretrained.fit_exactly(network, tensors, architecture, classes=len(classes), source=str(path))
    broken = [name for name, tensor in network.state_dict().items() if not _finite(tensor)]
    if broken:
        raise CampareError(
            f"{path}: {pretrained.listed(broken)}: not finite; its training diverged, so leave it "
            "out"
        )
    network.eval()
    if outputs is not None:
        reorder(network, _order(classes, outputs), (channels, *pair(input_size)))
    return network


def own_normalisation(path: str | Path) -> tuple[list[float], list[float]] | None:
    """Mean and standard deviation in a file of campare's own weights; None for other files."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(Path(path).expanduser(), "pt") as file:
            about: dict[str, Any] = json.loads((file.metadata() or {}).get("campare", "{}"))
    except SafetensorError:
        return None
    return (about["mean"], about["std"]) if {"mean", "std"} <= about.keys() else None


def reorder(network: nn.Module, order: Sequence[int], shape: tuple[int, int, int]) -> None:
    """Reorder the outputs of a network in place: output k is then the earlier output order[k].

    The rows of its last linear layer, or convolution, are reordered. `shape`: (C, H, W) of images.

    Raises
    ------
    CampareError
        The outputs are not those of its last layer.
    """
    heads = [
        layer
        for layer in network.modules()
        if isinstance(layer, nn.Linear | nn.Conv2d) and len(layer.weight) == len(order)
    ]
    images = torch.randn(2, *shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = network(images)[:, list(order)]
        for tensor in (heads[-1].weight, heads[-1].bias) if heads else ():
            if tensor is not None:
                tensor.copy_(tensor[list(order)].clone())
        if not torch.allclose(network(images), expected, rtol=1e-3, atol=1e-5):
            raise CampareError(
                "classes: the outputs of this architecture are not those of its last layer, and "
                "cannot be reordered; reorder them in the file, and remove the key"
            )


def at_chance(accuracy: float, images: int, chance: float) -> bool:
    """Whether an accuracy on a number of images is not significantly above chance.

    chance: the share of the most frequent class, the accuracy of a constant prediction.
    """
    correct = round(accuracy * images)
    p = stats.binomtest(correct, images, chance, alternative="greater").pvalue
    return bool(p > CHANCE)


def _order(classes: Sequence[str], outputs: Sequence[str]) -> list[int]:
    """The place in `outputs` of each class of the data set."""
    missing, unknown = set(classes) - set(outputs), set(outputs) - set(classes)
    if missing or unknown:
        parts = [
            *([f"{pretrained.listed(sorted(missing))} missing"] if missing else []),
            *([f"{pretrained.listed(sorted(unknown))} unknown"] if unknown else []),
        ]
        raise CampareError(
            f"classes: not the classes of the data set: {'; '.join(parts)}; list these, in the "
            "order of the networks' outputs"
        )
    place: Mapping[str, int] = {name: k for k, name in enumerate(outputs)}
    return [place[name] for name in classes]


def _finite(tensor: torch.Tensor) -> bool:
    return not tensor.is_floating_point() or bool(torch.isfinite(tensor).all())
