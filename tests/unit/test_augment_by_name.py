"""Transforms of torchvision and albumentations by name: keyed by image, checked early."""

from __future__ import annotations

import importlib.util
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torchvision.transforms import v2

import early_checks
from campare import config, data, libraries, registry
from campare.augment import Augmenter, Batch
from campare.errors import CampareError

albumentations = pytest.importorskip("albumentations")

STUDY: dict[str, Any] = {
    "study": "s",
    "data": {"name": "digits"},
    "model": {"architecture": "small_cnn"},
    "augmentations": {},
}
# Parameters without defaults, and others that make a transform keep the size.
NEEDED: dict[str, dict[str, dict[str, Any]]] = {
    "torchvision": {
        "JPEG": {"quality": [20, 60]},
        "GaussianBlur": {"kernel_size": 3},
        "Grayscale": {"num_output_channels": 3},
        "RandomAdjustSharpness": {"sharpness_factor": 2},
        "RandomAffine": {"degrees": 20, "interpolation": "bilinear"},
        "RandomCrop": {"size": 24, "padding": 3},
        "RandomPosterize": {"bits": 3},
        "RandomResizedCrop": {"size": [24, 24]},
        "RandomRotation": {"degrees": 30},
        "RandomSolarize": {"threshold": 90},
        "AutoAugment": {"policy": "svhn"},
    },
    "albumentations": {
        "CenterCrop": {"height": 24, "width": 24},
        "Crop": {"x_max": 24, "y_max": 24},
        "CropAndPad": {"px": 3},
        "RandomCrop": {"height": 24, "width": 24},
        "RandomResizedCrop": {"size": [24, 24]},
        "RandomSizedCrop": {"min_max_height": [10, 20], "size": [24, 24]},
        "FrequencyMasking": {"freq_mask_param": 9},
        "GridElasticDeform": {"num_grid_xy": [3, 3], "magnitude": 3},
        "TimeMasking": {"time_mask_param": 9},
        "Downscale": {"scale_range": [0.5, 0.5]},
    },
}


def _images(count: int, channels: int = 3, side: int = 24) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(count, channels, 4, 4, generator=generator) * 255
    smooth = torch.nn.functional.interpolate(coarse, (side, side), mode="bilinear")
    return smooth.to(torch.uint8)


def _augmenter(library: str, name: str, seed: int = 1, **parameters: Any) -> Augmenter:
    given = NEEDED[library].get(name, {}) | parameters
    pool = Batch(_images(1), torch.ones(1, 1))
    return Augmenter([(library, {"name": name, **given})], seed, pool)


def _apply(augmenter: Augmenter, images: Tensor, source: Tensor, epoch: int = 0) -> Tensor:
    batch = Batch(images, torch.ones(len(images), 1))
    return augmenter(batch, source, source % 2, epoch).images


def _numpy_state() -> list[int]:
    return np.random.get_state()[1].tolist()  # noqa: NPY002


def _usable() -> list[tuple[str, str]]:
    return [
        (library, name)
        for library in libraries.LIBRARIES
        for name, reason in libraries._transforms(library).items()
        if not reason
    ]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(("library", "name"), _usable())
def test_a_result_depends_on_the_key_alone(library: str, name: str) -> None:
    libraries.check(library, {"name": name, **NEEDED[library].get(name, {})})
    images, source = _images(7), torch.arange(7) * 5
    whole = _apply(_augmenter(library, name), images, source, epoch=3)
    assert whole.shape == images.shape
    turned = torch.tensor([4, 1, 6, 0, 5, 3, 2])
    again = _augmenter(library, name)
    assert torch.equal(_apply(again, images[turned], source[turned], epoch=3), whole[turned])
    one = [_apply(again, images[k : k + 1], source[k : k + 1], epoch=3) for k in range(7)]
    assert torch.equal(torch.cat(one), whole)
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert torch.equal(_apply(again, images, source, epoch=3), whole)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize(
    ("library", "name"), [("torchvision", "ElasticTransform"), ("albumentations", "GaussNoise")]
)
def test_seed_epoch_and_image_change_the_numbers_and_nothing_global_does(
    library: str, name: str
) -> None:
    images, source = _images(1).expand(6, -1, -1, -1), torch.arange(6)
    options = {"p": 1.0} if library == "albumentations" else {}
    augmenter = _augmenter(library, name, **options)
    before = torch.get_rng_state(), random.getstate(), _numpy_state()
    first = _apply(augmenter, images, source)
    after = torch.get_rng_state(), random.getstate(), _numpy_state()
    assert torch.equal(before[0], after[0])
    assert before[1:] == after[1:]
    assert len({tuple(image.flatten().tolist()) for image in first}) == 6
    torch.manual_seed(9)
    assert torch.equal(_apply(augmenter, images, source), first)
    assert not torch.equal(_apply(augmenter, images, source, epoch=1), first)
    assert not torch.equal(_apply(augmenter, images, source + 6), first)
    assert not torch.equal(
        _apply(_augmenter(library, name, seed=2, **options), images, source), first
    )


def test_it_is_the_librarys_transform_with_these_parameters() -> None:
    images, source = _images(5), torch.arange(5)
    ours = _apply(_augmenter("torchvision", "RandomPosterize", bits=2, p=1), images, source)
    assert torch.equal(ours, v2.functional.posterize(images, 2))
    turned = _augmenter("torchvision", "RandomRotation", degrees=[90, 90], interpolation="bilinear")
    assert torch.equal(_apply(turned, images, source), images.rot90(1, (2, 3)))
    noisy = _augmenter("albumentations", "Transpose", p=1.0)
    assert torch.equal(_apply(noisy, images, source), images.transpose(2, 3))


@pytest.mark.parametrize("channels", [1, 3])
def test_grey_images_keep_their_channel(channels: int) -> None:
    images = _images(4, channels)
    for library, name in (("torchvision", "GaussianBlur"), ("albumentations", "GaussianBlur")):
        options = {"kernel_size": 5} if library == "torchvision" else {"p": 1.0}
        result = _apply(_augmenter(library, name, **options), images, torch.arange(4))
        assert result.shape == images.shape
        assert not torch.equal(result, images)
    none = _apply(_augmenter("albumentations", "Blur"), images[:0], torch.arange(0))
    assert none.shape == (0, channels, 24, 24)


@pytest.mark.parametrize(
    ("library", "name", "parameters", "message"),
    [
        ("torchvision", "RandomCrop", {"size": 20}, r"RandomCrop makes 3 × 20 × 20 uint8 of an im"),
        ("torchvision", "ElasticTransform", {"alpha": "x"}, "torchvision's ElasticTransform: "),
        ("torchvision", "RandomAffine", {"degrees": 9, "interpolation": "no"}, "'no' is not a val"),
        ("albumentations", "Crop", {"x_max": 9, "y_max": 9}, "Crop makes 3 × 9 × 9 uint8"),
        ("albumentations", "GaussianBlur", {"sigma_limit": "x"}, "albumentations' GaussianBlur: "),
    ],
)
def test_what_a_library_refuses_is_one_message(
    library: str, name: str, parameters: dict[str, Any], message: str
) -> None:
    with pytest.raises(CampareError, match=message) as caught:
        _apply(_augmenter(library, name, **parameters), _images(1), torch.arange(1))
    assert "\n" not in str(caught.value)


def _complete(**augmentations: Any) -> config.Config:
    return config.complete(STUDY | {"augmentations": augmentations}, "study.yaml")


def test_both_can_be_an_augmentation_a_step_of_one_and_swept() -> None:
    elastic = {"torchvision": {"name": "ElasticTransform", "alpha": 40.0}}
    fog = {"albumentations": {"name": "RandomFog"}}
    study = config.complete(
        STUDY
        | {
            "augmentations": {"my": elastic, "both": {"compose": [fog, "equalize", elastic]}},
            "sweep": {"my": {"alpha": [10, 20.5]}},
        },
        "study.yaml",
    )["augmentations"]
    assert study["my"] == [["torchvision", {"name": "ElasticTransform", "alpha": 40.0}]]
    assert [name for name, _ in study["both"]] == ["albumentations", "equalize", "torchvision"]
    assert study["my_alpha_20p5"][0][1] == {"name": "ElasticTransform", "alpha": 20.5}
    assert registry.functions(registry.STEPS, [name for name, _ in study["both"]]) == [
        "augment.by_name:albumentations",
        "augment.colour:equalize",
        "augment.by_name:torchvision",
    ]


@pytest.mark.parametrize(
    ("spec", "parts"),
    [
        (
            {"torchvision": {"name": "ElasticTransfrom"}},
            ["x.torchvision.name", "'ElasticTransform'"],
        ),
        ({"torchvision": {"name": "ElasticTransform", "alfa": 1}}, ["torchvision.alfa", "'alpha'"]),
        ({"torchvision": {"name": "RandomPosterize"}}, ["torchvision.bits: required by"]),
        ({"torchvision": {"alpha": 1}}, ["torchvision.name: is required"]),
        ({"torchvision": {"name": 3}}, ["torchvision.name: 3; must be text"]),
        ({"torchvision": "ElasticTransform"}, ["x.torchvision: 'ElasticTransform'; must be a map"]),
        ({"torchvision": {"name": "Resize", "size": 3}}, ["Resize changes the size of the image"]),
        ({"torchvision": {"name": "ToDtype"}}, ["ToDtype does not return levels"]),
        ({"torchvision": {"name": "MixUp"}}, ["MixUp needs labels; use mixup"]),
        ({"torchvision": {"name": "Compose"}}, ["list them under compose"]),
        ({"torchvision": {"name": "JPEG"}, "alpha": 3}, ["torchvision needs {name: <class>"]),
        ({"albumentations": {"name": "RandomFogg"}}, ["albumentations.name", "'RandomFog'"]),
        ({"albumentations": {"name": "RandomFog", "q": 1}}, ["albumentations.q", "no such param"]),
        ({"albumentations": {"name": "Mosaic"}}, ["Mosaic needs labels, boxes"]),
        (
            {"compose": [{"torchvision": {"name": "JPG"}}]},
            ["x.compose.torchvision.name", "'JPEG'"],
        ),
        ({"compose": ["torchvision"]}, ["x.compose.torchvision.name: is required"]),
    ],
)
def test_mistakes_are_found_with_the_config(spec: dict[str, Any], parts: list[str]) -> None:
    with pytest.raises(CampareError) as caught:
        _complete(x=spec)
    message = str(caught.value)
    assert message.startswith("study.yaml: augmentations.x")
    for part in parts:
        assert part in message, message


def test_a_package_that_is_not_installed_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if "ment" in name else find(name)
    )
    for cached in (libraries._sources, libraries._transforms, libraries._arguments):
        cached.cache_clear()
    try:
        with pytest.raises(
            CampareError, match=r"x\.albumentations\.albumentations is not installed"
        ):
            _complete(x={"albumentations": {"name": "RandomFog"}})
    finally:
        for cached in (libraries._sources, libraries._transforms, libraries._arguments):
            cached.cache_clear()


def test_all_arguments_of_torchvisions_signatures_are_known() -> None:
    import inspect

    for name, reason in libraries._transforms("torchvision").items():
        if reason:
            continue
        signature = inspect.signature(getattr(v2, name).__init__).parameters
        expected = {
            key: one.default is inspect.Parameter.empty
            for key, one in signature.items()
            if key != "self" and one.kind is not inspect.Parameter.VAR_KEYWORD
        }
        assert libraries._arguments("torchvision", name) == expected, name


@pytest.mark.parametrize("at", ["native", "input"])
def test_a_transform_that_changes_the_size_is_refused_before_training(
    at: str, tmp_path: Path
) -> None:
    images = np.zeros((3, 28, 28, 1), np.uint8)
    dataset = data.Dataset(images, np.zeros(3, np.int64), ["a"], None)
    side = {"native": 28, "input": 32}[at]
    study = STUDY | {"augmenting": {"at": at}, "augmentations": {
        "fine": {"torchvision": {"name": "RandomCrop", "size": side, "padding": 2}},
        "equalize": {},
    }}  # fmt: skip
    early_checks.check_transforms(dataset, study)
    study["augmentations"]["other"] = {"torchvision": {"name": "RandomCrop", "size": side - 1}}
    with pytest.raises(
        CampareError, match=rf"augmentations\.other: .* 1 × {side - 1} × {side - 1}"
    ):
        early_checks.check_transforms(dataset, study)
