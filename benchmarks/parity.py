"""Print how far campare's maps are from pytorch-grad-cam's: max |difference| of the shown maps.

    .venv/bin/python benchmarks/parity.py [--size 224] [--images 8] [--method gradcam …]

The library runs as its README shows, on the same networks and pictures: random weights, batch
norm statistics of those pictures, every image's own predicted class. Once in torch's usual memory
layout, and once in channels_last, which campare uses: the first table holds the rounding of two
different forward passes, the second that of the formulas alone.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pytorch_grad_cam
import torch
from numpy.typing import NDArray
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
from campare import cams, maps, models
from campare.preprocess import prepare

LIBRARY = {
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
ARCHITECTURES = ["efficientnet_b0", "resnet18", "densenet121"]
LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
SLOW = {"scorecam", "ablationcam"}  # a forward pass per channel and image
MEAN, STD = [0.49, 0.48, 0.45], [0.25, 0.24, 0.26]


def pictures(count: int, size: int) -> NDArray[np.uint8]:
    """Smooth random pictures: uint8 (N, S, S, 3)."""
    coarse = np.random.default_rng(0).random((count, 3, 7, 7), np.float32) * 255
    smooth = nn.functional.interpolate(torch.from_numpy(coarse), (size, size), mode="bicubic")
    return smooth.clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).numpy()


def settled(architecture: str, inputs: torch.Tensor) -> nn.Module:
    """A network with random weights whose batch norm fits its inputs."""
    network = models.build(architecture, classes=10, channels=3, seed=0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the plain average
    with torch.no_grad():
        network(inputs)
    return network.eval()


def difference(
    network: nn.Module,
    method: str,
    images: NDArray[np.uint8],
    size: int,
    layout: torch.memory_format,
) -> float:
    """Max |difference| between campare's maps and the library's in that layout, as shown."""
    inputs = prepare(torch.from_numpy(images).permute(0, 3, 1, 2), MEAN, STD, size)
    _, layer = models.target_layer(network, None, (3, size, size))
    network.requires_grad_(True).to(memory_format=layout)
    theirs = LIBRARY[method](network, [layer])(inputs.contiguous(memory_format=layout), None)
    head = models.head(network, layer, (3, size, size))
    batches = cams.compute(
        network, layer, head, images, mean=MEAN, std=STD, input_size=size, method=method
    )
    ours = maps.show(np.concatenate([batch.maps for batch in batches]), (size, size))
    return float(np.abs(ours - theirs).max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=224, help="input size, pixels")
    parser.add_argument("--images", type=int, default=8)
    parser.add_argument(
        "--method", nargs="+", choices=LIBRARY, default=[m for m in LIBRARY if m not in SLOW]
    )
    wanted = parser.parse_args()
    images = pictures(wanted.images, wanted.size)
    inputs = prepare(torch.from_numpy(images).permute(0, 3, 1, 2), MEAN, STD, wanted.size)
    networks = {name: settled(name, inputs) for name in ARCHITECTURES}
    for title, layout in LAYOUTS.items():
        print(f"\nthe library in {title}\n{'':<14}" + "".join(f"{name:>18}" for name in networks))
        for method in wanted.method:
            print(f"{method:<14}", end="")
            for network in networks.values():
                value = difference(network, method, images, wanted.size, layout)
                print(f"{value:>18.1e}", end="", flush=True)
            print()


if __name__ == "__main__":
    main()
