"""pytorch-grad-cam as its README shows it, campare on the same, and what to run both on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytorch_grad_cam
import torch
from numpy.typing import NDArray
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn

from campare import cams, maps
from campare.preprocess import prepare

METHODS: dict[str, Callable[..., Any]] = {
    "gradcam": pytorch_grad_cam.GradCAM,
    "gradcam++": pytorch_grad_cam.GradCAMPlusPlus,
    "xgradcam": pytorch_grad_cam.XGradCAM,
    "layercam": pytorch_grad_cam.LayerCAM,
    "hirescam": pytorch_grad_cam.HiResCAM,
    "eigencam": pytorch_grad_cam.EigenCAM,
    "eigengradcam": pytorch_grad_cam.EigenGradCAM,
    "scorecam": pytorch_grad_cam.ScoreCAM,
    "ablationcam": pytorch_grad_cam.AblationCAM,
}
# The library leaves the sign of these to LAPACK.
SIGNLESS = ("eigencam", "eigengradcam")
MEAN, STD = [0.49, 0.48, 0.45], [0.25, 0.24, 0.26]


def pictures(count: int, size: int) -> NDArray[np.uint8]:
    """Smooth random pictures: uint8 (N, S, S, 3)."""
    coarse = np.random.default_rng(0).random((count, 3, 7, 7), np.float32) * 255
    smooth = nn.functional.interpolate(torch.from_numpy(coarse), (size, size), mode="bicubic")
    return smooth.clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).numpy()


def prepared(images: NDArray[np.uint8]) -> torch.Tensor:
    """The same as a network is shown them: float32 (N, 3, S, S)."""
    stacked = torch.from_numpy(images).permute(0, 3, 1, 2)
    return prepare(stacked, MEAN, STD, images.shape[1])


def settled(network: nn.Module, inputs: torch.Tensor) -> nn.Module:
    """The network, its batch norm fitted to its inputs."""
    network.eval()  # but for batch norm: dropout and stochastic depth would draw anew each time
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.train().momentum = None  # the plain average
    with torch.no_grad():
        network(inputs)
    return network.eval()


def explained(
    method: str,
    network: nn.Module,
    layer: nn.Module,
    inputs: torch.Tensor,
    targets: NDArray[np.int64] | None = None,
    **options: Any,
) -> NDArray[np.float32]:
    """The library's shown maps (N, S, S) of some classes, or of the predicted ones.

    Options are the library's own. Every parameter asks for a gradient, as in a network that was
    just trained.
    """
    network.requires_grad_(True)
    chosen = None if targets is None else [ClassifierOutputTarget(int(t)) for t in targets]
    with METHODS[method](model=network, target_layers=[layer], **options) as explainer:
        shown: NDArray[np.float32] = explainer(input_tensor=inputs, targets=chosen)
    return shown


def mapped(
    network: nn.Module,
    layer: nn.Module,
    head: nn.Linear | None,
    images: NDArray[np.uint8],
    **options: Any,
) -> Iterator[cams.Batch]:
    """campare's maps of the pictures, batch by batch; options of `cams.compute`."""
    options = {"mean": MEAN, "std": STD, "input_size": images.shape[1], **options}
    return cams.compute(network, layer, head, images, **options)


def apart(method: str, coarse: NDArray[np.float32], theirs: NDArray[np.float32]) -> float:
    """Max |difference| of campare's maps (N, h, w), as shown, from the library's (N, S, S).

    Where the library's have no sign of their own, with that which is nearer, image by image.
    """
    size = theirs.shape[1], theirs.shape[2]
    ways = [coarse, -coarse] if method in SIGNLESS else [coarse]
    gaps = [np.abs(maps.show(way, size) - theirs).max(axis=(1, 2)) for way in ways]
    return float(np.min(gaps, axis=0).max())
