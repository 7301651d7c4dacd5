"""Class-balanced sampling: exact numbers, torch's sampler in distribution, the training list."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import test_recipes
import test_train
import torch
from scipy import stats
from test_train import in_place

from campare import augmented, errors, sampling, training_images
from campare.augment import Augmenter, Batch
from campare.feed import Feed
from campare.settings import Settings

# 100 images in scattered order: 60, 30, 7 and 3 of four classes.
SIZES = np.array([60, 30, 7, 3])
LABELS = np.random.default_rng(0).permutation(np.repeat(np.arange(4), SIZES))


def settings(augmentation: str | None = None, **changes: Any) -> Settings:
    return test_train.settings(
        augmentation, **{"sampling": "balanced", "batch_size": 7, "copies": 0} | changes
    )


def feed(own: Settings, numbers: np.ndarray | None = None) -> Feed:
    """A feed of images of one grey level each, their position."""
    images = torch.arange(100, dtype=torch.uint8)[:, None, None, None].expand(100, 3, 8, 8)
    index = 7 * np.arange(100) + 2 if numbers is None else numbers
    return Feed(own, images.contiguous(), torch.from_numpy(LABELS), index, 4)


# How often each image is drawn.


@pytest.mark.parametrize("epoch", [1, 2, 77])
@pytest.mark.parametrize("seed", [0, 2**32 - 1])
def test_every_class_and_every_image_of_a_class_is_drawn_equally_often(
    seed: int, epoch: int
) -> None:
    times = sampling.counts(LABELS, seed, epoch)
    np.testing.assert_array_equal(np.bincount(LABELS, times), [25, 25, 25, 25])
    of_class = [times[label == LABELS] for label in range(4)]
    assert [(few.min(), few.max()) for few in of_class] == [(0, 1), (0, 1), (3, 4), (8, 9)]
    # What does not divide: 9 draws of 2 + 3 + 4 images (of labels 5, 1 and 3; no image has 0).
    for again in range(20):
        times = sampling.counts(np.array([5, 5, 1, 1, 1, 3, 3, 3, 3, 3]), seed, again)
        assert sorted(np.bincount([0, 0, 1, 1, 1, 2, 2, 2, 2, 2], times)) == [3, 3, 4]


@pytest.mark.parametrize("labels", [np.arange(12) % 4, np.array([2, 2, 2]), np.array([1])])
def test_classes_of_equal_size_give_every_image_once(labels: np.ndarray) -> None:
    assert (sampling.counts(labels, 3, 1) == 1).all()


def test_epochs_and_seeds_draw_other_images() -> None:
    first = sampling.counts(LABELS, 1, 1)
    assert (first == sampling.counts(LABELS, 1, 1)).all()
    assert (first != sampling.counts(LABELS, 1, 2)).sum() > 10
    assert (first != sampling.counts(LABELS, 2, 1)).sum() > 10


def test_images_are_as_frequent_as_with_torchs_weighted_sampler() -> None:
    """Over many epochs: chi-square tests of images and classes, ours against the weights of torch.

    torch draws independently, so its numbers vary more from epoch to epoch than ours.
    """
    epochs, sizes = 400, np.array([7, 3, 1])  # 11 draws of three classes: 4, 4 and 3
    labels = np.repeat(np.arange(3), sizes)
    ours = np.array([sampling.counts(labels, 5, epoch) for epoch in range(1, epochs + 1)])
    weights = 1 / sizes[labels]
    sampler = torch.utils.data.WeightedRandomSampler(
        weights.tolist(), 11 * epochs, generator=torch.Generator().manual_seed(0)
    )
    torchs = np.bincount(list(sampler), minlength=11).reshape(11)
    expected = 11 * epochs * weights / weights.sum()
    assert stats.chisquare(torchs, expected).pvalue > 0.01
    # The variance of our totals is smaller, so that chi-square is too.
    assert stats.chisquare(ours.sum(0), expected).pvalue > 0.01
    assert stats.chi2_contingency([ours.sum(0), torchs]).pvalue > 0.01
    of_classes = [ours[:, labels == label].sum(1) for label in range(3)]
    assert all(set(few.tolist()) == {3, 4} for few in of_classes)
    assert stats.chisquare([few.sum() for few in of_classes]).pvalue > 0.01


def test_partners_come_from_every_class_equally_often() -> None:
    images = torch.arange(100, dtype=torch.uint8)[:, None, None, None]
    pool = Batch(images, torch.eye(4)[torch.from_numpy(LABELS)])
    balanced = sampling.BalancedPool(pool, LABELS)
    assert len(balanced) < 2**31 + 1
    assert torch.equal(balanced.mean, pool.mean)
    source = (torch.arange(40_000) + 0.5).mul(len(balanced) / 40_000).long()
    partners = balanced.of(source)
    times = np.bincount(partners.images[:, 0, 0, 0].numpy(), minlength=100)
    np.testing.assert_allclose(times, 10_000 / SIZES[LABELS], atol=1)
    assert torch.equal(partners.targets.sum(0), torch.full((4,), 10_000.0))
    ends = balanced.of(torch.tensor([0, len(balanced) - 1]))
    assert ends.targets.argmax(1).tolist() == [0, 3]


# The training list.


@pytest.mark.parametrize(
    "own",
    [
        settings(),
        settings("horizontal_flip", copies=1, batch_size=14),
        settings("affine", copies=3, resample="once", augmentation_seed=8),
        settings("horizontal_flip", copies=0, probability=0.5, shuffle="each_epoch"),
    ],
    ids=["baseline", "copies", "once", "in_place"],
)
def test_the_list_has_as_many_rows_and_the_order_of_the_baseline(own: Settings) -> None:
    drawn, plain = feed(own), feed(settings())
    assert len([*drawn.batches(1)]) == -(-100 * (1 + own.copies) // own.batch_size)
    for epoch in (1, 2):
        source, copy = drawn.listing(epoch).numpy().T
        times = sampling.counts(LABELS, own.order_seed, epoch)
        np.testing.assert_array_equal(np.bincount(source, minlength=100), times * (1 + own.copies))
        originals = source if own.probability else source[copy == 0]
        np.testing.assert_array_equal(originals, plain.listing(epoch).numpy()[:, 0])
        if own.copies:  # a copy number for each copy of each draw
            assert sorted(drawn.listing(epoch)[copy > 0].tolist()) == [
                [image, number]
                for image in range(100)
                for number in range(1, own.copies * int(times[image]) + 1)
            ]
    assert not torch.equal(drawn.listing(1), drawn.listing(2))


def test_repeated_images_are_augmented_differently_and_by_key() -> None:
    images = torch.randint(0, 256, (100, 3, 8, 8), dtype=torch.uint8)
    labels, index = torch.from_numpy(LABELS), np.arange(100)
    own = settings("affine", copies=2)
    found, _ = test_train.epoch_of(Feed(own, images, labels, index, 4), 3)
    source, copy = Feed(own, images, labels, index, 4).listing(3).unbind(1)
    augment = Augmenter(own.steps, own.augmentation_seed, Batch(images, torch.eye(4)[labels]))
    drawn = augment(Batch(images[source], torch.eye(4)[labels[source]]), source, copy, 3).images
    expected = torch.where((copy == 0)[:, None, None, None], images[source], drawn)
    assert torch.equal(found, expected)
    rare = source == int(np.flatnonzero(LABELS == 3)[0])
    augmented_rare = found[rare & (copy > 0)]  # two small images may be equal by chance
    assert len(torch.unique(augmented_rare, dim=0)) > 14 and len(augmented_rare) >= 16
    # A first draw has the copies of a list without repetitions.
    assert {1, 2} <= set(copy[rare].tolist())


def test_in_place_each_draw_of_an_image_has_a_choice_of_its_own() -> None:
    own = dataclasses.replace(in_place("affine", 0.5), sampling="balanced")
    source, copy = feed(own).listing(1).numpy().T
    rare = LABELS[source] == 3
    assert 3 <= (copy[rare] > 0).sum() <= 22
    assert copy[rare].max() > 1
    everything = feed(dataclasses.replace(own, probability=1.0)).listing(1).numpy()[:, 1]
    assert (everything > 0).all()
    assert (copy[copy > 0] == everything[copy > 0]).all()


def test_partners_of_a_training_are_balanced() -> None:
    """CutMix with mixed labels: the shares of the classes in the targets are equal."""
    own = settings("cutmix_mixed", copies=0, probability=1.0)
    all_images = dataclasses.replace(own, sampling="all")
    shares, unequal = (
        torch.cat([test_train.epoch_of(feed(each), epoch)[1] for epoch in range(1, 11)]).mean(0)
        for each in (own, all_images)
    )
    assert shares.sub(0.25).abs().max() < 0.03
    assert unequal[3] < 0.05


# Trainings and configs.


@pytest.fixture(scope="module")
def study() -> test_recipes.Study:
    """240 digits of unequal classes."""
    digits, split = test_recipes.few_digits()
    rare = (split["label"] < 5) & (split["subset"] == "train") & (split["index"] > 60)
    return digits, split[~rare].reset_index(drop=True)


def test_mapped_images_give_the_same_network_as_images_in_memory(
    study: test_recipes.Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = settings("cutmix_mixed", copies=1, input_size=16, batch_size=20, epochs=2)
    weights, _, history, _ = test_train.run(own, *study, tmp_path / "resident")
    monkeypatch.setattr(training_images, "RESIDENT", 0)
    mapped, _, again, _ = test_train.run(own, *study, tmp_path / "mapped")
    assert all(torch.equal(weights[name], mapped[name]) for name in weights)
    assert history["train_loss"].equals(again["train_loss"])
    monkeypatch.undo()
    plain, *_ = test_train.run(dataclasses.replace(own, sampling="all"), *study, tmp_path / "plain")
    assert any(not torch.equal(weights[name], plain[name]) for name in weights)


def test_a_training_set_of_balanced_draws_is_not_saved(study: test_recipes.Study) -> None:
    with pytest.raises(
        errors.CampareError, match=r"training\.sampling: with balanced.*set it to all"
    ):
        augmented.drawn(settings("affine", copies=1, resample="once"), *study)


@pytest.mark.parametrize(
    ("training", "words"),
    [
        ({"class_weights": "balanced"}, ["training.class_weights", "a second time"]),
        ({"shuffle": "once"}, ["training.shuffle: once", "each_epoch"]),
    ],
)
def test_settings_that_contradict_balanced_sampling_are_refused(
    training: dict[str, str], words: list[str]
) -> None:
    with pytest.raises(errors.CampareError) as raised:
        test_recipes.studied(sampling="balanced", **training)
    assert all(word in str(raised.value) for word in words)
