"""Maps of transformed images: geometry against torchvision, networks that are equivariant."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray
from torch import nn
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as F

from campare import equivariance, registry, similarity
from campare.config import complete
from campare.design import Design
from campare.errors import CampareError

INDEX = np.arange(6)
FLIP = [("horizontal_flip", {"probability": 1})]
ROTATION = [("rotation", {"degrees": 40.0, "interpolation": "bilinear", "fill": 90})]


def pictures(side: int = 24, channels: int = 3) -> NDArray[np.uint8]:
    """Smooth images, so that interpolated positions and levels agree."""
    random = np.random.default_rng(1).uniform(0, 255, (len(INDEX), channels, 5, 5))
    smooth = nn.functional.interpolate(torch.from_numpy(random), (side, side), mode="bicubic")
    return smooth.clamp(0, 255).permute(0, 2, 3, 1).numpy().astype(np.uint8)


GEOMETRIC: dict[str, dict[str, Any]] = {
    "affine": {"degrees": 15.0, "translate": 0.1, "scale": [0.8, 1.2], "shear": 10.0}
    | {"interpolation": "nearest", "fill": 7},
    "elastic": {"alpha": 50.0, "sigma": 5.0, "interpolation": "bilinear", "fill": 0},
    "random_crop": {"scale": [0.5, 1.0], "ratio": [0.75, 1.33]},
    "scaling": {"scale": [0.7, 1.3], "interpolation": "bilinear", "fill": 0},
    "horizontal_flip": {"probability": 0.5},
    "vertical_flip": {"probability": 0.5},
    "rotation": {"degrees": 40.0, "interpolation": "bilinear", "fill": 90},
    "translation": {"translate": 0.2, "fill": 255},
    "shift": {"padding": 4, "border": "reflect", "fill": 0},
    "shear": {"degrees": 10.0, "interpolation": "nearest", "fill": 0},
    "perspective": {"distortion": 0.5, "interpolation": "bilinear", "fill": 0, "probability": 0.5},
}


@pytest.mark.parametrize("name", GEOMETRIC)
def test_a_map_is_moved_as_the_image_is(name: str) -> None:
    steps = [(name, GEOMETRIC[name])]
    images = pictures()
    where = equivariance.moved(steps, 24, INDEX, 3)
    expected = equivariance.applied(steps, images, INDEX, 3)[..., 0]
    found = equivariance.transformed(images[..., 0].astype(np.float32), where)
    assert where.valid.any(axis=(1, 2)).all()
    difference = np.abs(found - expected)[where.valid]
    # Images are rounded to levels, interpolated positions to 1/11 pixel.
    assert difference.max() < 4
    assert difference.mean() < 1


def test_all_geometric_augmentations_are_tested() -> None:
    assert {name for name in registry.AUGMENTATIONS if registry.moves_pixels(name)} == set(
        GEOMETRIC
    )


def test_positions_are_those_of_torchvision() -> None:
    """torchvision rotates an image whose levels are the numbers of its columns."""
    degrees = {"degrees": 23.0, "interpolation": "bilinear", "fill": 0}
    where = equivariance.moved([("rotation", degrees)], 24, INDEX, 3)
    # The drawn angle of an image, from the positions of two pixels
    across, down = (place[:, 12, 18] - place[:, 12, 5] for place in (where.column, where.row))
    ramp = torch.arange(24.0).expand(1, 24, 24)
    for image, angle in enumerate(np.rad2deg(np.arctan2(down, across))):
        turned = F.rotate(ramp, float(angle), InterpolationMode.BILINEAR, fill=[-1000.0])[0].numpy()
        valid = where.valid[image]
        assert np.abs(turned - where.column[image])[valid & (turned >= 0)].max() < 0.2
        # Near the border torchvision mixes the fill in.
        assert (turned[valid] >= 0).mean() > 0.95
        assert (turned[~valid] < 0).mean() > 0.5


def test_photometric_steps_leave_every_pixel_where_it_is() -> None:
    steps = [("gaussian_blur", {"kernel_size": 5, "sigma": [0.1, 2.0]}), *FLIP]
    where = equivariance.moved(steps, 24, INDEX, 3)
    np.testing.assert_array_equal(where.column, np.broadcast_to(np.arange(24)[::-1], (6, 24, 24)))
    assert where.valid.all()


def test_positions_of_large_images_are_right_to_a_pixel() -> None:
    where = equivariance.moved(FLIP, 299, INDEX[:1], 0)
    assert np.abs(where.column[0] - np.arange(299)[::-1]).max() < 1


class Symmetric(nn.Module):
    """Convolutions with kernels that equal their mirror image, and global average pooling."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        first, second = (nn.Conv2d(a, b, 3, padding=1) for a, b in ((3, 8), (8, 6)))
        for layer in (first, second):
            with torch.no_grad():
                layer.weight.copy_((layer.weight + layer.weight.flip(-1)) / 2)
        self.features = nn.Sequential(first, nn.ReLU(), second, nn.ReLU())
        self.head = nn.Linear(6, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.features(x).mean(dim=(2, 3)))


def measured(
    network: Any, transforms: dict[str, equivariance.Steps], metrics: list[str]
) -> pd.DataFrame:
    tables = equivariance.measure(
        network, network.features, None, pictures(), INDEX, np.array([0, 1, 2, 3, 0, 1]),
        transforms, metrics, seed=2, epsilon=1e-7, mean=[0.5] * 3, std=[0.25] * 3, input_size=24,
        fold_batch_norm=False,
    )  # fmt: skip
    return pd.concat(list(tables))


def test_a_network_with_symmetric_kernels_is_equivariant_under_flips_alone() -> None:
    found = measured(Symmetric(), {"flip": FLIP, "rotation": ROTATION}, ["overlap_20", "pearson"])
    own = found[found["map"] == "own"].groupby("transform")
    flips, turns = (own.get_group(name) for name in ("flip", "rotation"))
    np.testing.assert_allclose(flips[["overlap_20", "pearson"]], 1, atol=1e-4)
    assert (flips["prediction"] == flips["transformed_prediction"]).all()
    assert (turns[["overlap_20", "pearson"]] < 0.999).all(axis=None)
    assert (flips["valid"] == 1).all() and (turns["valid"] < 1).any()
    # Another image's map is no substitute.
    other = found[(found["map"] == "other") & (found["transform"] == "flip")]
    assert other["pearson"].mean() < 0.8


def test_an_asymmetric_network_is_not_equivariant_under_flips() -> None:
    network = Symmetric()
    with torch.no_grad():
        network.features[0].weight.normal_(generator=torch.Generator().manual_seed(1))
    found = measured(network, {"flip": FLIP}, ["pearson"])
    assert (found.loc[found["map"] == "own", "pearson"] < 0.999).all()


def test_maps_within_a_region_are_compared_by_the_metrics_of_the_study() -> None:
    random = np.random.default_rng(0)
    first, second = random.random((2, 5, 8, 8)).astype(np.float32)
    valid = np.ones((5, 8, 8), bool)
    valid[3:, :3] = False
    names = ["overlap_20", "pearson", "spearman", "kl"]
    found = equivariance.compared(first, second, valid, names, 1e-7)
    for row in range(5):
        shown = [each[row][valid[row]][None, None] for each in (first, second)]
        grid = similarity.Grid.of(shown[0].shape[1:], None)
        p, q = (similarity.MapBatch(one, np.zeros((1, 2), np.float32), grid) for one in shown)
        pairs = similarity.Pairs(p, q, 1e-7), similarity.Pairs(q, p, 1e-7)
        for name in names:
            expected = np.mean([similarity.measure(name, order)[name] for order in pairs])
            assert found[name][row] == pytest.approx(expected, rel=1e-6), name
    # A Pearson correlation by numpy, of the pixels of the region
    expected = np.corrcoef(first[4][valid[4]], second[4][valid[4]])[0, 1]
    assert found["pearson"][4] == pytest.approx(expected, abs=1e-5)


def test_a_region_without_pixels_has_no_value() -> None:
    maps = np.ones((1, 4, 4), np.float32)
    found = equivariance.compared(maps, maps, np.zeros((1, 4, 4), bool), ["pearson"], 1e-7)
    assert np.isnan(found["pearson"]).all()


STUDY: dict[str, Any] = {
    "study": "s",
    "data": {"name": "digits"},
    "model": {"architecture": "small_cnn"},
    "robustness": {},
}


def test_the_studys_augmentations_are_transforms_if_they_keep_the_content() -> None:
    augmentations = {
        "affine": {},
        "cutmix": {},
        "rand_augment": {},
        "jitter": {"compose": ["color_jitter", "horizontal_flip"]},
        "crop_out": {"compose": ["random_crop", "cutout"]},
    }
    design = Design(complete(STUDY | {"augmentations": augmentations}, "s.yaml"))
    assert list(design.test_transforms) == ["flipped", "shifted", "rotated", "affine", "jitter"]
    own = {"transforms": {"noise": {"use": "gaussian_noise", "sigma": 0.2}}, "augmentations": False}
    study = STUDY | {"augmentations": augmentations, "robustness": own}
    assert Design(complete(study, "s.yaml")).test_transforms == {
        "noise": [["gaussian_noise", {"mean": 0.0, "sigma": 0.2}]]
    }


@pytest.mark.parametrize(
    ("transforms", "parts"),
    [
        ({"hole": {"use": "cutout"}}, ["robustness.transforms.hole", "choose another"]),
        ({"affine": {}}, ["robustness.transforms.affine", "an augmentation of the study"]),
        ({"turned": {"use": "rotationn"}}, ["robustness.transforms.turned", "mean 'rotation'"]),
        ({"turned": {"use": "rotation", "degrees": 500}}, ["transforms.turned.degrees: 500"]),
        ({"Turned": {}}, ["robustness.transforms", "small letters"]),
    ],
)
def test_mistakes_have_one_message(transforms: dict[str, Any], parts: list[str]) -> None:
    study = STUDY | {"augmentations": {"affine": {}}, "robustness": {"transforms": transforms}}
    with pytest.raises(CampareError) as caught:
        complete(study, "s.yaml")
    for part in parts:
        assert part in str(caught.value)
