"""Images, inputs and maps that are not squares, against libraries that know any size."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import test_config
import test_faithfulness
import test_paper_methods
import test_train
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from scipy import ndimage
from sklearn.metrics import average_precision_score
from test_cams import MEAN, STD
from torch import nn
from torchvision.models import VisionTransformer
from torchvision.models.swin_transformer import SwinTransformer
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as F

from campare import (
    cams,
    corruptions,
    data,
    deletion,
    equivariance,
    explorer_images,
    faithfulness,
    localisation,
    maps,
    models,
    mosaics,
    needs,
    photographs,
    registry,
    sanity,
    similarity,
    sizes,
    stacking,
    store,
    uninformative,
)
from campare.design import Design
from campare.errors import CampareError
from campare.feed import Feed
from campare.paper import methods
from campare.plots import canvas
from campare.plots.canvas import blank_canvas
from campare.preprocess import at_input_size, prepare, resized
from early_checks import check_transforms
from library import METHODS, apart, explained, settled

WIDE, TALL = (40, 64), (72, 40)
RANDOM = np.random.default_rng(0)
DEFAULTS = {"metrics": ["overlap_20", "pearson", "spearman", "mad", "kl"], "epsilon": 1e-12}


def pictures(size: tuple[int, int], count: int = 4, channels: int = 3) -> NDArray[np.uint8]:
    """Smooth random images, uint8 (N, H, W, C)."""
    coarse = np.random.default_rng(0).random((count, channels, 5, 7), np.float32) * 255
    smooth = nn.functional.interpolate(torch.from_numpy(coarse), size, mode="bicubic")
    return smooth.clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).numpy()


# Sizes and the config ---------------------------------------------------------------------------


def test_a_size_is_a_side_or_height_and_width() -> None:
    assert sizes.pair(32) == sizes.pair([32, 32]) == (32, 32)
    assert [sizes.shape(size) for size in (8, (5, 9), [9, 5])] == ["square", "wide", "tall"]
    assert (sizes.text([40, 64]), sizes.written([40, 64])) == ("40 × 64 pixels", "[40, 64]")
    assert sizes.written((32, 32)) == "32"


def study(size: Any, source: dict[str, Any], **more: Any) -> dict[str, Any]:
    return test_config.complete(
        data=source, model={"architecture": "small_cnn", "input_size": size}, **more
    )


def test_a_number_stays_a_number_and_equal_sides_become_one() -> None:
    digits = {"name": "digits"}
    assert study(16, digits)["model"]["input_size"] == 16
    assert study([16, 16], digits) == study(16, digits)
    complete = study([12, 20], {**digits, "size": [6, 10]})
    assert (complete["model"]["input_size"], complete["data"]["size"]) == ([12, 20], [6, 10])
    assert Design(complete).training(("baseline", 1))["input_size"] == [12, 20]


@pytest.mark.parametrize(
    ("size", "source", "message"),
    [
        ([12, 20], {"name": "digits"}, r"model\.input_size: \[12, 20\] is wide.*8 × 8 .* square"),
        (16, {"name": "digits", "size": [6, 10]}, r"data\.size to 16 .*input_size to \[6, 10\]"),
        ([20, 12], {"name": "digits", "size": [6, 10]}, r"\[20, 12\] is tall.* are wide"),
        (16, {"name": "shapes", "size": [40, 64]}, r"data\.size: \[40, 64\], but shapes draws sq"),
        ([40, 64], {"name": "shapes"}, r"model\.input_size: \[40, 64\], but shapes draws square"),
        ([12], {"name": "digits"}, r"model\.input_size: \[12\]; must be .*\[height, width\]"),
        ([4, 20], {"name": "digits"}, r"model\.input_size\.0: 4; must be a whole number ≥ 8"),
        (4, {"name": "digits"}, r"input_size: 4; must be a whole number ≥ 8, .*\[height, width\]$"),
        ("32", {"name": "digits"}, r"model\.input_size: '32'.*write 32"),
        (16, {"name": "digits", "size": [6, 7, 8]}, r"data\.size: \[6, 7, 8\]; must be"),
    ],
)  # fmt: skip
def test_sizes_that_do_not_fit_are_refused_with_one_message(
    size: Any, source: dict[str, Any], message: str
) -> None:
    with pytest.raises(CampareError, match=message):
        study(size, source)


def test_an_occluding_patch_must_fit_the_shorter_side() -> None:
    source = {"name": "digits", "size": [12, 20]}
    study([12, 20], source, occlusion={"sizes": [12]})
    with pytest.raises(CampareError, match=r"occlusion\.sizes: 13 .* 12×20 pixels"):
        study([12, 20], source, occlusion={"sizes": [13]})


# Data -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(10, 24), (24, 10), (16, 16)])
@pytest.mark.parametrize("given", [(30, 40), (40, 30), (20, 20), (9, 90)])
def test_images_are_cropped_and_padded_as_pillow_does(
    given: tuple[int, int], size: tuple[int, int]
) -> None:
    image = Image.fromarray(pictures(given, 1)[0])
    crop = data._fitted(image, size, "crop")
    assert np.array_equal(crop, ImageOps.fit(image, size[::-1], Image.Resampling.BILINEAR))
    pad = np.asarray(data._fitted(image, size, "pad"))
    assert pad.shape == (*size, 3)
    inner = ImageOps.contain(image, size[::-1], Image.Resampling.BILINEAR)
    top, left = (size[0] - inner.height) // 2, (size[1] - inner.width) // 2
    part = pad[top : top + inner.height, left : left + inner.width]
    assert np.array_equal(part, inner)
    assert pad.astype(int).sum() == part.astype(int).sum()  # black around it


def test_masks_are_resized_as_their_images_are() -> None:
    mask = np.zeros((1, 30, 40), bool)
    mask[0, 5:25, 10:20] = True
    shown = Image.fromarray(mask[0].astype(np.uint8) * np.uint8(255))
    for fit in ("crop", "pad"):
        expected = np.asarray(data._fitted(shown, (10, 24), fit)) > 127
        assert np.array_equal(stacking._fitted_masks(mask, (10, 24), fit)[0], expected)


def test_a_data_set_has_the_shape_of_the_networks_input() -> None:
    arguments: dict[str, Any] = {"root": None, "fit": "pad", "channels": None}
    found = data.load("digits", size=[6, 10], input_shape="wide", **arguments)
    assert found.images.shape[1:3] == (6, 10)
    with pytest.raises(CampareError, match=r"data\.size: the images have 8 × 8 .* is tall"):
        data.load("digits", size=None, input_shape="tall", **arguments)


@pytest.mark.parametrize("size", [(20, 36), (36, 20)])
def test_images_are_prepared_as_torchvision_does(size: tuple[int, int]) -> None:
    images = torch.from_numpy(pictures(WIDE)).permute(0, 3, 1, 2)
    expected = F.resize(images.float() / 255, list(size), InterpolationMode.BILINEAR)
    expected = F.normalize(expected, list(MEAN), list(STD))
    assert torch.allclose(prepare(images, MEAN, STD, size), expected, atol=2e-6)
    whole = F.resize(images.float(), list(size), InterpolationMode.BILINEAR).round().byte()
    assert torch.equal(resized(images, size), whole)
    stored = at_input_size(images.permute(0, 2, 3, 1).numpy(), size)
    assert np.array_equal(stored, whole.permute(0, 2, 3, 1))


def test_augmenting_at_the_input_sees_images_of_that_size() -> None:
    _, labels, index = test_train.grey(20)
    images = torch.randint(0, 256, (20, 3, 8, 12), dtype=torch.uint8)
    chosen = test_train.settings("cutmix", augment_at="input", input_size=[20, 28])
    found, _ = test_train.epoch_of(Feed(chosen, images, labels, index, 4), 1)
    assert found.shape[1:] == (3, 20, 28)


def test_a_photograph_fills_the_canvas_of_the_data() -> None:
    photo = np.zeros((50, 90), np.uint8)
    photo[10:30, 20:60] = 200  # twice as wide as high
    for size, box in (((40, 64), (32, 64)), ((64, 40), (20, 40)), ((20, 64), (20, 40))):
        found = photographs.prepared(photo, size, 0.5)
        assert found.shape == size
        rows, columns = np.flatnonzero(found.any(1)), np.flatnonzero(found.any(0))
        assert (len(rows), len(columns)) == box
        assert abs(rows[0] - (size[0] - 1 - rows[-1])) <= 1
        assert abs(columns[0] - (size[1] - 1 - columns[-1])) <= 1


def test_a_transform_that_may_turn_a_wide_image_is_refused_before_training() -> None:
    images = data.Dataset(pictures((8, 12), 1), np.zeros(1, np.int64), ("a", "b"), np.array([""]))
    own = {"turned": {"albumentations": {"name": "RandomRotate90", "p": 0.5}}}
    given = {
        **test_config.STUDY, "data": {"name": "digits", "size": [8, 12]},
        "model": {"architecture": "small_cnn", "input_size": [8, 12]}, "augmentations": own,
    }  # fmt: skip
    with pytest.raises(CampareError, match=r"RandomRotate90 makes 3 × 12 × 8 .* 3 × 8 × 12"):
        check_transforms(images, given)


# Networks and maps ------------------------------------------------------------------------------


def prepared(images: NDArray[np.uint8], size: tuple[int, int]) -> torch.Tensor:
    inputs = prepare(torch.from_numpy(images).permute(0, 3, 1, 2), MEAN, STD, size)
    return inputs.contiguous(memory_format=torch.channels_last)


def computed(network: nn.Module, images: Any, size: tuple[int, int], method: str) -> Any:
    """The name of the target layer, and maps (N, h, w)."""
    shape = (3, *size)
    name, layer = models.target_layer(network, None, shape)
    options = {"mean": MEAN, "std": STD, "input_size": size, "fold_batch_norm": False}
    batches = cams.compute(
        network, layer, models.head(network, layer, shape), images, method=method, **options
    )
    return name, np.concatenate([batch.maps for batch in batches])


@pytest.mark.parametrize("method", METHODS)
def test_every_method_equals_the_library(method: str) -> None:
    images = pictures((30, 50))
    network = models.build("small_cnn", classes=10, channels=3, seed=0)
    network = settled(network, prepared(images, WIDE))
    layer = network.get_submodule("features")
    expected = explained(method, network, layer, prepared(images, WIDE))
    assert expected.shape == (4, *WIDE)
    _, found = computed(network, images, WIDE, method)
    assert found.shape == (4, 10, 16)
    assert apart(method, found, expected) <= 1e-5


@pytest.mark.parametrize("size", [WIDE, TALL])
@pytest.mark.parametrize(
    ("architecture", "layer"),
    [("cifar_cnn", "blocks.2"), ("fashion_cnn_deep", None), ("shufflenet_v2_x0_5", "conv5")],
)
def test_architectures_of_the_registry_equal_the_library(
    architecture: str, layer: str | None, size: tuple[int, int]
) -> None:
    images = pictures(size, 3)
    network = models.build(architecture, classes=10, channels=3, seed=0)
    network = settled(network, prepared(images, size)).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    name, found = computed(network, images, size, "gradcam")
    assert layer is None or name == layer
    ratio = found.shape[1] * size[1] - found.shape[2] * size[0]
    assert abs(ratio) <= max(size)  # the aspect ratio of the image, up to a position
    expected = explained("gradcam", network, network.get_submodule(name), prepared(images, size))
    assert apart("gradcam", found, expected) <= 1e-5


def swin(channels: int = 8) -> nn.Module:
    torch.manual_seed(0)
    return SwinTransformer(
        patch_size=[4, 4], embed_dim=channels, depths=[1, 1], num_heads=[2, 2], window_size=[4, 4],
        num_classes=10,
    ).eval()  # fmt: skip


def test_channels_last_are_found_in_maps_that_are_not_squares() -> None:
    images, size = pictures(WIDE, 2), WIDE
    network = swin()
    expected = explained(
        "gradcam", network, network.norm, prepared(images, size),
        reshape_transform=lambda output: output.permute(0, 3, 1, 2),
    )  # fmt: skip
    name, found = computed(network, images, size, "gradcam")
    assert (name, found.shape) == ("norm", (2, 5, 8))
    assert apart("gradcam", found, expected) <= 1e-5


def grid_of(height: int, width: int) -> Callable[[torch.Tensor], torch.Tensor]:
    """The library's `reshape_transform` for tokens of a grid after a class token."""
    return lambda output: output[:, 1:].reshape(len(output), height, width, -1).permute(0, 3, 1, 2)


class WideTransformer(VisionTransformer):
    """A vision transformer for images of 24 × 40 pixels only."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        super().__init__(
            image_size=40, patch_size=8, num_layers=2, num_heads=2, hidden_dim=16, mlp_dim=32,
            num_classes=10,
        )  # fmt: skip
        self.encoder.pos_embedding = nn.Parameter(torch.randn(1, 1 + 15, 16))
        nn.init.normal_(self.heads.head.weight)

    def _process_input(self, x: torch.Tensor) -> torch.Tensor:
        torch._assert(x.shape[2:] == (24, 40), "for 24 × 40 pixels only")
        return self.conv_proj(x).flatten(2).transpose(1, 2)


def test_tokens_of_a_grid_that_is_not_square_become_a_map() -> None:
    images, size = pictures((24, 40), 2), (24, 40)
    network = WideTransformer().eval()
    theirs = network.encoder.layers[-1].ln_1
    expected = explained(
        "gradcam", network, theirs, prepared(images, size), reshape_transform=grid_of(3, 5)
    )
    _, found = computed(network, images, size, "gradcam")
    assert found.shape == (2, 3, 5)
    assert apart("gradcam", found, expected) <= 1e-5


@pytest.mark.parametrize(
    ("architecture", "message"),
    [
        ("two_conv", r"model\.input_size: two_conv needs 28 px"),
        ("resnet18", r"single pixel at 20 × 32 px.*set it to \[\d+, \d+\] or"),
        ("timm:test_vit", r"does not run on images of 20 × 32 px .*set it to \[48, 80\] or"),
    ],
)
def test_a_network_that_cannot_says_which_size_it_needs(architecture: str, message: str) -> None:
    network = models.build(architecture, classes=4, channels=3, seed=0)
    with pytest.raises(CampareError, match=message):
        models.target_layer(network, None, (3, 20, 32))


def test_a_transformer_for_one_size_says_which() -> None:
    network = VisionTransformer(
        image_size=32, patch_size=8, num_layers=1, num_heads=2, hidden_dim=16, mlp_dim=16
    )
    with pytest.raises(CampareError, match=r"20 × 32 px \(Wrong image height.*set it to 32 or"):
        models.target_layer(network, None, (3, 20, 32))


def test_a_store_and_its_comparisons_keep_height_and_width(tmp_path: Any) -> None:
    attributes: dict[str, Any] = dict.fromkeys(store.ATTRIBUTES, "x") | {"input_size": [40, 64]}
    coarse = RANDOM.normal(size=(2, 5, 10, 16)).astype(np.float32)
    logits, targets = RANDOM.normal(size=(5, 3)), np.zeros(5)
    kept = []
    for number, values in enumerate(coarse):
        path = tmp_path / f"{number}.h5"
        store.write(
            path, [(values, logits, targets)], labels=np.zeros(5, int), indices=np.arange(5),
            attributes=attributes,
        )  # fmt: skip
        kept.append(store.read(path))
    assert kept[0].attributes["input_size"] == [40, 64]
    (table,) = similarity.tables(kept[0], kept[1:], size=WIDE, threads=1, **DEFAULTS)
    p, q = (maps.show(each, WIDE).reshape(5, -1) for each in coarse)
    assert np.allclose(table["mad"], np.abs(p - q).mean(1), atol=1e-6)
    pearson = [np.corrcoef(a, b)[0, 1] for a, b in zip(p, q, strict=True)]
    assert np.allclose(table["pearson"], pearson, atol=1e-5)
    other = replace(kept[1], attributes={**attributes, "input_size": [64, 40]})
    with pytest.raises(CampareError, match=r"input_size differs, \[40, 64\] and \[64, 40\]"):
        similarity.tables(kept[0], [other], size=WIDE, threads=1, **DEFAULTS)


def test_maps_are_shown_as_torch_enlarges_them() -> None:
    coarse = np.maximum(RANDOM.normal(size=(3, 5, 8)), 0).astype(np.float32)
    large = nn.functional.interpolate(torch.from_numpy(coarse)[:, None], WIDE, mode="bilinear")
    found = maps.show(coarse, WIDE)
    low, high = large.amin((1, 2, 3)), large.amax((1, 2, 3))
    expected = (large[:, 0] - low[:, None, None]) / (high - low)[:, None, None]
    assert np.allclose(found, expected, atol=1e-5)


# Stages -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(24, 36), (36, 24)])
def test_positions_under_a_rotation_are_those_of_torchvision(size: tuple[int, int]) -> None:
    index = np.arange(4)
    degrees = {"degrees": 30.0, "interpolation": "bilinear", "fill": 0}
    where = equivariance.moved([("rotation", degrees)], size, index, 3)
    assert where.valid.shape == (4, *size)
    middle = size[0] // 2, size[1] // 2
    across, down = (
        place[:, middle[0], middle[1] + 6] - place[:, middle[0], middle[1] - 6]
        for place in (where.column, where.row)
    )
    rows, columns = torch.meshgrid(torch.arange(size[0]), torch.arange(size[1]), indexing="ij")
    for image, angle in enumerate(np.rad2deg(np.arctan2(down, across))):
        turned_by = {"angle": float(angle), "interpolation": InterpolationMode.BILINEAR}
        whole = F.rotate(torch.ones(1, *size), **turned_by, fill=[-1000.0])[0].numpy()
        for ramp, found in ((rows, where.row), (columns, where.column)):
            turned = F.rotate(ramp[None].float(), **turned_by, fill=[-1000.0])[0].numpy()
            inside = where.valid[image] & (whole > 0.999)  # at the border the fill is mixed in
            assert inside.mean() > 0.4
            assert np.abs(turned - found[image])[inside].max() < 0.25


def test_a_map_follows_a_wide_image() -> None:
    images = pictures((24, 36))
    steps = [("affine", {"degrees": 15.0, "translate": 0.1, "scale": [0.8, 1.2], "shear": 10.0}
              | {"interpolation": "bilinear", "fill": 7})]  # fmt: skip
    index = np.arange(4)
    where = equivariance.moved(steps, (24, 36), index, 3)
    expected = equivariance.applied(steps, images, index, 3)[..., 0]
    shown = images[..., 0].astype(np.float32)
    found = equivariance.transformed(shown, where)
    assert np.abs(found - expected)[where.valid].mean() < 1
    points = [where.row[0], where.column[0]]
    scipys = ndimage.map_coordinates(shown[0], points, order=1, mode="nearest")
    assert np.allclose(found[0], scipys, atol=1e-3)


def test_cells_divide_a_wide_image() -> None:
    shown = RANDOM.random((3, 10, 21)).astype(np.float32)
    expected = [
        part.sum(axis=(1, 2))
        for band in np.split(shown, [3, 6], axis=1)
        for part in np.split(band, [7, 14], axis=2)
    ]
    assert deletion.by_cell(shown, 3) == pytest.approx(np.stack(expected, 1), rel=1e-5)


class Sum(nn.Module):
    """The score of class 1 is the mean of the image, through a convolution of one pixel."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Conv2d(1, 1, 1, bias=False)
        self.head = nn.Linear(1, 2, bias=False)
        self.features.weight.data.fill_(1.0)
        self.head.weight.data.copy_(torch.tensor([[0.0], [1.0]]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.features(x).mean((2, 3)))


def test_the_fall_without_a_cell_of_a_wide_image_is_its_brightness() -> None:
    levels = RANDOM.permuted(np.tile(np.arange(0, 240, 15), (6, 1)), axis=1).reshape(6, 4, 4)
    images = np.kron(levels, np.ones((3, 5))).astype(np.uint8)[..., None]
    table = deletion.measure(
        Sum(), images, np.ones(6, np.int64), torch.zeros(1, dtype=torch.uint8), mean=[0.0],
        std=[1.0], input_size=[12, 20], cells=4, method="gradcam", target_layer="features",
        batch_size=4, fold_batch_norm=True, device=torch.device("cpu"),
    )  # fmt: skip
    assert table["correlation"].to_numpy() == pytest.approx(np.ones(6))
    falls = np.arange(0, 240, 15).mean() / 255 / 16
    assert table["fall"].to_numpy() == pytest.approx(np.full(6, falls), rel=1e-5)


@pytest.mark.parametrize("size", [(14, 22), (22, 14)])
def test_road_and_insertion_are_of_all_pixels(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faithfulness, "NOISE", 0)
    monkeypatch.setattr(torch, "randn_like", torch.zeros_like)
    images = RANDOM.integers(0, 256, (5, *size, 3), dtype=np.uint8)
    full = RANDOM.random((5, *size)).astype(np.float32)
    net, kept = test_faithfulness.network(), test_faithfulness.stored(maps=full)
    mean, std = test_faithfulness.MEAN, test_faithfulness.STD
    tables = faithfulness.measure(
        net, images, kept, mean=mean, std=std, input_size=size, steps=2, road=[0.3, 0.7], blur=0.3,
        seed=0, batch_size=3, device=torch.device("cpu"),
    )  # fmt: skip
    table = test_faithfulness.pd.concat(tables, ignore_index=True)
    inputs = prepare(torch.from_numpy(images).permute(0, 3, 1, 2), mean, std, size)
    shown = maps.show(kept.maps, size)
    targets = [test_faithfulness.ClassifierOutputSoftmaxTarget(int(t)) for t in kept.target]
    for curve, metric in (
        ("road_most", test_faithfulness.ROADMostRelevantFirst),
        ("road_least", test_faithfulness.ROADLeastRelevantFirst),
    ):
        for share in (0.3, 0.7):
            expected = metric(round(100 * (1 - share)))(
                inputs, shown, targets, net, return_diff=False
            )
            row = table[(table["map"] == "map") & (table["curve"] == curve)]
            found = row[row["share"] == share].sort_values("index")["probability"]
            assert np.allclose(found, expected, atol=2e-5)
    with torch.no_grad():
        blurred = F.gaussian_blur(inputs, _kernel(size), [0.3 * min(size)] * 2)
        start = net(blurred).softmax(1)[torch.arange(5), torch.from_numpy(kept.target)]
    row = table[(table["map"] == "map") & (table["curve"] == "insertion") & (table["share"] == 0)]
    assert np.allclose(row.sort_values("index")["probability"], start, atol=1e-5)


def _kernel(size: tuple[int, int]) -> list[int]:
    reach = min(math.ceil(3 * 0.3 * min(size)), min(size) - 1)
    return [2 * reach + 1] * 2


def test_scores_of_localisation_are_of_all_pixels() -> None:
    masks = RANDOM.random((6, *WIDE)) < 0.3
    shown = RANDOM.random((6, *WIDE)).astype(np.float32)
    scores = localisation.scored(shown, masks)
    pairs = zip(masks.reshape(6, -1), shown.reshape(6, -1), strict=True)
    precision = [average_precision_score(*pair) for pair in pairs]
    assert scores["average_precision"] == pytest.approx(precision, abs=1e-6)
    energy = (shown * masks).sum((1, 2)) / shown.sum((1, 2))
    assert scores["energy"] == pytest.approx(energy, rel=1e-5)


def test_mosaics_of_wide_images_have_their_cells_in_place() -> None:
    images, members = pictures((6, 9)), np.array([[3, 1, 0, 2]])
    whole = mosaics.assembled(images, members, 2)[0]
    assert whole.shape == (12, 18, 3)
    assert np.array_equal(whole[:6, 9:], images[1])
    inside = np.array([[False, True, False, False]])
    (region,) = mosaics.regions(inside, "focus", 2, (6, 9)).masks[0]
    assert region[:6, 9:].all()
    assert region.sum() == 54


def test_entropy_is_of_the_map_enlarged_as_torch_does() -> None:
    coarse = RANDOM.normal(size=(3, 5, 8)).astype(np.float32)
    large = nn.functional.interpolate(
        torch.from_numpy(coarse)[:, None].double(), WIDE, mode="bilinear"
    )
    shares = [np.histogram(each, 12)[0] / 2560 for each in large.numpy()]
    expected = [-(share[share > 0] * np.log(share[share > 0])).sum() for share in shares]
    assert sanity.entropy(coarse, list(WIDE), 12) == pytest.approx(expected, abs=0.01)


def test_reference_maps_span_height_and_width() -> None:
    kept = test_faithfulness.stored(maps=np.zeros((5, 10, 16), np.float32))
    bump = uninformative.gaussian(kept).maps[0]
    assert bump.shape == (10, 16)
    assert np.allclose(bump, bump[::-1, ::-1])
    # One standard deviation is a quarter of the height, and of the width.
    rows, columns = bump.sum(1) / bump.sum(), bump.sum(0) / bump.sum()
    for profile in (rows, columns):
        n = len(profile)
        at = ((np.arange(n) + 0.5) / n - 0.5) / 0.25
        assert np.allclose(profile, np.exp(-(at**2) / 2) / np.exp(-(at**2) / 2).sum(), atol=1e-6)
    images = pictures(WIDE, 5)
    grey = images.mean(axis=3)
    slopes = [[ndimage.sobel(each, axis, mode="nearest") for each in grey] for axis in (0, 1)]
    steep = np.hypot(*slopes)
    means = steep.reshape(5, 10, 4, 16, 4).mean(axis=(2, 4))
    assert np.allclose(uninformative.edges(kept, images).maps, means, rtol=1e-4)


@pytest.mark.parametrize("size", [WIDE, (130, 90)])
def test_every_corruption_keeps_height_and_width(size: tuple[int, int]) -> None:
    image = pictures(size, 1)[0]
    for name in set(corruptions.CORRUPTIONS) - {"frost"}:  # needs photographs
        found = corruptions.corrupted(image, name, 3, np.random.RandomState(0))
        assert found.shape == image.shape
        assert not np.array_equal(found, image), name


def test_costs_grow_with_the_number_of_pixels(tmp_path: Any) -> None:
    plain, wide = (registry.gmacs("resnet18", size) for size in (112, (56, 224)))
    assert wide == pytest.approx(plain)
    assert registry.gmacs("resnet18", 96) == registry.gmacs("resnet18", (96, 96))
    memory = [needs.network_memory(tmp_path, 0, 32, size, 0) for size in (128, [64, 256])]
    assert memory[0] == memory[1]
    complete = study([64, 256], {"name": "digits", "size": [8, 32]}, faithfulness={"images": 20})
    planned = needs.Needs(Design(complete), tmp_path / "x", tmp_path / "y", 0)
    squared = needs.Needs(
        Design(study(128, {"name": "digits"}, faithfulness={"images": 20})),
        tmp_path / "x", tmp_path / "y", 0,
    )  # fmt: skip
    job: dict[str, str] = {"augmentation": "baseline"}
    for kind in ("train", "map", "test_faithfulness"):
        assert getattr(planned, kind)(job) == getattr(squared, kind)(job)


def test_the_methods_section_states_height_and_width() -> None:
    source = {"name": "digits", "size": [12, 20]}
    facts = replace(test_paper_methods.FACTS, size=(12, 20))
    own, larger = (
        methods.markdown(Design(study(size, source, robustness={})), facts)
        for size in ([12, 20], [60, 100])
    )
    assert "images of 12 × 20 pixels" in own
    assert "cut out if of another aspect ratio" in own
    assert "inputs are images of 12 × 20 pixels" in own
    assert "parameters of CIFAR-10-C" in own
    assert "resized bilinearly (with antialiasing) to 60 × 100 pixels" in larger
    assert "parameters of ImageNet-C" in larger  # the longer side is more than 84 pixels


# Figures and the explorer -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "drawn"), [(WIDE, (0.625, 1)), (TALL, (1, 40 / 72)), ((8, 8), (1, 1))]
)
def test_figures_draw_images_and_maps_in_their_aspect_ratio(
    size: tuple[int, int], drawn: tuple[float, float]
) -> None:
    _, axes = blank_canvas(3, 3)
    canvas.tile(axes, 0.5, 0.25, 1.0, pictures(size, 1)[0], "below", cam=np.ones(size, np.float32))
    for image in axes.get_images():
        left, right, bottom, top = image.get_extent()
        assert (bottom - top, right - left) == pytest.approx(drawn)
        assert ((left + right) / 2, top) == pytest.approx((1.0, 0.25))
    (frame,) = axes.patches
    assert (frame.get_height(), frame.get_width()) == pytest.approx(drawn)


def test_sheets_of_the_explorer_keep_the_aspect_ratio() -> None:
    layout, texts = explorer_images.sheets(pictures((200, 640), 3), np.arange(3))
    assert layout["original"] == [200, 640]
    assert (layout["height"], layout["width"]) == (100, 320)
    assert len(texts) == layout["sheets"] == 1
