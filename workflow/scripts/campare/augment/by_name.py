"""Transforms of torchvision and albumentations, image by image on the CPU.

Random numbers of an image come from a generator that is seeded with the image's key, so that a
result depends on the key alone, as those of the other augmentations do. It also depends on the
version of the package.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from campare.augment.core import Batch, Draw
from campare.errors import CampareError


def torchvision(batch: Batch, draw: Draw, *, name: str, **parameters: Any) -> Batch:
    """A transform of torchvision.transforms.v2 by its class name.

    Raises
    ------
    CampareError
        torchvision refuses the parameters or the image, or the result has another shape or type.
    """
    label = f"torchvision's {name}"
    with _refusals(label):
        transform = _torchvision(name, json.dumps(parameters))
    generator = torch.default_generator
    state, threads = generator.get_state(), torch.get_num_threads()
    torch.set_num_threads(1)  # sums in the transform depend on it
    try:

        def transformed(image: Tensor, seed: int) -> Tensor:
            generator.manual_seed(seed)
            result: Tensor = transform(image)
            return result

        return _each(batch, draw, label, transformed)
    finally:
        generator.set_state(state)
        torch.set_num_threads(threads)


def albumentations(batch: Batch, draw: Draw, *, name: str, **parameters: Any) -> Batch:
    """A transform of albumentations by its class name.

    Raises
    ------
    CampareError
        albumentations refuses the parameters or the image, or the result has another shape or type.
    """
    label = f"albumentations' {name}"
    with _refusals(label):
        transform = _albumentations(name, json.dumps(parameters))

    def transformed(image: Tensor, seed: int) -> Tensor:
        transform.set_random_seed(seed)
        array = np.ascontiguousarray(image.permute(1, 2, 0).numpy())
        result = np.asarray(transform(image=array)["image"])
        if result.ndim == 2:  # OpenCV drops the channel of grey images
            result = result[:, :, None]
        return torch.from_numpy(np.ascontiguousarray(result.transpose(2, 0, 1)))

    return _each(batch, draw, label, transformed)


@cache
def _torchvision(name: str, parameters: str) -> Any:
    from torchvision.transforms import AutoAugmentPolicy, InterpolationMode, v2

    arguments = json.loads(parameters)
    for key, kind in (("interpolation", InterpolationMode), ("policy", AutoAugmentPolicy)):
        if isinstance(arguments.get(key), str):
            arguments[key] = kind(arguments[key])
    return getattr(v2, name)(**arguments)


@cache
def _albumentations(name: str, parameters: str) -> Any:
    # Without it, the import asks a server whether there is a newer version.
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
    import albumentations as package

    return getattr(package, name)(**json.loads(parameters))


def _each(
    batch: Batch, draw: Draw, label: str, transformed: Callable[[Tensor, int], Tensor]
) -> Batch:
    """The batch with every image transformed, given a seed of 63 bits."""
    images, words = batch.images.cpu(), draw.words(2).tolist()
    results = []
    for image, (high, low) in zip(images, words, strict=True):
        with _refusals(label):
            result = transformed(image, (high << 32 | low) >> 1)
        if result.shape != image.shape or result.dtype != torch.uint8:
            raise CampareError(
                f"{label} makes {_described(result)} of an image of {_described(image)}; an "
                "augmentation must keep both: choose another transform or other parameters"
            )
        results.append(result)
    if not results:
        return batch
    return replace(batch, images=torch.stack(results).to(batch.images.device))


def _described(image: Tensor) -> str:
    return f"{' × '.join(map(str, image.shape))} {str(image.dtype).removeprefix('torch.')}"


@contextmanager
def _refusals(label: str) -> Iterator[None]:
    """Errors of a package as one message."""
    try:
        yield
    except Exception as problem:
        lines = str(problem).strip().splitlines() or [type(problem).__name__]
        raise CampareError(f"{label}: {' '.join(line.strip() for line in lines)}") from problem
