"""Policies: torchvision's operations, magnitudes and chances, drawn for every image."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from scipy import stats
from torch import Tensor
from torchvision.transforms import AutoAugmentPolicy, v2

from campare import registry
from campare.augment import Augmenter, Batch, Draw, core, geometry, policies

SIZES = [(3, 32, 32), (1, 28, 28), (3, 17, 40)]
SPACES = [
    (policies.AUTO, v2.AutoAugment, 10),
    (policies.AUTO, v2.RandAugment, 31),
    (policies.WIDE, v2.TrivialAugmentWide, 31),
    (policies.MIX, v2.AugMix, 10),
]
# Of torchvision → of campare
NAMES = {
    "Identity": "identity", "ShearX": "shear_x", "ShearY": "shear_y", "TranslateX": "translate_x",
    "TranslateY": "translate_y", "Rotate": "rotate", "Brightness": "brightness", "Color": "color",
    "Contrast": "contrast", "Sharpness": "sharpness", "Posterize": "posterize",
    "Solarize": "solarize", "AutoContrast": "autocontrast", "Equalize": "equalize",
    "Invert": "invert",
}  # fmt: skip


def _images(count: int, channels: int, height: int, width: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    shape = (count, channels, height, width)
    return torch.randint(20, 200, shape, generator=generator, dtype=torch.uint8)


def _apply(name: str, images: Tensor, **changed: Any) -> Tensor:
    entry = registry.AUGMENTATIONS[name]
    parameters = {key: value.default for key, value in entry.parameters.items()} | changed
    batch = Batch(images, torch.ones(len(images), 1))
    index = torch.arange(len(images))
    return Augmenter([(name, parameters)], 1, batch)(batch, index, index * 0, 0).images


def _number(name: str) -> int:
    return policies.OPERATIONS.index(NAMES[name])


@pytest.mark.parametrize(("space", "theirs", "bins"), SPACES)
def test_magnitudes_are_torchvisions(space: policies.Space, theirs: Any, bins: int) -> None:
    table = space.magnitudes(bins, 24, 50)
    for name, (magnitudes, signed) in theirs._AUGMENTATION_SPACE.items():
        row, expected = table[_number(name)], magnitudes(bins, 24, 50)
        assert signed == (NAMES[name] in policies.SIGNED)
        if expected is None:
            assert not row.any()
        else:
            assert torch.equal(row, expected.double())


EXACT = (
    *("identity", "posterize", "solarize", "autocontrast", "equalize", "invert", "brightness"),
    *("translate_x", "translate_y"),
)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize(("space", "theirs", "bins"), SPACES[1:])
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_operations_are_torchvisions_at_every_magnitude(
    size: tuple[int, int, int],
    space: policies.Space,
    theirs: Any,
    bins: int,
    interpolation: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ties = torch.zeros(1, dtype=torch.bool)
    sample = geometry.sample

    def record(images: Tensor, x: Tensor, y: Tensor, *options: Any) -> Tensor:
        nonlocal ties
        ties = torch.stack([(p - p.floor() - 0.5).abs() < 1e-3 for p in (x, y)]).any(0)
        return sample(images, x, y, *options)

    monkeypatch.setattr(geometry, "sample", record)
    table = space.magnitudes(bins, *size[1:])
    images = _images(2 * bins, *size)
    policy = theirs(interpolation=v2.InterpolationMode(interpolation))
    for name, (_, signed) in theirs._AUGMENTATION_SPACE.items():
        number, ours = _number(name), NAMES[name]
        strength = torch.cat([table[number], -table[number] if signed else table[number]])[:, None]
        kinds = torch.full((2 * bins,), number)
        result = policies.operated(images, kinds, strength, interpolation, 0)
        expected = torch.stack([
            policy._apply_image_or_video_transform(
                image, name, float(value), policy.interpolation, policy._fill
            )
            for image, value in zip(images, strength, strict=True)
        ])  # fmt: skip
        difference = (result.int() - expected.int()).abs()
        if ours in policies.GEOMETRIC and interpolation == "nearest":
            tie = ties.transpose(1, 2) if ours.endswith("_y") else ties
            difference = difference * ~tie[:, None]
            assert difference.max() == 0, name
            assert tie.float().mean() < 0.1, name
        assert difference.max() <= (ours not in EXACT), name


@pytest.mark.parametrize("policy", list(AutoAugmentPolicy))
def test_pairs_of_operations_are_torchvisions(policy: AutoAugmentPolicy) -> None:
    theirs = v2.AutoAugment(policy)._policies
    ours = policies.POLICIES[policy.value]
    assert [
        tuple((NAMES[name], chance, level or 0) for name, chance, level in pair) for pair in theirs
    ] == ours


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Tensor, Tensor]]:
    """Operations and magnitudes as they are drawn."""
    drawn: list[tuple[Tensor, Tensor]] = []

    def record(images: Tensor, kind: Tensor, magnitude: Tensor, *_: Any) -> Tensor:
        drawn.append((kind, magnitude[:, 0]))
        return images

    monkeypatch.setattr(policies, "operated", record)
    return drawn


def test_rand_augment_draws_operations_uniformly_with_random_signs(recorded: Any) -> None:
    _apply("rand_augment", _images(14000, 1, 20, 30), operations=3, magnitude=7)
    assert len(recorded) == 3
    table = policies.AUTO.magnitudes(31, 20, 30)[:, 7]
    for kind, magnitude in recorded:
        assert stats.chisquare(kind.bincount(minlength=15)[:14]).pvalue > 0.01
        assert not (kind == _number("Invert")).any()
        assert torch.equal(magnitude.abs(), table[kind].abs())
        for number, name in enumerate(policies.OPERATIONS[:-1]):
            negative = magnitude[kind == number] < 0
            if name in policies.SIGNED:
                assert stats.binomtest(int(negative.sum()), len(negative)).pvalue > 0.001
            else:
                assert not negative.any()
    first, second = recorded[0][0], recorded[1][0]
    assert stats.chi2_contingency(torch.stack([
        (second[first == number]).bincount(minlength=14) for number in range(14)
    ])).pvalue > 0.01  # fmt: skip


def test_trivial_augment_draws_operations_and_magnitudes_uniformly(recorded: Any) -> None:
    _apply("trivial_augment_wide", _images(20000, 1, 20, 30))
    ((kind, magnitude),) = recorded
    assert stats.chisquare(kind.bincount(minlength=15)[:14]).pvalue > 0.01
    table = policies.WIDE.magnitudes(31, 20, 30)
    for name in ("rotate", "translate_y", "solarize"):
        number = policies.OPERATIONS.index(name)
        strength = magnitude[kind == number].abs()
        counts = [int((strength == level).sum()) for level in table[number]]
        assert sum(counts) == len(strength)
        assert stats.chisquare(counts).pvalue > 0.01


@pytest.mark.parametrize("policy", ["cifar10", "imagenet", "svhn"])
def test_auto_augment_draws_pairs_with_their_chances(policy: str, recorded: Any) -> None:
    _apply("auto_augment", _images(20000, 1, 20, 30), policy=policy)
    table = policies.AUTO.magnitudes(10, 20, 30)
    for part, (kind, magnitude) in enumerate(recorded):
        expected: dict[tuple[int, float], float] = {}
        for pair in policies.POLICIES[policy]:
            name, chance, level = pair[part]
            number = policies.OPERATIONS.index(name)
            key = number, abs(float(table[number, level]))
            expected[key] = expected.get(key, 0) + chance / 25
        for (number, strength), share in expected.items():
            hits = int(((kind == number) & (magnitude.abs() == strength)).sum())
            assert stats.binomtest(hits, 20000, share).pvalue > 1e-4, (number, strength)
        assert stats.binomtest(int((kind > 0).sum()), 20000, sum(expected.values())).pvalue > 0.001


@pytest.mark.parametrize(("all_ops", "number"), [(True, 13), (False, 9)])
def test_augmix_draws_chains_of_one_to_three_operations(
    all_ops: bool, number: int, recorded: Any
) -> None:
    _apply("augmix", _images(13000, 1, 20, 30), all_ops=all_ops, width=2, severity=4)
    assert len(recorded) == 6
    first, second, third = (kind for kind, _ in recorded[:3])
    drawn = first.bincount(minlength=15)
    assert (drawn > 0).sum() == number
    assert stats.chisquare(drawn[drawn > 0]).pvalue > 0.01
    for kind, share in ((second, 2 / 3), (third, 1 / 3)):
        assert stats.binomtest(int((kind > 0).sum()), 13000, share).pvalue > 0.01
    assert ((third > 0) <= (second > 0)).all()
    rotate = _number("Rotate")
    strength = recorded[0][1][first == rotate].abs()
    table = policies.MIX.magnitudes(10, 20, 30)[rotate]
    assert set(strength.tolist()) == set(table[:4].tolist())


def test_augmix_of_a_fixed_depth(recorded: Any) -> None:
    _apply("augmix", _images(50, 1, 8, 8), width=1, depth=5)
    assert len(recorded) == 5
    assert all((kind > 0).all() for kind, _ in recorded)


@pytest.mark.parametrize("alpha", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("size", [1, 2, 4])
def test_weights_of_chains_are_dirichlet_distributed(alpha: float, size: int) -> None:
    count = 20000
    index = torch.arange(count)
    pool = Batch(torch.zeros(1, 1, 1, 1, dtype=torch.uint8), torch.ones(1, 1))
    draw = Draw(1, 0, index, index * 0, step=0, pool=pool)
    weights = policies._dirichlet(draw, alpha, size)
    torch.testing.assert_close(weights.sum(1), torch.ones(count).double())
    if size == 1:
        return
    marginal = stats.beta(alpha, alpha * (size - 1))
    for column in weights.T.numpy():
        assert stats.kstest(column, marginal.cdf).pvalue > 0.005
    covariance = stats.dirichlet([alpha] * size).cov()
    torch.testing.assert_close(torch.cov(weights.T), torch.tensor(covariance), atol=4e-3, rtol=0)


def test_augmix_is_the_weighted_mean_of_the_image_and_its_chains(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    levels = iter([10, 10, 10, 200, 200, 200])
    monkeypatch.setattr(
        policies, "operated", lambda images, *_: torch.full_like(images, next(levels))
    )
    images = torch.full((500, 1, 3, 3), 100, dtype=torch.uint8)
    mixed = _apply("augmix", images, width=2)
    index = torch.arange(500)
    draw = Draw(1, 0, index, index * 0, step=0, pool=Batch(images, torch.ones(500, 1)))
    kept = core.beta(draw, 1.0)
    weights = (1 - kept) * policies._dirichlet(draw, 1.0, 2)
    expected = 100 * kept[:, 0] + 10 * weights[:, 0] + 200 * weights[:, 1]
    assert (mixed[:, 0, 0, 0] - expected).abs().max() <= 0.501
    assert stats.kstest(kept.flatten().numpy(), "uniform").pvalue > 0.01


def test_augmix_of_unchanged_images_does_not_darken_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """torchvision rounds down, so that 130 becomes 129 if the weights sum to less than one."""
    monkeypatch.setattr(policies, "operated", lambda images, *_: images)
    images = _images(200, 3, 8, 8)
    assert torch.equal(_apply("augmix", images), images)
