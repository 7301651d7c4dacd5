"""CAMs: campare's engine beside pytorch-grad-cam and beside a plain forward pass."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import torch

import library
from campare import devices, models
from rounds import Row, Work, interleaved, row, timed

# Architecture, input size in pixels, pictures a round, goals beside the library and the forward
# pass.
CASES = (
    ("efficientnet_b0", 224, 64, 7.0, 0.95),
    ("resnet18_cifar", 32, 256, None, 0.95),
    ("densenet121", 224, 32, None, 0.95),
)
# Methods that need the gradient at the layer: no goal of their own.
OTHERS = ("gradcam++", "xgradcam", "layercam", "hirescam")
BATCH = 32


def rows(rounds: int, device: torch.device) -> Iterator[Row]:
    for architecture, size, count, goal, of_forward in CASES:
        name = f"cam_{architecture.removesuffix('_cifar')}"
        methods = ("gradcam", *OTHERS) if goal else ("gradcam",)
        rates = interleaved(sides(architecture, size, count, methods, device), rounds)
        for method in methods:
            title = name if method == "gradcam" else f"{name}_{method}"
            target = goal if method == "gradcam" else None
            yield row(title, rates, method, f"library {method}", target, "images/s")
        yield row(f"{name}_of_forward", rates, "gradcam", "forward", of_forward, "images/s")


def sides(
    architecture: str, size: int, count: int, methods: tuple[str, ...], device: torch.device
) -> dict[str, Work]:
    """The library in torch's usual layout, as its README has it; the rest in channels_last.

    campare's side starts from uint8 pictures and ends with arrays; the library and the forward pass
    get their pictures prepared, on the device. All convolutions are in float32: torch's own default
    on a GPU is TF32, in which campare computes no maps. What a job does once for thousands of
    pictures, finding the head and folding batch norms, is done beforehand.
    """
    images = library.pictures(count, size)
    inputs = library.prepared(images)
    theirs = models.build(architecture, classes=10, channels=3, seed=0)
    library.settled(theirs, inputs[:BATCH])
    ours = copy.deepcopy(theirs)
    shape = (3, size, size)
    name, layer = models.target_layer(ours, None, shape)
    head = models.head(ours, layer, shape)
    models.fold_batch_norms(ours, layer)
    theirs.to(device)
    their_layer = theirs.get_submodule(name)
    usual = inputs.to(device).split(BATCH)
    last = [part.contiguous(memory_format=torch.channels_last) for part in usual]
    plain = copy.deepcopy(theirs).to(memory_format=torch.channels_last)

    def explain(method: str) -> Work:
        def work() -> float:
            options = {"method": method, "batch_size": BATCH, "device": device}
            batches = library.mapped(ours, layer, head, images, fold_batch_norm=False, **options)
            return sum(len(batch.maps) for batch in batches)

        return timed(work)

    def explain_by_library(method: str) -> Work:
        def work() -> float:
            with devices.convolutions(tf32=False):
                return sum(len(library.explained(method, theirs, their_layer, x)) for x in usual)

        return timed(work)

    def forward() -> float:
        with torch.inference_mode(), devices.convolutions(tf32=False):
            return sum(len(plain(part).cpu()) for part in last)

    return {
        "forward": timed(forward),
        **{method: explain(method) for method in methods},
        **{f"library {method}": explain_by_library(method) for method in methods},
    }
