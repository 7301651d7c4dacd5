"""Print how far campare's maps are from pytorch-grad-cam's: max |difference| of the shown maps.

    .venv/bin/python benchmarks/parity.py [--size 224] [--images 8] [--method gradcam …]
        [--architecture resnet18 …]

The library runs as its README shows, on the same networks and pictures: random weights, batch
norm statistics of those pictures, every image's own predicted class. Once in torch's usual memory
layout, and once in channels_last, which campare uses: the first table holds the rounding of two
different forward passes, the second that of the formulas alone. The third is the first with
`cam.fold_batch_norm`, as a study has it by default.
"""

from __future__ import annotations

import argparse
import copy
import sys
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
import library
from campare import models

ARCHITECTURES = ["efficientnet_b0", "resnet18", "densenet121"]
# Title: the library's memory layout, and whether campare folds batch norms.
TABLES = {
    "the library in contiguous": (torch.contiguous_format, False),
    "the library in channels_last": (torch.channels_last, False),
    "the library in contiguous, batch norms folded": (torch.contiguous_format, True),
}
# The others take a forward pass per channel and image.
QUICK = [name for name in library.METHODS if name not in {"scorecam", "ablationcam"}]


def difference(
    network: nn.Module,
    method: str,
    images: NDArray[np.uint8],
    size: int,
    layout: torch.memory_format,
    fold: bool,
) -> float:
    """Max |difference| between campare's maps and the library's in that layout, as shown."""
    inputs = library.prepared(images)
    network = copy.deepcopy(network)  # folding is for good
    _, layer = models.target_layer(network, None, (3, size, size))
    network.to(memory_format=layout)
    theirs = library.explained(method, network, layer, inputs.contiguous(memory_format=layout))
    head = models.head(network, layer, (3, size, size))
    batches = library.mapped(network, layer, head, images, method=method, fold_batch_norm=fold)
    return library.apart(method, np.concatenate([batch.maps for batch in batches]), theirs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=224, help="input size, pixels")
    parser.add_argument("--images", type=int, default=8)
    parser.add_argument("--method", nargs="+", choices=library.METHODS, default=QUICK)
    parser.add_argument("--architecture", nargs="+", default=ARCHITECTURES)
    options = parser.parse_args()
    images = library.pictures(options.images, options.size)
    inputs = library.prepared(images)
    networks = {
        name: library.settled(models.build(name, classes=10, channels=3, seed=0), inputs)
        for name in options.architecture
    }
    for title, how in TABLES.items():
        print(f"\n{title}\n{'':<14}" + "".join(f"{name:>20}" for name in networks))
        for method in options.method:
            print(f"{method:<14}", end="")
            for network in networks.values():
                value = difference(network, method, images, options.size, *how)
                print(f"{value:>20.1e}", end="", flush=True)
            print()


if __name__ == "__main__":
    main()
