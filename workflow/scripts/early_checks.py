"""Checks that run before hours are spent on training. They are not part of a model's digest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from campare import config, data, feasibility, registry, user_code
from campare.data import Dataset
from campare.design import Design
from campare.errors import CampareError
from campare.sizes import pair

if TYPE_CHECKING:
    from torch import nn

    from campare import svm
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
        size=dataset.images.shape[1:3],
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
    # Only some draws of a random rotation by 90° change the size of an image that is not square.
    count = 1 if images.shape[2] == images.shape[3] else 16
    batch = Batch(images.expand(count, -1, -1, -1).contiguous(), torch.ones(count, 1))
    source, copy = torch.zeros(count, dtype=torch.int64), torch.arange(count)
    for augmentation, steps in named.items():
        try:
            Augmenter(steps, 0, batch)(batch, source, copy, 0)
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
        `check_transforms` and `check_metrics`. For a hybrid whose network or method is in a file of
        the user, as `check_network`.
    """
    from campare import cams, initial, models

    _check_scores(dataset, settings)
    check_transforms(dataset, study)
    complete = config.complete(study, "the study")
    check_metrics(dataset.classes)
    for folder, variant in Design(complete).variants.items():
        key = ".".join(["cam", *folder.split("/")[:-1], "target_layer"])
        network, shape = _built(dataset, settings)  # a new one: finding the layer may change it
        _, layer = models.target_layer(network, variant.target_layer, shape, key=key)
        head = models.head(network, layer, shape)
        if variant.method == "cam" and head is None:
            raise CampareError(cams.NO_HEAD)
        if user_code.is_reference(variant.method):
            _try_method(variant.method, network, layer, head, dataset, shape)
        if "mosaics" in complete:
            height, width = (complete["mosaics"]["cells"] * side for side in shape[1:])
            network, _ = _built(dataset, settings)
            try:
                whole = shape[0], height, width
                models.target_layer(network, variant.target_layer, whole, key=key)
            except CampareError as problem:
                raise CampareError(
                    f"mosaics: the network does not run on mosaics of {height}×{width} pixels "
                    f"({problem}); remove the key, or choose a network for any input size"
                ) from None
    if layers := complete.get("known_changes", {}).get("untrained_layers"):
        network, _ = _built(dataset, settings)
        initial.reset_last(network, network, max(layers))  # fails if it has fewer
    hybrid = complete.get("hybrid", {})
    if any(user_code.is_reference(hybrid.get(key)) for key in ("network", "method")):
        _check_hybrid(dataset, complete)


def check_network(dataset: Dataset, settings: Settings, study: Mapping[str, Any]) -> None:
    """Check that a network without maps accepts the images.

    For `hybrid.network`, check also that an SVM can replace its last layer, that its target layer
    has a map, and that a method of the user makes maps. Networks of `architectures` in files of
    the user are checked, too.

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
    from campare import models

    _check_scores(dataset, settings)
    check_transforms(dataset, study)
    complete = config.complete(study, "the study")
    for name in filter(user_code.is_reference, complete["architectures"]):
        _check_scores(dataset, _candidate(complete, name))
    if settings.architecture == complete.get("hybrid", {}).get("network"):
        _check_hybrid(dataset, complete)
    else:
        models.check_forward(*_built(dataset, settings))


def check_metrics(classes: Sequence[str]) -> None:
    """Check that metrics in the user's files measure pairs of maps.

    The names of the metrics are those of the study that was checked last (`user_code.declare`).

    Parameters
    ----------
    classes
        Names of the classes.

    Raises
    ------
    CampareError
        A metric fails, or does not return a value per pair.
    """
    names = [user_code.short(name) for name in user_code.functions("metric")]
    if not names:
        return
    from campare import similarity

    random = np.random.default_rng(0)
    grid = similarity.Grid.of((4, 4), (8, 8))
    p, q = (
        similarity.MapBatch(
            random.standard_normal((2, 4, 4), np.float32),
            random.standard_normal((2, len(classes)), np.float32),
            grid,
        )
        for _ in range(2)
    )
    for name in names:
        similarity.measure(name, similarity.Pairs(p, q, 1e-12))


def _check_hybrid(dataset: Dataset, complete: Mapping[str, Any]) -> None:
    """Check the network, the target layer and the CAM method of the hybrid of a complete study."""
    import torch
    from torch import nn

    from campare import models, svm

    hybrid = complete["hybrid"]
    settings = _candidate(complete, hybrid["network"])
    _check_scores(dataset, settings)
    network, shape = _built(dataset, settings)
    svm.with_head(network, nn.Identity())
    layer = hybrid["target_layer"] or models.last_map(network, shape)
    models.target_layer(network, layer, shape, key="hybrid.target_layer")
    if user_code.is_reference(hybrid["method"]):
        features = network.eval()(torch.zeros(1, *shape)).shape[1]
        network, _ = _built(dataset, settings)
        svm.with_head(network, svm.Decision(_any_svm(features, len(dataset.classes))))
        _, module = models.target_layer(network, layer, shape, key="hybrid.target_layer")
        head = models.head(network, module, shape)
        _try_method(hybrid["method"], network, module, head, dataset, shape)


def _candidate(complete: Mapping[str, Any], architecture: str) -> Settings:
    """Settings of a network without maps."""
    from campare.settings import Settings

    training = Design(complete).candidate(architecture)
    training.pop("steps_per_epoch", None)  # in place of a batch size, which has no effect here
    return Settings(**{"batch_size": 1, **training})


def _any_svm(features: int, classes: int) -> svm.SVM:
    """A classifier of this shape with random numbers."""
    from campare import svm

    random = np.random.default_rng(0)
    pairs = classes * (classes - 1) // 2
    return svm.SVM(
        kernel="linear",
        c=1.0,
        gamma=1.0,
        classes=classes,
        mean=np.zeros(features),
        scale=np.ones(features),
        support=random.standard_normal((2, features)),
        coefficient=random.standard_normal((2, pairs)),
        intercept=np.zeros(pairs),
    )


def _try_method(
    method: str,
    network: nn.Module,
    layer: nn.Module,
    head: nn.Linear | None,
    dataset: Dataset,
    shape: tuple[int, int, int],
) -> None:
    """Make maps of two images with a CAM method of the user."""
    from campare import cams

    next(
        cams.compute(
            network,
            layer,
            head,
            dataset.images[:2].copy(),
            mean=[0.5] * shape[0],
            std=[0.5] * shape[0],
            input_size=shape[1:],
            method=method,
        )
    )


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
    shape = (channels, *pair(settings.input_size))
    finetuning.prepare(network, settings, shape)  # raises if there are no such layers
    return network, shape
