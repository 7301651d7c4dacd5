"""Augmentations at equal parameters: torchvision's, OpenCV's or by the papers' definitions."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as tv

from campare import registry
from campare.augment import Augmenter, Batch, Draw, colour, core, geometry, occlusion

NEAREST, BILINEAR = v2.InterpolationMode.NEAREST, v2.InterpolationMode.BILINEAR
SIZES = [(3, 32, 32), (1, 28, 28), (3, 17, 40)]


def _images(count: int, channels: int, height: int, width: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    shape = (count, channels, height, width)
    return torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)


def _batch(images: Tensor, classes: int = 5) -> Batch:
    return Batch(images, torch.eye(classes)[torch.arange(len(images)) % classes])


def _draw(count: int, pool: Batch | None = None, seed: int = 1, epoch: int = 0) -> Draw:
    pool = pool or _batch(_images(1, 1, 1, 1))
    zeros = torch.zeros(count, dtype=torch.int64)
    return Draw(seed, epoch, torch.arange(count), zeros, step=0, pool=pool)


def _apply(
    name: str, batch: Batch, pool: Batch | None = None, epoch: int = 0, **changed: Any
) -> Batch:
    entry = registry.AUGMENTATIONS[name]
    parameters = {key: value.default for key, value in entry.parameters.items()} | changed
    augmenter = Augmenter([(name, parameters)], 1, pool or batch)
    count = len(batch.images)
    return augmenter(batch, torch.arange(count), torch.zeros(count, dtype=torch.int64), epoch)


def _levels(a: Tensor, b: Tensor) -> int:
    """Largest difference of two sets of images, levels."""
    return int((a.int() - b.int()).abs().max())


@pytest.fixture(params=SIZES, ids=str)
def images(request: pytest.FixtureRequest) -> Tensor:
    return _images(24, *request.param)


# Geometry


def test_vertical_flip_is_torchvisions(images: Tensor) -> None:
    flipped = _apply("vertical_flip", _batch(images), probability=1).images
    assert torch.equal(flipped, tv.vertical_flip(images))


@pytest.mark.parametrize("fill", [0, 90])
def test_rotation_and_shear_are_torchvisions(images: Tensor, fill: int) -> None:
    draw = _draw(len(images))
    angle, slant = draw.uniform(-180, 180), draw.uniform(-60, 60)
    for drawn, theirs in [
        ({"angle": angle}, lambda i, a, **k: tv.rotate(i, -a, **k)),
        ({"slant": slant}, lambda i, a, **k: tv.affine(i, 0.0, [0, 0], 1.0, [a, 0.0], **k)),
    ]:
        (values,) = drawn.values()
        smooth = geometry.moved(images, **drawn, interpolation="bilinear", fill=fill)
        near = geometry.moved(images, **drawn, interpolation="nearest", fill=fill)
        for row, value in enumerate(values[:, 0].tolist()):
            # torchvision without a fill takes 0 outside; with one it weighs the border twice.
            lifted = theirs(images[row].float() - fill, value, interpolation=BILINEAR) + fill
            assert _levels(smooth[row], lifted.round()) <= 1
            exact = theirs(images[row], value, interpolation=NEAREST, fill=[float(fill)])
            assert (near[row] != exact).float().mean() < 0.02  # ties of two pixels


def test_translation_is_torchvisions(images: Tensor) -> None:
    draw = _draw(len(images))
    across, down = draw.uniform(-9, 9).round(), draw.uniform(-9, 9).round()
    ours = geometry.moved(images, across=across, down=down, fill=7)
    for row in range(len(images)):
        move = [int(across[row]), int(down[row])]
        theirs = tv.affine(images[row], 0.0, move, 1.0, [0.0, 0.0], fill=[7.0])
        assert torch.equal(ours[row], theirs)


def test_translation_draws_whole_pixels_within_its_share() -> None:
    images = torch.zeros(400, 1, 20, 30, dtype=torch.uint8)
    images[:, :, 10, 15] = 255
    moved = _apply("translation", _batch(images), translate=0.2).images
    rows, columns = (moved == 255).nonzero()[:, 2:].T
    assert rows.unique().tolist() == list(range(6, 15))
    assert columns.unique().tolist() == list(range(9, 22))


@pytest.mark.parametrize("border", ["fill", "reflect"])
@pytest.mark.parametrize("padding", [0, 4, 15])
def test_shift_is_a_crop_of_the_padded_image(images: Tensor, border: str, padding: int) -> None:
    height, width = images.shape[-2:]
    draw = _draw(len(images))
    down, across = draw.integers(2 * padding + 1), draw.integers(2 * padding + 1)
    ours = geometry.shifted(images, down - padding, across - padding, padding, border, 9)
    mode = "constant" if border == "fill" else "reflect"
    padded = tv.pad(images, [padding], fill=9 if border == "fill" else None, padding_mode=mode)
    for row in range(len(images)):
        theirs = tv.crop(padded[row], int(down[row]), int(across[row]), height, width)
        assert torch.equal(ours[row], theirs)


def test_shift_draws_every_offset_equally_often() -> None:
    images = torch.arange(81, dtype=torch.uint8).view(1, 1, 9, 9).expand(5000, -1, -1, -1)
    centre = _apply("shift", _batch(images), padding=2).images[:, 0, 4, 4].long()
    rows, columns = centre // 9 - 2, centre % 9 - 2
    for drawn in (rows, columns):
        assert stats.chisquare(drawn.bincount(minlength=5)).pvalue > 0.01


def test_a_reflection_farther_than_the_image_goes_back_and_forth() -> None:
    row = torch.tensor([[[[1, 2, 3]]]], dtype=torch.uint8)
    moved = geometry.shifted(row, torch.tensor([[5]]), torch.tensor([[-7]]), 7, "reflect", 0)
    assert moved.flatten().tolist() == [
        np.pad([1, 2, 3], 7, mode="reflect")[place] for place in (0, 1, 2)
    ]


@pytest.mark.parametrize("distortion", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_perspective_is_torchvisions(images: Tensor, distortion: float, interpolation: str) -> None:
    height, width = images.shape[-2:]
    draw = _draw(len(images))
    reach_x, reach_y = int(distortion * (width // 2)) + 1, int(distortion * (height // 2)) + 1
    corners = [
        (draw.integers(reach_x) + (width - reach_x) * right,
         draw.integers(reach_y) + (height - reach_y) * below)
        for right, below in ((0, 0), (1, 0), (1, 1), (0, 1))
    ]  # fmt: skip
    x, y = geometry.perspective_grid((height, width), corners)
    ours = geometry.sample(images, x, y, interpolation, 0)
    start = [[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]]
    mode = v2.InterpolationMode(interpolation)
    for row in range(len(images)):
        end = [[int(x[row]), int(y[row])] for x, y in corners]
        # In float64, since torchvision's grid of float32 is off by up to a tenth of a pixel.
        theirs = tv.perspective(images[row].double(), start, end, interpolation=mode)
        if interpolation == "bilinear":
            assert _levels(ours[row], theirs.round()) <= 1
        else:
            assert (ours[row] != theirs).double().mean() < 0.04  # ties of two pixels
    if distortion == 0:
        assert torch.equal(ours, images)


def test_perspective_draws_corners_within_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[Any] = []
    real = geometry.perspective_grid

    def record(size: Any, corners: Any) -> Any:
        found.extend(corners)
        return real(size, corners)

    monkeypatch.setattr(geometry, "perspective_grid", record)
    _apply("perspective", _batch(_images(5000, 1, 20, 31)), distortion=0.4)
    lowest = [(0, 0), (24, 0), (24, 15), (0, 15)]  # torchvision: 7 columns and 5 rows to draw from
    for (x, y), (left, top) in zip(found, lowest, strict=True):
        assert stats.chisquare((x - left).flatten().bincount(minlength=7)).pvalue > 0.001
        assert stats.chisquare((y - top).flatten().bincount(minlength=5)).pvalue > 0.001


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (2, 2), (3, 5)])
def test_the_strongest_perspective_of_small_images_has_pixels_or_the_fill(
    size: tuple[int, int],
) -> None:
    """Corners may coincide or change sides, which torchvision's solver answers with noise."""
    images = torch.full((300, 1, *size), 80, dtype=torch.uint8)
    for interpolation in ("nearest", "bilinear"):
        options = {"distortion": 1, "fill": 80, "probability": 1, "interpolation": interpolation}
        assert torch.equal(_apply("perspective", _batch(images), **options).images, images)


def test_alternating_flips_mirror_each_image_in_every_second_epoch() -> None:
    batch = _batch(_images(1000, 1, 4, 4))
    epochs = [
        (_apply("horizontal_flip", batch, epoch=epoch, alternate=True).images != batch.images)
        .flatten(1)
        .any(1)
        for epoch in range(1, 6)
    ]
    assert stats.binomtest(int(epochs[0].sum()), 1000).pvalue > 0.01
    for earlier, later in pairwise(epochs):
        assert torch.equal(earlier, ~later)
    other = Augmenter([("horizontal_flip", {"probability": 0.5, "alternate": True})], 2, batch)
    drawn = other(batch, torch.arange(1000), torch.zeros(1000, dtype=torch.int64), 1).images
    flipped = (drawn != batch.images).flatten(1).any(1)
    assert 400 < (flipped != epochs[0]).sum() < 600  # of another seed


# Colour


def _narrow(images: Tensor, low: int, high: int) -> Tensor:
    return (low + images.float() * (high - low) / 255).to(torch.uint8)


@pytest.mark.parametrize("span", [(0, 255), (100, 115), (7, 8), (200, 200)])
def test_autocontrast_is_torchvisions_to_the_byte(images: Tensor, span: tuple[int, int]) -> None:
    images = _narrow(images, *span)
    assert torch.equal(colour.autocontrasted(images), tv.autocontrast(images))


@pytest.mark.parametrize("bits", range(9))
def test_posterize_is_torchvisions_to_the_byte(images: Tensor, bits: int) -> None:
    expected = tv.posterize(images, bits)
    changed = _apply("posterize", _batch(images), bits=bits, probability=1)
    assert torch.equal(changed.images, expected)
    each = torch.full((len(images), 1), bits)
    assert torch.equal(colour.posterized(images, each), expected)


@pytest.mark.parametrize("threshold", [0, 0.5, 128, 254.5, 255])
def test_solarize_is_torchvisions_to_the_byte(images: Tensor, threshold: float) -> None:
    changed = _apply("solarize", _batch(images), threshold=threshold, probability=1).images
    assert torch.equal(changed, tv.solarize(images, threshold))


def test_invert_is_torchvisions_to_the_byte(images: Tensor) -> None:
    assert torch.equal(_apply("invert", _batch(images), probability=1).images, tv.invert(images))


def test_grayscale_is_torchvisions(images: Tensor) -> None:
    changed = _apply("grayscale", _batch(images), probability=1).images
    channels = images.shape[1]
    theirs = tv.rgb_to_grayscale(images, num_output_channels=channels)
    assert _levels(changed, theirs) <= (channels == 3)
    assert (changed != theirs).float().mean() < 1e-3


@pytest.mark.parametrize("factor", [0, 0.3, 1, 2, 5.5])
def test_sharpness_is_torchvisions(images: Tensor, factor: float) -> None:
    changed = _apply("sharpness", _batch(images), factor=factor, probability=1).images
    theirs = tv.adjust_sharpness(images, factor)
    assert _levels(changed, theirs) <= 1
    assert (changed != theirs).float().mean() < 1e-3


@pytest.mark.parametrize(("mean", "sigma"), [(0, 0.1), (0.2, 0.5), (-0.3, 0)])
def test_gaussian_noise_is_torchvisions_with_the_same_numbers(
    images: Tensor, mean: float, sigma: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = _draw(len(images)).normal(images[0].numel()).view(images.shape)
    monkeypatch.setattr(torch, "randn_like", lambda *_, **__: numbers.clone())
    theirs = tv.gaussian_noise(images, mean=mean, sigma=sigma)
    ours = _apply("gaussian_noise", _batch(images), mean=mean, sigma=sigma).images
    assert _levels(ours, theirs) <= 1
    assert (ours != theirs).float().mean() < 1e-4


def test_normal_numbers_are_normal_and_independent() -> None:
    numbers = _draw(40).normal(4001)
    assert numbers.shape == (40, 4001)
    assert stats.kstest(numbers.flatten().numpy(), "norm").pvalue > 0.01
    pairs = numbers[:, :-1].flatten(), numbers[:, 1:].flatten()
    assert stats.pearsonr(*pairs).pvalue > 0.01
    assert 4.2 < core._normal_quantiles(torch.device("cpu")).max() < 4.4


def test_jpeg_is_torchvisions_to_the_byte(images: Tensor) -> None:
    quality = torch.arange(1, len(images) + 1)[:, None] * 4
    ours = colour.compressed(images, quality)
    for row, level in enumerate(quality[:, 0].tolist()):
        assert torch.equal(ours[row], tv.jpeg(images[row], level))


def test_jpeg_draws_every_quality_of_its_range(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Tensor] = []
    monkeypatch.setattr(colour, "compressed", lambda images, level: drawn.append(level) or images)
    _apply("jpeg", _batch(_images(4000, 1, 2, 2)), quality=[30, 35])
    counts = (drawn[0].flatten() - 30).bincount()
    assert len(counts) == 6
    assert stats.chisquare(counts).pvalue > 0.01


# Parts replaced


def _two_sorts(count: int = 300) -> tuple[Batch, Batch]:
    """Black images of class 0, and a pool of white ones of class 1: the mean tells the share."""
    targets = torch.eye(2)
    black = torch.zeros(count, 3, 16, 20, dtype=torch.uint8)
    white = torch.full((7, 3, 16, 20), 255, dtype=torch.uint8)
    return Batch(black, targets[[0] * count]), Batch(white, targets[[1] * 7])


@pytest.mark.parametrize("name", ["cutmix", "mixup", "saliencymix"])
def test_labels_are_mixed_as_images_are_or_kept(name: str) -> None:
    batch, pool = _two_sorts()
    mixed = _apply(name, batch, pool, labels="mixed")
    share = mixed.images.double().mean((1, 2, 3)) / 255
    expected = torch.stack([1 - share, share], 1).float()
    torch.testing.assert_close(mixed.targets, expected, atol=0.002, rtol=0)
    assert len(share.unique()) > 10
    kept = _apply(name, batch, pool, labels="kept")
    assert torch.equal(kept.targets, batch.targets)
    assert torch.equal(kept.images, mixed.images)


def test_cutmix_with_mixed_labels_is_cutmix_mixed() -> None:
    batch, pool = _batch(_images(50, 3, 9, 8)), _batch(_images(9, 3, 9, 8, seed=1))
    one, other = _apply("cutmix", batch, pool, labels="mixed"), _apply("cutmix_mixed", batch, pool)
    assert torch.equal(one.images, other.images)
    assert torch.equal(one.targets, other.targets)


@pytest.mark.parametrize("alpha", [0.2, 1.0])
def test_mixup_is_torchvisions_with_beta_distributed_shares(images: Tensor, alpha: float) -> None:
    batch, pool = _batch(images), _batch(_images(40, *images.shape[1:], seed=3))
    ours = _apply("mixup", batch, pool, alpha=alpha)
    draw = _draw(len(images), pool)
    partners, kept = draw.partners(), core.beta(draw, alpha)
    for row in range(len(images)):
        both = torch.stack([images[row], partners.images[row]]).float()
        theirs = v2.MixUp(num_classes=5)
        mixed = theirs.transform(both, {"lam": float(kept[row]), "labels": [], "batch_size": 2})
        assert _levels(ours.images[row], mixed[0].round()) <= 1
    many = core.beta(_draw(20000), alpha).flatten().numpy()
    assert stats.kstest(many, stats.beta(alpha, alpha).cdf).pvalue > 0.01


def _opencv_saliency(image: Tensor) -> np.ndarray:
    """On + off of OpenCV's staticSaliencyFineGrained.cpp, pixel by pixel, before its last scaling.

    opencv-python-headless does not contain the module.
    """
    rgb = image.permute(1, 2, 0).contiguous().numpy()
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY) if rgb.shape[2] == 3 else rgb[..., 0]
    for _ in range(2):
        grey = cv2.GaussianBlur(grey, (3, 3), 0)
    integral = cv2.integral(grey, sdepth=cv2.CV_64F)
    height, width = grey.shape
    total = np.zeros((2, height, width))
    for n in (12, 24, 48, 28, 56, 112):
        for y in range(height):
            for x in range(width):
                top, bottom = max(0, y - n + 1), min(height, y + n + 1)
                left, right = max(0, x - n + 1), min(width, x + n + 1)
                around = (integral[bottom, right] + integral[top, left]
                          - integral[bottom, left] - integral[top, right])  # fmt: skip
                centre = float(grey[y, x])
                mean = (around - centre) / ((right - left) * (bottom - top) - 1)
                total[0, y, x] += int(max(centre - mean, 0))
                total[1, y, x] += int(max(mean - centre, 0))
    return sum(np.floor(255 * part / part.max()) for part in total)


@pytest.mark.parametrize("size", [(3, 24, 30), (1, 31, 16)])
def test_saliency_is_opencvs(size: tuple[int, int, int]) -> None:
    for number in range(3):
        image = _images(1, *size, seed=number)[0]
        image[:, 5:12, 4:9] = 255 - number
        ours = occlusion.fine_grained_saliency(image[None])[0].numpy()
        assert np.abs(ours - _opencv_saliency(image)).max() <= 1  # a quotient of an integer


def test_saliencymix_pastes_a_box_about_the_most_salient_pixel() -> None:
    batch, pool = _two_sorts()
    images = torch.full((1, 3, 16, 20), 100, dtype=torch.uint8)
    images[:, :, 9:12, 3:6] = 255
    pool = Batch(images, pool.targets[:1])
    pasted = (_apply("saliencymix", batch, pool).images > 0).any(1)
    area = pasted.sum((1, 2))
    assert pasted[area > 0][:, 10, 4].all()
    assert (area > 0).float().mean() > 0.9
    kept = core.beta(_draw(len(batch.images), pool), 1.0)
    drawn = _draw(len(batch.images), pool)
    drawn.partners()
    kept = core.beta(drawn, 1.0)
    place = torch.full_like(kept, 4).long(), torch.full_like(kept, 10).long()
    top, left, bottom, right = occlusion.cutmix_box((16, 20), kept, *place)
    assert torch.equal(area[:, None], (bottom - top) * (right - left))


@pytest.mark.parametrize("size", [1, 6, 7])
def test_cutout_fills_a_square_that_the_border_may_clip(size: int) -> None:
    images = torch.full((4000, 3, 12, 15), 200, dtype=torch.uint8)
    filled = _apply("cutout", _batch(images), size=size, fill=3).images
    hidden = (filled == 3).all(1)
    assert torch.equal(filled != images, hidden[:, None].expand_as(images))
    rows, columns = hidden.any(2).sum(1), hidden.any(1).sum(1)
    assert torch.equal(hidden.sum((1, 2)), rows * columns)
    assert rows.max() == columns.max() == size
    assert rows.min() == columns.min() == size - size // 2
    centres = hidden.int().flatten(1).argmax(1)
    assert len(centres.unique()) > 80 - size


def test_hide_and_seek_fills_squares_of_a_grid() -> None:
    images = torch.full((2000, 1, 10, 13), 200, dtype=torch.uint8)
    hidden = _apply("hide_and_seek", _batch(images), size=4, share=0.3, fill=0).images[:, 0] == 0
    for top in (0, 4, 8):
        for left in (0, 4, 8, 12):
            square = hidden[:, top : top + 4, left : left + 4].flatten(1)
            assert torch.equal(square.any(1), square.all(1))
            assert stats.binomtest(int(square.any(1).sum()), 2000, 0.3).pvalue > 0.001
    corners = hidden[:, ::4, ::4].flatten(1).double().T
    assert (torch.corrcoef(corners) - torch.eye(12)).abs().max() < 0.1


def test_grid_mask_fills_squares_at_equal_distances() -> None:
    images = torch.full((300, 1, 40, 50), 200, dtype=torch.uint8)
    options = {"unit": [10, 10], "kept": 0.6, "fill": 0}
    hidden = _apply("grid_mask", _batch(images), **options).images[:, 0] == 0
    assert (hidden.sum((1, 2)) == 4 * 5 * 4**2).all()
    assert torch.equal(hidden[:, 10:], hidden[:, :-10])
    assert torch.equal(hidden[:, :, 10:], hidden[:, :, :-10])
    starts = hidden.any(2)[:, :10].int().roll(0, 1)
    assert len({tuple(row) for row in starts.tolist()}) == 10
    sides = _apply("grid_mask", _batch(images), unit=[10, 20], kept=0.5, fill=0).images[:, 0] == 0
    assert len(sides.any(2).sum(1).unique()) > 6


def test_grid_mask_that_keeps_all_or_nothing() -> None:
    batch = _batch(torch.full((9, 1, 20, 20), 200, dtype=torch.uint8))
    assert torch.equal(_apply("grid_mask", batch, kept=1.0, fill=0).images, batch.images)
    assert (_apply("grid_mask", batch, kept=0.0, fill=0).images == 0).all()


@pytest.mark.parametrize("name", ["cutout", "hide_and_seek", "grid_mask"])
def test_null_fills_with_the_mean_colour_of_the_training_images(name: str) -> None:
    pool = _images(30, 3, 12, 12) // torch.tensor([1, 2, 3]).view(3, 1, 1)
    batch = _batch(torch.full((40, 3, 12, 12), 255, dtype=torch.uint8))
    changed = _apply(name, batch, _batch(pool), **({"size": 4} if name != "grid_mask" else {}))
    mean = pool.double().mean((0, 2, 3)).round().to(torch.uint8)
    hidden = (changed.images != 255).any(1)
    assert hidden.any()
    assert torch.equal(
        changed.images.permute(0, 2, 3, 1)[hidden], mean.expand(int(hidden.sum()), 3)
    )
