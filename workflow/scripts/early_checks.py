"""Checks that run before hours are spent on training. They are not part of a model's digest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from campare import config, data, feasibility, registry, user_code
from campare.data import Dataset
from campare.design import Design
from campare.errors import CampareError

if TYPE_CHECKING:
    from campare.settings import Settings


def check_files() -> None:
    """Check that the user's files, whose functions the study names, can be imported.

    Raises
    ------
    CampareError
        One of them cannot; the message has the lines that failed.
    """
    for reference in user_code.functions():
        user_code.load(reference)


def check_images(
    path: str, dataset: Dataset, frame: pd.DataFrame, study: Mapping[str, Any]
) -> None:
    """Check that the images are enough, and large enough, for the study.

    Parameters
    ----------
    path
        The data file.
    dataset
        Its images and labels.
    frame
        The split.
    study
        The config from the user, without defaults.

    Raises
    ------
    CampareError
        The images are too few or too small.
    """
    regions = data.read_regions(path, frame["index"].to_numpy()[:1])
    images = feasibility.Images(
        Counter(zip(frame["label"], frame["subset"], strict=True)),
        side=dataset.images.shape[1],
        regions=regions.names if regions else (),
    )
    feasibility.check(config.complete(study, "the study"), study, images)


def check_transforms(dataset: Dataset, study: Mapping[str, Any]) -> None:
    """Check that transforms of other packages and of the user accept an image.

    Parameters
    ----------
    dataset
        Images and labels.
    study
        The config from the user, without defaults.

    Raises
    ------
    CampareError
        A transform refuses its parameters or the image, fails, or changes its size or type.
    """
    complete = config.complete(study, "the study")
    named = {
        augmentation: [
            step
            for step in steps
            if step[0] in registry.LIBRARIES or user_code.is_reference(step[0])
        ]
        for augmentation, steps in complete["augmentations"].items()
    }
    if not any(named.values()):
        return
    import torch

    from campare.augment import Augmenter, Batch
    from campare.preprocess import resized

    images = torch.from_numpy(dataset.images[:1].copy()).permute(0, 3, 1, 2).contiguous()
    if complete["augmenting"]["at"] == "input":
        images = resized(images, complete["model"]["input_size"])
    batch = Batch(images, torch.ones(1, 1))
    zero = torch.zeros(1, dtype=torch.int64)
    for augmentation, steps in named.items():
        try:
            Augmenter(steps, 0, batch)(batch, zero, zero, 0)
        except CampareError as problem:
            raise CampareError(f"augmentations.{augmentation}: {problem}") from None


def check_maps(dataset: Dataset, settings: Settings, study: Mapping[str, Any]) -> None:
    """Check that the network has the target layer of every variant and allows its CAM method.

    Parameters
    ----------
    dataset
        Images and labels.
    settings
        Training settings of a model whose maps are computed.
    study
        The config from the user, without defaults.

    Raises
    ------
    CampareError
        There is no such layer, the layer has no map, or the method cannot be used; or as
        `check_transforms`.
    """
    from campare import cams, models

    _check_scores(dataset, settings)
    check_transforms(dataset, study)
    for folder, variant in Design(config.complete(study, "the study")).variants.items():
        key = ".".join(["cam", *folder.split("/")[:-1], "target_layer"])
        network, shape = _built(dataset, settings)  # a new one: finding the layer may change it
        _, layer = models.target_layer(network, variant.target_layer, shape, key=key)
        head = models.head(network, layer, shape)
        if variant.method == "cam" and head is None:
            raise CampareError(cams.NO_HEAD)
        if user_code.is_reference(variant.method):  # try it on two images
            next(
                cams.compute(
                    network,
                    layer,
                    head,
                    dataset.images[:2].copy(),
                    mean=[0.5] * shape[0],
                    std=[0.5] * shape[0],
                    input_size=settings.input_size,
                    method=variant.method,
                )
            )


def check_network(dataset: Dataset, settings: Settings, study: Mapping[str, Any]) -> None:
    """Check that a network without maps accepts the images.

    For `hybrid.network`, check also that an SVM can replace its last layer, and that its target
    layer has a map.

    Parameters
    ----------
    dataset
        Images and labels.
    settings
        Training settings of the network.
    study
        The config.

    Raises
    ------
    CampareError
        The network cannot be used; or as `check_transforms`.
    """
    from torch import nn

    from campare import models, svm

    _check_scores(dataset, settings)
    check_transforms(dataset, study)
    hybrid = study.get("hybrid") or {}
    network, shape = _built(dataset, settings)
    if settings.architecture != hybrid.get("network"):
        models.check_forward(network, shape)
        return
    svm.with_head(network, nn.Identity())
    layer = hybrid.get("target_layer") or models.last_map(network, shape)
    models.target_layer(network, layer, shape, key="hybrid.target_layer")


def _check_scores(dataset: Dataset, settings: Settings) -> None:
    """Check the scores of an architecture in a file of the user, which may have any output."""
    if not user_code.is_reference(settings.architecture):
        return
    import torch

    network, shape = _built(dataset, settings)
    scores = network.eval()(torch.zeros(2, *shape))
    expected = (2, len(dataset.classes))
    if getattr(scores, "shape", None) != expected:
        what = tuple(getattr(scores, "shape", ())) or type(scores).__name__
        raise CampareError(
            f"{settings.architecture}: the network returns {what} for 2 images; must be scores "
            f"{expected}, one for each class"
        )


def _built(dataset: Dataset, settings: Settings) -> tuple[Any, tuple[int, int, int]]:
    """The untrained network, and the shape (C, H, W) of its input images."""
    from campare import finetuning, models

    channels = dataset.images.shape[3]
    network = models.build(
        settings.architecture,
        classes=len(dataset.classes),
        channels=channels,
        seed=0,
        parameters=settings.architecture_parameters,
    )
    shape = (channels, settings.input_size, settings.input_size)
    finetuning.prepare(network, settings, shape)  # raises if there are no such layers
    return network, shape
