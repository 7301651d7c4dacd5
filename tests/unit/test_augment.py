"""Augmentations: torchvision's at equal parameters, keyed by image alone, sound on any input."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from scipy import stats
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as tv

from campare import registry
from campare.augment import Augmenter, Batch, Draw, colour, core, geometry, occlusion
from campare.errors import CampareError

NEAREST, BILINEAR = v2.InterpolationMode.NEAREST, v2.InterpolationMode.BILINEAR
SIZES = [(3, 32, 32), (1, 28, 28), (3, 17, 40)]
NAMES = list(registry.AUGMENTATIONS)


def _parameters(name: str, **changed: Any) -> dict[str, Any]:
    entry = registry.AUGMENTATIONS[name]
    return {key: value.default for key, value in entry.parameters.items()} | changed


def _images(count: int, channels: int, height: int, width: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    shape = (count, channels, height, width)
    return torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)


def _batch(images: Tensor, classes: int = 5) -> Batch:
    return Batch(images, torch.eye(classes)[torch.arange(len(images)) % classes])


def _zeros(count: int) -> Tensor:
    return torch.zeros(count, dtype=torch.int64)


def _draw(count: int, pool: Batch | None = None, seed: int = 1) -> Draw:
    pool = pool or _batch(_images(1, 1, 1, 1))
    return Draw(seed, 0, torch.arange(count), _zeros(count), step=0, pool=pool)


def _apply(name: str, images: Tensor, seed: int = 1, **changed: Any) -> Tensor:
    batch = _batch(images)
    augmenter = Augmenter([(name, _parameters(name, **changed))], seed, batch)
    return augmenter(batch, torch.arange(len(images)), _zeros(len(images)), 0).images


def _levels(a: Tensor, b: Tensor) -> int:
    """Largest difference of two sets of images, levels."""
    return int((a.int() - b.int()).abs().max())


# Equal to torchvision at equal parameters


@pytest.fixture(params=SIZES, ids=str)
def images(request: pytest.FixtureRequest) -> Tensor:
    return _images(24, *request.param)


@pytest.fixture
def grid(images: Tensor) -> tuple[Tensor, Tensor, list[dict[str, Any]]]:
    """x, y, and the same as torchvision's parameters."""
    draw = _draw(len(images))
    angle, zoom, shear = draw.uniform(-180, 180), draw.uniform(0.5, 2), draw.uniform(-40, 40)
    across, down = draw.uniform(-9, 9).round(), draw.uniform(-9, 9).round()
    x, y = geometry.affine_grid(images.shape[-2:], angle, across, down, zoom, shear)
    rows = torch.cat([angle, across, down, zoom, shear], 1).tolist()
    return x, y, [{"angle": a, "translate": [h, v], "scale": z, "shear": [s, 0.0]}
                  for a, h, v, z, s in rows]  # fmt: skip


def test_affine_nearest_is_torchvisions_away_from_ties(images: Tensor, grid: Any) -> None:
    x, y, parameters = grid
    ours = geometry.sample(images, x, y, "nearest", 37)
    tie = ((x - x.floor() - 0.5).abs() < 1e-3) | ((y - y.floor() - 0.5).abs() < 1e-3)
    assert tie.float().mean() < 0.02
    for row, given in enumerate(parameters):
        theirs = tv.affine(images[row], **given, interpolation=NEAREST, fill=[37.0])
        assert torch.equal(ours[row][:, ~tie[row]], theirs[:, ~tie[row]])


@pytest.mark.parametrize("fill", [0, 200])
def test_affine_bilinear_is_torchvisions(images: Tensor, grid: Any, fill: int) -> None:
    x, y, parameters = grid
    ours = geometry.sample(images, x, y, "bilinear", fill)
    for row, given in enumerate(parameters):
        # torchvision without a fill takes 0 outside; with one it weighs the border twice.
        lifted = tv.affine(images[row].float() - fill, **given, interpolation=BILINEAR)
        assert _levels(ours[row], (lifted + fill).round()) <= 1


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_an_affine_map_that_moves_nothing_changes_nothing(
    images: Tensor, interpolation: str
) -> None:
    still = {"degrees": 0, "translate": 0, "scale": [1, 1], "shear": 0}
    changed = _apply("affine", images, **still, interpolation=interpolation)
    assert torch.equal(changed, images)


def test_a_quarter_turn_is_exact() -> None:
    images = _images(5, 3, 16, 16)
    quarter, still = torch.full((5, 1), 90.0, dtype=torch.float64), torch.zeros(5, 1)
    x, y = geometry.affine_grid((16, 16), quarter, still, still, still + 1, still)
    assert torch.equal(geometry.sample(images, x, y, "bilinear", 9), images.rot90(-1, (2, 3)))


@pytest.mark.parametrize(("alpha", "sigma"), [(50.0, 5.0), (120.0, 2.0)])
def test_elastic_is_torchvisions_with_the_same_displacement(
    images: Tensor, alpha: float, sigma: float
) -> None:
    height, width = images.shape[-2:]
    noise = _draw(len(images)).noise(2 * height * width).view(-1, 2, height, width)
    shift = geometry.displacement(noise, alpha, sigma)
    x, y = shift[:, 0] + torch.arange(width), shift[:, 1] + torch.arange(height)[:, None]
    ours = geometry.sample(images, x, y, "bilinear", 0)
    share = shift * torch.tensor([2 / width, 2 / height])[:, None, None]
    for row in range(len(images)):
        theirs = tv.elastic(images[row], share[row].permute(1, 2, 0)[None])
        assert _levels(ours[row], theirs) <= 1


@pytest.mark.parametrize(("alpha", "sigma"), [(50.0, 5.0), (120.0, 2.0), (10.0, 0.5)])
def test_displacement_is_noise_smoothed_as_torchvision_does(alpha: float, sigma: float) -> None:
    noise = _draw(20).noise(2 * 48 * 40).view(20, 2, 48, 40)
    side = int(8 * sigma + 1) | 1
    smooth = tv.gaussian_blur(noise / 256, [side, side], [sigma, sigma]) * (alpha / 2)
    error = geometry.displacement(noise, alpha, sigma) - smooth
    assert error.abs().max() < 0.03 * smooth.std()


def test_resized_crop_is_torchvisions_with_antialiasing(images: Tensor) -> None:
    height, width = images.shape[-2:]
    draw = _draw(len(images))
    tall, wide = draw.integers(height) + 1, draw.integers(width) + 1
    top, left = draw.integers(height - tall + 1), draw.integers(width - wide + 1)
    ours = geometry.resized_crop(images, top, left, tall, wide)
    boxes = torch.cat([top, left, tall, wide], 1).tolist()
    for row, box in enumerate(boxes):
        theirs = tv.resized_crop(images[row], *box, [height, width], antialias=True)
        assert _levels(ours[row], theirs) <= 1


@pytest.mark.parametrize("span", [(0, 255), (100, 115), (0, 1), (255, 255)])
def test_equalized_is_torchvisions_to_the_byte(images: Tensor, span: tuple[int, int]) -> None:
    low, high = span
    narrowed = (low + images.float() * (high - low) / 255).to(torch.uint8)
    assert torch.equal(colour.equalized(narrowed), tv.equalize(narrowed))


@pytest.mark.parametrize("side", [1, 5, 15])
def test_blurred_is_torchvisions(images: Tensor, side: int) -> None:
    sigma = _draw(len(images)).uniform(0.1, 4)
    ours = colour.blurred(images, side, sigma)
    for row, width in enumerate(sigma[:, 0].tolist()):
        theirs = tv.gaussian_blur(images[row], [side, side], [width, width])
        assert _levels(ours[row], theirs) <= 1


def test_blends_are_torchvisions(images: Tensor) -> None:
    factors = _draw(len(images)).uniform(0, 2).float()
    kinds = [tv.adjust_brightness, tv.adjust_contrast, tv.adjust_saturation]
    for kind, adjust in enumerate(kinds[: 3 if images.shape[1] == 3 else 2]):
        order = torch.full((len(images), 1), kind)
        ours = colour.blends(images.float(), order, factors)
        for row, factor in enumerate(factors[:, 0].tolist()):
            assert _levels(ours[row], adjust(images[row], factor)) <= 1


def test_hue_is_torchvisions() -> None:
    images = torch.cat([_images(20, 3, 32, 32), _images(4, 1, 32, 32).expand(-1, 3, -1, -1)])
    turns = _draw(len(images)).uniform(-0.5, 0.5).float()
    ours = colour.hue_shifted(images.float(), turns)
    for row, turn in enumerate(turns[:, 0].tolist()):
        assert _levels(ours[row], tv.adjust_hue(images[row], turn)) <= 1
    assert torch.equal(colour.hue_shifted(images.float(), turns * 0), images.float())


def test_cutmix_box_is_torchvisions(monkeypatch: pytest.MonkeyPatch) -> None:
    height, width = 24, 33
    draw = _draw(50)
    kept, x, y = draw.uniform(0, 1), draw.integers(width), draw.integers(height)
    top, left, bottom, right = occlusion.cutmix_box((height, width), kept, x, y)
    ours = torch.cat([left, top, right, bottom], 1).tolist()
    theirs = v2.CutMix(num_classes=2)
    image = tv_tensors.Image(torch.zeros(1, 1, height, width))
    for row in range(50):
        share, centre = kept[row], iter([x[row], y[row]])
        monkeypatch.setattr(theirs, "_dist", SimpleNamespace(sample=lambda _, s=share: s))
        monkeypatch.setattr(torch, "randint", lambda *_, c=centre, **__: next(c))
        expected = theirs.make_params([image])
        assert ours[row] == list(expected["box"])


def test_horizontal_flip_is_torchvisions(images: Tensor) -> None:
    flipped = _apply("horizontal_flip", images, probability=1)
    assert torch.equal(flipped, tv.horizontal_flip(images))


def test_colour_steps_follow_the_order_drawn() -> None:
    """The whole of color_jitter against torchvision's four, one image and one step at a time."""
    images = _images(24, 3, 16, 16)
    parameters = {"brightness": 0.5, "contrast": 0.6, "saturation": 0.7, "hue": 0.3}
    ours = colour.color_jitter(_batch(images), _draw(24), **parameters).images
    draw = _draw(24)
    factors = [draw.uniform(1 - parameters[k], 1 + parameters[k]) for k in list(parameters)[:3]]
    order = draw.uniform(0, 1, count=3).argsort(dim=1, stable=True).tolist()
    turns, slots = draw.uniform(-0.3, 0.3), draw.integers(4)
    adjust = (tv.adjust_brightness, tv.adjust_contrast, tv.adjust_saturation, tv.adjust_hue)
    assert len({(*steps, int(slot)) for steps, slot in zip(order, slots, strict=True)}) > 12
    for row in range(24):
        slot = int(slots[row])
        steps = [*order[row][:slot], 3, *order[row][slot:]]
        image = images[row]
        for step in steps:
            amount = turns[row] if step == 3 else factors[step][row]
            image = adjust[step](image, float(amount.float()))
        difference = (image.int() - ours[row].int()).abs().float()
        assert difference.mean() < 0.6  # steps round differently by a level, and may amplify it
        assert difference.max() <= 5


# Distributions and ranges


def test_drawn_numbers_stay_in_their_range() -> None:
    draw = _draw(2000)
    uniform, whole = draw.uniform(-3, 5, count=9), draw.integers(7)
    assert uniform.shape == (2000, 9)
    assert uniform.dtype == torch.float64
    assert stats.kstest(uniform.flatten().numpy(), stats.uniform(-3, 8).cdf).pvalue > 0.01
    assert stats.chisquare(whole.flatten().bincount(minlength=7)).pvalue > 0.01
    assert whole.max() == 6
    tensor = draw.integers(torch.arange(1, 2001)[:, None])
    assert ((tensor >= 0) & (tensor < torch.arange(1, 2001)[:, None])).all()


def test_numbers_drawn_one_after_the_other_are_all_new() -> None:
    draw = _draw(3)
    drawn = torch.cat([draw.uniform(0, 1, count=n) for n in (1, 30, 5, 40, 1)], 1)
    assert len(drawn.flatten().unique()) == drawn.numel()


def test_noise_is_uniform_on_the_odd_numbers() -> None:
    noise = _draw(40).noise(999)
    assert noise.shape == (40, 999)
    octets = (noise + 255) / 2
    assert torch.equal(octets, octets.round())
    assert stats.chisquare(octets.flatten().long().bincount(minlength=256)).pvalue > 0.01


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_kept_share_is_beta_distributed(alpha: float) -> None:
    share = core.beta(_draw(20000), alpha).flatten().numpy()
    assert stats.kstest(share, stats.beta(alpha, alpha).cdf).pvalue > 0.01


def test_partners_are_uniform_over_the_pool() -> None:
    pool = Batch(torch.arange(50, dtype=torch.uint8).view(50, 1, 1, 1), torch.eye(50))
    partners = _draw(20000, pool).partners()
    index = partners.images.flatten().long()
    assert stats.chisquare(index.bincount(minlength=50)).pvalue > 0.01
    assert torch.equal(partners.targets, torch.eye(50)[index])


def test_partners_are_brought_to_size() -> None:
    pool = Batch(torch.arange(9, dtype=torch.uint8).view(9, 1, 1, 1), torch.eye(9))
    batch = Batch(torch.full((6, 1, 4, 4), 99, dtype=torch.uint8), torch.eye(9)[:6])
    augmenter = Augmenter([("cutmix", {"alpha": 1})], 3, pool, lambda x: x.expand(-1, -1, 4, 4))
    assert (augmenter(batch, torch.arange(6), _zeros(6), 0).images < 9).any()


def test_random_crop_draws_as_torchvision_does(monkeypatch: pytest.MonkeyPatch) -> None:
    boxes: list[Tensor] = []

    def record(images: Tensor, *box: Tensor) -> Tensor:
        boxes.append(torch.cat(box, 1))
        return images

    monkeypatch.setattr(geometry, "resized_crop", record)
    scale, ratio = (0.2, 1.0), (0.5, 2.0)
    _apply("random_crop", _images(3000, 1, 40, 30), scale=scale, ratio=ratio)
    theirs = v2.RandomResizedCrop(40, scale=scale, ratio=ratio)
    torch.manual_seed(0)
    given = [theirs.make_params([tv_tensors.Image(torch.zeros(1, 40, 30))]) for _ in range(2000)]
    expected = torch.tensor([list(box.values()) for box in given])
    for column in range(4):
        sample, reference = boxes[0][:, column].numpy(), expected[:, column].numpy()
        assert stats.ks_2samp(sample, reference).pvalue > 0.01
    top, left, tall, wide = boxes[0].unbind(1)
    assert top.min() >= 0
    assert left.min() >= 0
    assert (top + tall).max() <= 40
    assert (left + wide).max() <= 30


def test_random_crop_that_never_fits_takes_the_largest_central_part() -> None:
    images = _images(4, 1, 30, 30)
    ours = _apply("random_crop", images, scale=[1, 1], ratio=[4, 4])
    assert torch.equal(ours, geometry.resized_crop(images, *(_zeros(4)[:, None] + n
                                                            for n in (11, 0, 8, 30))))  # fmt: skip


def test_random_erasing_paints_one_box_of_stated_area_and_shape() -> None:
    height, width = 40, 60
    images = torch.full((300, 2, height, width), 200, dtype=torch.uint8)
    images[:, 1] = 100
    erased = _apply("random_erasing", images, fill=7, scale=[0.05, 0.2], ratio=[0.5, 1.5])
    changed = (erased != images).all(1)
    assert (erased[:, 0][changed] == 7).all()
    assert torch.equal(erased != images, changed[:, None].expand_as(images))
    rows, columns = changed.any(2).sum(1), changed.any(1).sum(1)
    area = changed.sum((1, 2))
    assert torch.equal(rows * columns, area)  # full inside its own bounds
    down, across = changed.any(2).int().diff(dim=1), changed.any(1).int().diff(dim=1)
    assert down.abs().sum(1).max() <= 2  # and in one piece
    assert across.abs().sum(1).max() <= 2
    share = area / (height * width)
    assert share.min() > 0.045
    assert share.max() < 0.21
    assert share.std() > 0.03
    shape = rows / columns
    assert shape.min() > 0.45
    assert shape.max() < 1.65


@pytest.mark.parametrize(
    "name",
    [
        *("equalize", "random_erasing", "horizontal_flip", "vertical_flip", "perspective"),
        *("invert", "posterize", "solarize", "sharpness", "grid_mask"),
    ],
)
@pytest.mark.parametrize("probability", [0, 0.3, 1])
def test_probability_is_the_share_of_images_changed(name: str, probability: float) -> None:
    images = _images(1000, 1, 16, 17)
    changed = (_apply(name, images, probability=probability) != images).flatten(1).any(1)
    assert stats.binomtest(int(changed.sum()), 1000, probability).pvalue > 0.01


def test_affine_parameters_stay_in_range(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[Tensor, ...]] = []
    real = geometry.affine_grid

    def record(size: Any, *parameters: Tensor) -> tuple[Tensor, Tensor]:
        drawn.append(parameters)
        return real(size, *parameters)

    monkeypatch.setattr(geometry, "affine_grid", record)
    images = _images(2000, 1, 20, 30)
    _apply("affine", images, degrees=20, translate=0.2, scale=[0.5, 0.7], shear=5)
    _apply("scaling", images, scale=[1.5, 2])
    angle, across, down, zoom, shear = drawn[0]
    for values, low, high in [(angle, -20, 20), (zoom, 0.5, 0.7), (shear, -5, 5)]:
        cdf = stats.uniform(low, high - low).cdf
        assert stats.kstest(values.flatten().numpy(), cdf).pvalue > 0.01
    assert across.unique().tolist() == list(range(-6, 7))
    assert down.unique().tolist() == list(range(-4, 5))
    assert torch.cat(drawn[1][:3] + drawn[1][4:]).abs().max() == 0
    assert drawn[1][3].min() > 1.5
    assert drawn[1][3].max() < 2


@pytest.mark.parametrize("channels", [1, 3])
def test_color_jitter_of_nothing_changes_nothing(channels: int) -> None:
    images = _images(9, channels, 12, 13)
    still = {"brightness": 0, "contrast": 0, "saturation": 0, "hue": 0}
    assert torch.equal(_apply("color_jitter", images, **still), images)


def test_color_jitter_of_grey_images_ignores_saturation_and_hue() -> None:
    images = _images(9, 1, 12, 13)
    one = _apply("color_jitter", images, saturation=0, hue=0)
    assert torch.equal(one, _apply("color_jitter", images, saturation=1, hue=0.5))
    assert not torch.equal(one, images)


# Targets


def _two_sorts() -> tuple[Batch, Batch]:
    """Black images of class 0, and a pool of white ones of class 1: the mean tells the area."""
    black = Batch(torch.zeros(200, 3, 16, 20, dtype=torch.uint8), torch.eye(2)[_zeros(200)])
    white = Batch(torch.full((7, 3, 16, 20), 255, dtype=torch.uint8), torch.eye(2)[_zeros(7) + 1])
    return black, white


def test_cutmix_keeps_the_target_of_the_image() -> None:
    batch, pool = _two_sorts()
    mixed = Augmenter([("cutmix", {"alpha": 1})], 1, pool)(batch, torch.arange(200), _zeros(200), 0)
    assert torch.equal(mixed.targets, batch.targets)
    assert (mixed.images == 255).float().mean() > 0.1


@pytest.mark.parametrize("alpha", [0.5, 1.0])
def test_cutmix_mixed_mixes_targets_by_the_area_pasted(alpha: float) -> None:
    batch, pool = _two_sorts()
    augmenter = Augmenter([("cutmix_mixed", {"alpha": alpha})], 1, pool)
    mixed = augmenter(batch, torch.arange(200), _zeros(200), 0)
    area = mixed.images.float().mean((1, 2, 3)) / 255
    torch.testing.assert_close(mixed.targets, torch.stack([1 - area, area], 1))
    assert len(area.unique()) > 50


# An image's fate hangs on its key alone


CHAIN = ["color_jitter", "elastic", "cutmix_mixed", "affine"]


def _augmenter(name: str, batch: Batch, seed: int = 5) -> Augmenter:
    names = CHAIN if name == "compose" else [name]
    return Augmenter([(step, _parameters(step)) for step in names], seed, batch)


@pytest.mark.parametrize("size", [(3, 32, 32), (3, 9, 7), (1, 13, 21)], ids=str)
@pytest.mark.parametrize("name", [*NAMES, "compose"])
def test_batching_order_and_threads_change_no_byte(name: str, size: tuple[int, int, int]) -> None:
    images = _images(37, *size)
    augmenter = _augmenter(name, _batch(images))
    source, copy = torch.arange(37) * 3, torch.arange(37) % 2
    whole = augmenter(_batch(images), source, copy, 4)

    def same(rows: Tensor) -> bool:
        batch = Batch(images[rows], _batch(images).targets[rows])
        part = augmenter(batch, source[rows], copy[rows], 4)
        images_same = torch.equal(part.images, whole.images[rows])
        return images_same and torch.equal(part.targets, whole.targets[rows])

    shuffled = torch.randperm(37, generator=torch.Generator().manual_seed(0))
    assert same(shuffled)
    assert all(same(rows) for rows in shuffled.split(5))
    assert all(same(rows) for rows in torch.arange(37).split(1))
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        assert same(torch.arange(37))
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "equalize"])
def test_every_part_of_the_key_changes_what_an_image_becomes(name: str) -> None:
    images = (_images(1, 3, 32, 32) // 2 + 40).expand(64, -1, -1, -1)
    pool = _batch(_images(30, 3, 32, 32, seed=1))

    def drawn(seed: int = 1, epoch: int = 1, source: int = 0, copy: int = 0) -> Tensor:
        numbers = torch.arange(64)
        return _augmenter(name, pool, seed)(
            _batch(images), numbers + source, _zeros(64) + copy, epoch
        ).images

    first = drawn()
    assert torch.equal(first, drawn())
    for part in ("seed", "epoch", "source", "copy"):
        assert not torch.equal(first, drawn(**{part: 100}))


def test_a_composition_applies_its_steps_in_turn_each_with_its_own_numbers() -> None:
    images = _images(20, 3, 16, 16)
    steps = [("scaling", _parameters("scaling")), ("horizontal_flip", {"probability": 1})]
    scaled = _apply("scaling", images, seed=5)
    both = Augmenter(steps, 5, _batch(images))(_batch(images), torch.arange(20), _zeros(20), 0)
    assert torch.equal(both.images, scaled.flip(-1))
    twice = Augmenter([steps[0]] * 2, 5, _batch(images))
    again = twice(_batch(images), torch.arange(20), _zeros(20), 0).images
    assert not torch.equal(again, _apply("scaling", scaled, seed=5))


def test_no_steps_leave_the_batch_alone() -> None:
    batch = _batch(_images(4, 1, 5, 5))
    assert Augmenter([], 0, batch)(batch, torch.arange(4), _zeros(4), 0) is batch


@pytest.mark.parametrize("name", NAMES)
def test_the_images_given_are_not_written_to(name: str) -> None:
    images = _images(8, 3, 12, 12)
    before = images.clone()
    _apply(name, images)
    assert torch.equal(images, before)


@pytest.fixture
def _deterministic() -> Iterator[None]:
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)


@pytest.mark.usefixtures("_deterministic")
@pytest.mark.parametrize(
    "name", [name for name, entry in registry.AUGMENTATIONS.items() if not entry.waits]
)
def test_no_step_waits_for_a_value(name: str) -> None:
    """On the meta device tensors have no values: reading one, as a GPU would wait for it, fails."""
    images = torch.empty(6, 3, 16, 16, dtype=torch.uint8, device="meta")
    batch = Batch(images, torch.empty(6, 4, device="meta"))
    index = torch.empty(6, dtype=torch.int64, device="meta")
    for parameters in (_parameters(name), _parameters(name) | {"alpha": 0.5}):
        kept = {key: parameters[key] for key in _parameters(name)}
        result = Augmenter([(name, kept)], 0, batch)(batch, index, index, 0)
        assert result.images.shape == images.shape
        assert result.images.dtype == torch.uint8


# Any input


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("name", [*NAMES, "compose"])
def test_tiny_images_are_augmented(name: str, channels: int) -> None:
    for size in [(1, 1), (1, 5), (2, 2), (3, 8), (8, 8)]:
        images = _images(9, channels, *size)
        batch = _augmenter(name, _batch(images))(_batch(images), torch.arange(9), _zeros(9), 0)
        assert batch.images.shape == images.shape
        assert batch.images.dtype == torch.uint8
        assert batch.images.is_contiguous()
        torch.testing.assert_close(batch.targets.sum(1), torch.ones(9))


@pytest.mark.parametrize("count", [0, 1])
@pytest.mark.parametrize("name", [*NAMES, "compose"])
def test_batches_of_none_and_one(name: str, count: int) -> None:
    pool = _batch(_images(5, 3, 10, 11))
    batch = Batch(pool.images[:count], pool.targets[:count])
    result = _augmenter(name, pool)(batch, torch.arange(count), _zeros(count), 0)
    assert result.images.shape == (count, 3, 10, 11)
    assert result.targets.shape == (count, 5)


@pytest.mark.parametrize("level", [0, 130, 255])
@pytest.mark.parametrize(
    "name",
    [
        *("equalize", "autocontrast", "gaussian_blur", "random_crop", "horizontal_flip"),
        *("vertical_flip", "grayscale", "sharpness", "cutmix", "mixup", "saliencymix"),
        *("cutout", "hide_and_seek", "grid_mask", "delete_cell"),
    ],
)
def test_constant_images_stay_as_they_are(name: str, level: int) -> None:
    images = torch.full((6, 3, 20, 20), level, dtype=torch.uint8)
    assert torch.equal(_apply(name, images), images)


@pytest.mark.parametrize("name", ["affine", "elastic", "scaling", "rotation", "shear"])
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_outside_lies_the_fill(name: str, interpolation: str) -> None:
    images = torch.full((40, 1, 20, 20), 90, dtype=torch.uint8)
    assert torch.equal(_apply(name, images, interpolation=interpolation, fill=90), images)
    filled = _apply(name, images, interpolation=interpolation, fill=240)
    assert filled.min() == 90
    assert filled.max() == 240


def test_kernels_wider_than_the_image_end_where_reflection_does() -> None:
    images = _images(6, 1, 4, 9)
    sigma = torch.full((6, 1), 2.0, dtype=torch.float64)
    narrow = [tv.gaussian_blur(image, [9, 7], [2.0, 2.0]) for image in images]
    assert _levels(colour.blurred(images, 9, sigma), torch.stack(narrow)) <= 1
    noise = _draw(6).noise(2 * 4 * 9).view(6, 2, 4, 9)
    smooth = tv.gaussian_blur(noise / 256, [17, 7], [5.0, 5.0]) * 25
    torch.testing.assert_close(
        geometry.displacement(noise, 50, 5), smooth, atol=0.03 * float(smooth.std()), rtol=0
    )


# Registry


@pytest.mark.parametrize("name", NAMES)
def test_a_function_takes_exactly_the_parameters_of_its_entry(name: str) -> None:
    entry = registry.AUGMENTATIONS[name]
    signature = inspect.signature(entry.load()).parameters.values()
    taken = [one.name for one in signature if one.kind is inspect.Parameter.KEYWORD_ONLY]
    assert taken == list(entry.parameters)
    registry.check_parameters(name, _parameters(name))


def test_defaults_that_torchvision_has_are_torchvisions() -> None:
    def theirs(transform: type, key: str) -> Any:
        value = inspect.signature(transform.__init__).parameters[key].default
        return list(value) if isinstance(value, tuple) else value

    for name, transform, keys in [
        ("affine", v2.RandomAffine, {"fill": "fill"}),
        ("cutmix", v2.CutMix, {"alpha": "alpha"}),
        ("cutmix_mixed", v2.CutMix, {"alpha": "alpha"}),
        ("elastic", v2.ElasticTransform, {"alpha": "alpha", "sigma": "sigma", "fill": "fill"}),
        ("gaussian_blur", v2.GaussianBlur, {"sigma": "sigma"}),
        ("random_crop", v2.RandomResizedCrop, {"ratio": "ratio"}),
        ("random_erasing", v2.RandomErasing, {"scale": "scale", "ratio": "ratio", "fill": "value"}),
        ("horizontal_flip", v2.RandomHorizontalFlip, {"probability": "p"}),
        ("vertical_flip", v2.RandomVerticalFlip, {"probability": "p"}),
        (
            "perspective",
            v2.RandomPerspective,
            {"distortion": "distortion_scale", "fill": "fill", "probability": "p"},
        ),
        ("rotation", v2.RandomRotation, {"fill": "fill"}),
        ("shift", v2.RandomCrop, {"fill": "fill"}),
        ("grayscale", v2.RandomGrayscale, {"probability": "p"}),
        ("invert", v2.RandomInvert, {"probability": "p"}),
        ("posterize", v2.RandomPosterize, {"probability": "p"}),
        ("solarize", v2.RandomSolarize, {"probability": "p"}),
        ("sharpness", v2.RandomAdjustSharpness, {"probability": "p"}),
        ("autocontrast", v2.RandomAutocontrast, {"probability": "p"}),
        ("gaussian_noise", v2.GaussianNoise, {"mean": "mean", "sigma": "sigma"}),
        ("mixup", v2.MixUp, {"alpha": "alpha"}),
        (
            "rand_augment",
            v2.RandAugment,
            {"operations": "num_ops", "magnitude": "magnitude", "bins": "num_magnitude_bins"},
        ),
        ("trivial_augment_wide", v2.TrivialAugmentWide, {"bins": "num_magnitude_bins"}),
        (
            "augmix",
            v2.AugMix,
            {
                "severity": "severity",
                "width": "mixture_width",
                "alpha": "alpha",
                "all_ops": "all_ops",
            },
        ),
    ]:
        for ours, key in keys.items():
            assert _parameters(name)[ours] == theirs(transform, key), (name, ours)
    assert theirs(v2.RandomAffine, "interpolation").value == _parameters("affine")["interpolation"]
    elastic = theirs(v2.ElasticTransform, "interpolation").value
    assert elastic == _parameters("elastic")["interpolation"]


@pytest.mark.parametrize(
    ("name", "changed", "message"),
    [
        ("affine", {"scale": [1.2, 0.8]}, r"affine\.scale: \[1\.2, 0\.8\].*write \[0\.8, 1\.2\]"),
        ("random_crop", {"ratio": [2, 0.5]}, r"random_crop\.ratio"),
        ("gaussian_blur", {"sigma": [2, 1]}, r"gaussian_blur\.sigma"),
        ("gaussian_blur", {"kernel_size": 4}, r"gaussian_blur\.kernel_size: 4 is even; write 5"),
        ("jpeg", {"quality": [90, 50]}, r"jpeg\.quality: \[90, 50\].*write \[50, 90\]"),
        ("rand_augment", {"magnitude": 31}, r"rand_augment\.magnitude: 31 .* write 30 or less"),
        (
            "horizontal_flip",
            {"alternate": True, "probability": 0.3},
            r"horizontal_flip\.probability: 0\.3, but with alternate: true",
        ),
    ],
)
def test_contradictory_parameters_are_refused(
    name: str, changed: dict[str, Any], message: str
) -> None:
    with pytest.raises(CampareError, match=message):
        Augmenter([(name, _parameters(name, **changed))], 0, _batch(_images(1, 1, 4, 4)))


def test_the_smoothing_sums_stay_exact_in_float32() -> None:
    for size in (1, 2, 8, 32, 224):
        for sigma in (0.1, 0.5, 2.0, 5.0, 40.0):
            matrix, total = geometry._smoothing(size, sigma, torch.device("cpu"))
            assert torch.equal(matrix, matrix.round())
            assert torch.equal(matrix.sum(1), torch.full((size,), float(total)))
            assert 510 * total < 2**24
            assert matrix.max() <= 2**11


def test_augmenting_asks_nothing_of_the_global_generator() -> None:
    state = torch.get_rng_state()
    for name in NAMES:
        _apply(name, _images(4, 3, 8, 8))
    assert torch.equal(torch.get_rng_state(), state)
