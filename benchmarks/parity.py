"""Print how far campare's maps are from pytorch-grad-cam's: max |difference| of the shown maps.

    .venv/bin/python benchmarks/parity.py [--size 224] [--images 8] [--method gradcam …]
        [--architecture resnet18 …] [--signs results/digits] [--output benchmarks/parity.json]

The library runs as its README shows, on the same networks and images: random weights, batch norm
statistics of those images, every image's own predicted class. The network is once in channels_last,
which campare uses, so that the difference is that of the formulas alone; once in torch's default
memory layout, so that it includes the rounding of two different forward passes; and once more with
`cam.fold_batch_norm`, as a study has it by default. `--signs` also compares rules for the sign of
Eigen-CAM maps, on four baselines of a finished study. docs/parity.md is made from the output of

    .venv/bin/python benchmarks/parity.py --signs results/digits --output benchmarks/parity.json
"""

from __future__ import annotations

import argparse
import copy
import itertools
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
import bench
import library
from campare import cams, checkpoints, models, open_study

ARCHITECTURES = ["efficientnet_b0", "resnet18", "densenet121"]
# Networks of which only these methods are compared.
PAIR = ["gradcam", "eigencam"]
OTHERS = [
    *("regnet_y_400mf", "regnet_x_400mf", "mobilenet_v2", "mobilenet_v3_small"),
    *("shufflenet_v2_x0_5", "mnasnet0_5", "resnet50", "resnet18_cifar", "small_cnn_wide"),
]
# Name: the library's memory layout, and whether campare folds batch norms.
TABLES = {
    "same_layout": (torch.channels_last, False),
    "default_layout": (torch.contiguous_format, False),
    "folded": (torch.contiguous_format, True),
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


def differences(
    architecture: str, methods: list[str], images: NDArray[np.uint8], size: int
) -> Iterator[dict[str, Any]]:
    """Rows of the results of a network, one for each table and method."""
    built = models.build(architecture, classes=10, channels=3, seed=0)
    network = library.settled(built, library.prepared(images))
    for table, how in TABLES.items():
        for method in methods:
            value = difference(network, method, images, size, *how)
            yield {"name": f"{table}/{architecture}/{method}", "difference": value}


# Signs of principal components --------------------------------------------------------------------


def farthest(maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Maps (N, h, w) with the sign for which the value farthest from zero is positive."""
    negative = maps.max(axis=(1, 2)) + maps.min(axis=(1, 2)) < 0
    return np.where(negative[:, None, None], -maps, maps)


def correlations(maps: list[NDArray[np.float32]]) -> NDArray[np.float64]:
    """Pearson correlations of the maps (N, h, w) of every two networks, image by image.

    Images with a constant map are left out.
    """
    flat = [each.reshape(len(each), -1).astype(np.float64) for each in maps]
    centred = [each - each.mean(axis=1, keepdims=True) for each in flat]
    norms = [np.linalg.norm(each, axis=1) for each in centred]
    values = [
        (centred[a] * centred[b]).sum(axis=1)[defined] / (norms[a] * norms[b])[defined]
        for a, b in itertools.combinations(range(len(maps)), 2)
        if (defined := (norms[a] > 0) & (norms[b] > 0)).any()
    ]
    return np.concatenate(values)


def signs(folder: Path) -> Iterator[dict[str, Any]]:
    """Rows of the results: how well four baselines of a study agree by each rule for the sign."""
    study = open_study(folder)
    weights = sorted((folder / "models" / "baseline").glob("*.safetensors"))[:4]
    index = study.store("baseline", int(weights[0].stem)).index
    directed = cams._directed
    rules: dict[str, tuple[Callable[..., Any], Callable[[Any], Any]]] = {
        "library": (lambda maps, _: maps, lambda maps: maps),
        "farthest": (lambda maps, _: maps, farthest),
        "campare": (directed, lambda maps: maps),
    }
    for method in library.SIGNLESS:
        for rule, (sign, after) in rules.items():
            cams._directed = sign
            values = correlations([after(_maps(path, study, index, method)) for path in weights])
            yield {
                "name": f"sign/{rule}/{method}",
                "networks": len(weights),
                "images": len(index),
                "mean": float(values.mean()),
                "opposite": float((values < -0.5).mean()),
                "absolute": float(np.abs(values).mean()),
            }
    cams._directed = directed


def _maps(path: Path, study: Any, index: NDArray[Any], method: str) -> NDArray[np.float32]:
    """The native maps of the test images by one network of a study."""
    dataset = study.dataset
    settings = checkpoints.read(path)[1]["settings"]
    images, size = study.images(index), settings["input_size"]
    network, about = models.load(
        path,
        settings["architecture"],
        classes=len(dataset.classes),
        channels=images.shape[3],
    )
    shape = (images.shape[3], size, size)
    _, layer = models.target_layer(network, None, shape)
    options = {"mean": about["mean"], "std": about["std"], "input_size": size, "method": method}
    batches = cams.compute(network, layer, models.head(network, layer, shape), images, **options)
    return np.concatenate([batch.maps for batch in batches])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=224, help="input size, pixels")
    parser.add_argument("--images", type=int, default=8)
    parser.add_argument("--method", nargs="+", choices=library.METHODS)
    parser.add_argument("--architecture", nargs="+")
    parser.add_argument("--signs", type=Path, help="results/<study>, a finished study")
    parser.add_argument("--output", type=Path, help="JSON file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    compared = dict.fromkeys(ARCHITECTURES, QUICK) | dict.fromkeys(OTHERS, PAIR)
    chosen = options.architecture or list(compared)
    compared = {name: options.method or compared.get(name, QUICK) for name in chosen}
    images = library.pictures(options.images, options.size)
    rows = [differences(name, methods, images, options.size) for name, methods in compared.items()]
    found: list[dict[str, Any]] = []
    for row in itertools.chain(*rows, signs(options.signs) if options.signs else []):
        found.append(row)
        print(json.dumps(row), flush=True)
    if options.output:
        about = bench.machine(torch.device("cpu"), 1)
        about |= {"size": options.size, "images": options.images}
        text = json.dumps({"machine": about, "results": found}, indent=2)
        options.output.write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
