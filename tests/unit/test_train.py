"""Training: the order of the data, what is augmented and how, the best epoch, equal bytes."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from safetensors import safe_open

from campare import (
    checkpoints,
    data,
    devices,
    models,
    performance,
    pretrained,
    registry,
    seeding,
    train,
)
from campare.augment import Augmenter, Batch
from campare.checkpoints import Weights
from campare.errors import CampareError
from campare.feed import Feed, order
from campare.optimizers import Adam
from campare.pooling import Pooling, pool_deterministically, pool_leanly
from campare.preprocess import prepare
from campare.settings import Settings

SETTINGS = Settings(
    architecture="small_cnn",
    input_size=16,
    epochs=2,
    batch_size=32,
    learning_rate=1e-2,
    weight_decay=1e-5,
    precision="float32",
    device="cpu",
    threads=1,
    copies=1,
    resample="each_epoch",
    augment_at="native",
    init_seed=1,
    order_seed=2,
    augmentation_seed=3,
)


def settings(augmentation: str | None = None, **changes: Any) -> Settings:
    """The settings above with one augmentation at its defaults."""
    if augmentation is None:
        return dataclasses.replace(SETTINGS, **changes)
    parameters = registry.AUGMENTATIONS[augmentation].parameters
    steps = [(augmentation, {name: p.default for name, p in parameters.items()})]
    return dataclasses.replace(SETTINGS, steps=steps, **changes)


@pytest.fixture(scope="module")
def digits() -> data.Dataset:
    everything = data.load("digits", root=None, size=None, fit="crop", channels=None)
    few = np.arange(240)
    return dataclasses.replace(
        everything,
        images=everything.images[few],
        labels=everything.labels[few],
        part=everything.part[few],
    )


@pytest.fixture(scope="module")
def split(digits: data.Dataset) -> pd.DataFrame:
    subset = np.array(["train", "train", "validation", "test"])[np.arange(240) % 4]
    return pd.DataFrame({"index": range(240), "label": digits.labels, "subset": subset})


def run(
    chosen: Settings, digits: data.Dataset, split: pd.DataFrame, folder: Path
) -> tuple[Weights, train.Metadata, pd.DataFrame, list[dict[str, Any]]]:
    events: list[dict[str, Any]] = []
    results = train.train(
        chosen,
        digits,
        split,
        name="affine/2",
        checkpoint=folder / ".2.checkpoint",
        code=["abc"],
        progress=events.append,
    )
    return *results, events


# Settings as a study names them.


@pytest.mark.parametrize(
    ("copies", "steps", "size"), [(0, 10, 12), (10, 10, 132), (0, 1, 120), (0, 120, 1), (1, 7, 35)]
)
def test_steps_per_epoch_are_the_batches_of_an_epoch(
    copies: int, steps: int, size: int, digits: data.Dataset, split: pd.DataFrame
) -> None:
    training = dataclasses.asdict(settings("affine", copies=copies)) | {"steps_per_epoch": steps}
    del training["batch_size"]
    chosen = Settings.of(training, split)
    assert chosen == dataclasses.replace(settings("affine", copies=copies), batch_size=size)
    index = split["index"][split["subset"] == "train"].to_numpy()
    images = torch.from_numpy(digits.images[index]).permute(0, 3, 1, 2)
    labels = torch.from_numpy(digits.labels[index])
    feed = Feed(chosen, images, labels, index, 10)
    assert len(list(feed.batches(1))) == steps


def test_a_batch_size_is_taken_as_it_is(split: pd.DataFrame) -> None:
    assert Settings.of(dataclasses.asdict(SETTINGS), split) == SETTINGS


@pytest.mark.parametrize(("steps", "possible"), [(121, 120), (70, 60), (50, 40)])
def test_steps_that_no_batch_size_gives_are_refused(
    steps: int, possible: int, split: pd.DataFrame
) -> None:
    training = dataclasses.asdict(settings(copies=0)) | {"steps_per_epoch": steps}
    del training["batch_size"]
    with pytest.raises(
        CampareError, match=rf"steps_per_epoch: 120 .* {steps} .*; {possible} steps"
    ):
        Settings.of(training, split)


# The training list.


@pytest.mark.parametrize("n", [1, 2, 57])
@pytest.mark.parametrize("copies", [0, 1, 3])
def test_order_holds_every_image_and_copy_once(n: int, copies: int) -> None:
    listing = order(n, copies, seed=4)
    assert listing.dtype == np.int64
    assert sorted(map(tuple, listing.tolist())) == [
        (source, copy) for source in range(n) for copy in range(copies + 1)
    ]


@pytest.mark.parametrize("copies", [1, 2, 5])
def test_the_baselines_order_is_that_of_the_originals_in_the_list(copies: int) -> None:
    listing = order(100, copies, seed=4)
    np.testing.assert_array_equal(listing[listing[:, 1] == 0], order(100, 0, seed=4))


def test_order_is_shuffled_and_depends_on_its_seed_alone() -> None:
    listing = order(100, 1, seed=4)
    np.random.seed(0)  # noqa: NPY002
    np.testing.assert_array_equal(listing, order(100, 1, seed=4))
    assert not np.array_equal(listing, order(100, 1, seed=5))
    # Copies lie among the originals, not after them.
    assert 30 < np.count_nonzero(listing[:100, 1]) < 70


def grey(count: int) -> tuple[torch.Tensor, torch.Tensor, np.ndarray]:
    """Pictures of one grey level each, their number; labels; and scattered dataset indices."""
    images = torch.arange(count, dtype=torch.uint8)[:, None, None, None].expand(count, 3, 8, 8)
    return images.contiguous(), torch.arange(count) % 4, 7 * np.arange(count) + 2


def epoch_of(feed: Feed, epoch: int) -> tuple[torch.Tensor, torch.Tensor]:
    images, targets = zip(*feed.batches(epoch), strict=True)
    return torch.cat(images), torch.cat(targets)


@pytest.mark.parametrize("copies", [1, 3])
def test_position_k_holds_the_same_source_under_every_augmentation(copies: int) -> None:
    expected = order(50, copies, SETTINGS.order_seed)[:, 0]
    for augmentation, seed in [("horizontal_flip", 0), ("gaussian_blur", 1), ("random_crop", 2)]:
        chosen = settings(augmentation, copies=copies, augmentation_seed=seed)
        images, targets = epoch_of(Feed(chosen, *grey(50), 4), 1)
        np.testing.assert_array_equal(images[:, 0, 4, 4], expected)
        np.testing.assert_array_equal(targets.argmax(1), expected % 4)


@pytest.mark.parametrize("augmentation", ["affine", "random_erasing", "cutmix_mixed"])
@pytest.mark.parametrize("block", [1, 3000, 1 << 21])
def test_copies_are_augmented_by_key_and_originals_never(
    augmentation: str, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("campare.feed.BLOCK", block)
    images = torch.randint(0, 256, (50, 3, 8, 8), dtype=torch.uint8)
    _, labels, index = grey(50)
    chosen = settings(augmentation, copies=2, batch_size=7)
    found, targets = epoch_of(Feed(chosen, images, labels, index, 4), 5)

    pool = Batch(images, torch.eye(4)[labels])
    source, copy = torch.from_numpy(order(50, 2, chosen.order_seed)).unbind(1)
    augment = Augmenter(chosen.steps, chosen.augmentation_seed, pool)
    drawn = augment(
        Batch(images[source], pool.targets[source]), torch.from_numpy(index)[source], copy, 5
    )
    original = copy == 0
    torch.testing.assert_close(found[original], images[source][original], rtol=0, atol=0)
    torch.testing.assert_close(found[~original], drawn.images[~original], rtol=0, atol=0)
    torch.testing.assert_close(targets[original], pool.targets[source][original])
    torch.testing.assert_close(targets[~original], drawn.targets[~original])


@pytest.mark.parametrize("copies", [0, 1])
def test_every_epoch_may_have_an_order_of_its_own(copies: int) -> None:
    feeds = [
        Feed(
            settings(name, copies=copies, shuffle="each_epoch", batch_size=size, resample=resample),
            *grey(50),
            4,
        )
        for name, size, resample in [
            ("horizontal_flip", 7, "each_epoch"),
            ("affine", 50, "each_epoch"),
            ("affine", 50, "once"),
        ]
    ]
    for epoch in (1, 2):
        lists = [feed.listing(epoch).numpy() for feed in feeds]
        assert len(np.unique(lists[0], axis=0)) == feeds[0].length
        for other in lists[1:]:  # the same for all augmentations, batch sizes and ways to draw
            np.testing.assert_array_equal(lists[0], other)
        found = epoch_of(feeds[0], epoch)[0][:, 0, 4, 4]
        np.testing.assert_array_equal(found, lists[0][:, 0])
    assert (feeds[0].listing(1) != feeds[0].listing(2)).any()
    assert (feeds[0].listing(1) != torch.from_numpy(order(50, copies, SETTINGS.order_seed))).any()


def test_images_drawn_once_stay_the_same_in_every_order() -> None:
    images = torch.randint(0, 256, (50, 3, 8, 8), dtype=torch.uint8)
    chosen = settings("affine", copies=1, resample="once", shuffle="each_epoch")
    feed = Feed(chosen, images, *grey(50)[1:], 4)

    def by_key(epoch: int) -> torch.Tensor:
        source, copy = feed.listing(epoch).unbind(1)
        return epoch_of(feed, epoch)[0][(source * 2 + copy).argsort()]

    torch.testing.assert_close(by_key(1), by_key(2), rtol=0, atol=0)


def in_place(name: str = "affine", probability: float = 1.0, **changes: Any) -> Settings:
    return settings(name, copies=0, probability=probability, **changes)


def source_and_copy(feed: Feed, epoch: int) -> tuple[np.ndarray, np.ndarray]:
    source, copy = feed.listing(epoch).numpy().T
    return source, copy


@pytest.mark.parametrize("augmentation", ["affine", "cutmix_mixed"])
@pytest.mark.parametrize("block", [1, 3000, 1 << 21])
@pytest.mark.parametrize("probability", [1.0, 0.4])
def test_in_place_an_image_is_replaced_by_what_its_first_copy_would_be(
    augmentation: str, block: int, probability: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("campare.feed.BLOCK", block)
    images = torch.randint(0, 256, (50, 3, 8, 8), dtype=torch.uint8)
    _, labels, index = grey(50)
    chosen = in_place(augmentation, probability, batch_size=7)
    feed = Feed(chosen, images, labels, index, 4)
    plain = Feed(settings(copies=0, batch_size=7), images, labels, index, 4)
    added = Feed(settings(augmentation, copies=1, batch_size=7), images, labels, index, 4)
    for epoch in (1, 5):
        source, copy = source_and_copy(feed, epoch)
        # As many images and steps as the baseline, each the same image at the same place.
        np.testing.assert_array_equal(source, source_and_copy(plain, epoch)[0])
        assert [len(part) for part, _ in feed.batches(epoch)] == [7] * 7 + [1]
        drawn = zip(*epoch_of(added, epoch), strict=True)
        of = dict(zip(map(tuple, added.listing(epoch).tolist()), drawn, strict=True))
        for key, image, target in zip(
            zip(source, copy, strict=True), *epoch_of(feed, epoch), strict=True
        ):
            assert torch.equal(image, of[key][0])
            assert torch.equal(target, of[key][1])
        assert copy.mean() == 1 if probability == 1 else 0.2 < copy.mean() < 0.6


def test_in_place_the_images_replaced_are_drawn_by_key_in_every_epoch() -> None:
    images, labels, _ = grey(400)
    index = np.arange(400)

    def chosen(probability: float, numbers: np.ndarray = index, **changes: Any) -> Feed:
        given = in_place("affine", probability, **changes)
        return Feed(given, images[numbers], labels[numbers], numbers, 4)

    def replaced(feed: Feed, epoch: int) -> set[int]:
        source, copy = source_and_copy(feed, epoch)
        return set(feed.index[source[copy == 1]].tolist())

    half = chosen(0.5)
    first, second = replaced(half, 1), replaced(half, 2)
    assert first == replaced(chosen(0.5, order_seed=9, batch_size=3), 1)
    assert abs(len(first & second) - 100) < 40  # independent epochs
    assert abs(len(first) - 200) < 40
    assert replaced(chosen(0.2), 1) < first < replaced(chosen(0.8), 1)
    # A choice from the data set changes nothing for the images that stay.
    assert replaced(chosen(0.5, index[100:]), 1) == {n for n in first if n >= 100}
    assert replaced(chosen(0.5, augmentation_seed=9), 1) != first


def test_in_place_and_once_the_same_images_are_replaced_in_every_epoch() -> None:
    _, labels, index = grey(50)
    images = torch.randint(0, 256, (50, 3, 8, 8), dtype=torch.uint8)
    feed = Feed(in_place("affine", 0.5, resample="once"), images, labels, index, 4)
    anew = Feed(in_place("affine", 0.5), images, labels, index, 4)
    first, second = epoch_of(feed, 1)[0], epoch_of(feed, 2)[0]
    assert torch.equal(first, second)
    assert not torch.equal(epoch_of(anew, 1)[0], epoch_of(anew, 2)[0])
    source, copy = source_and_copy(feed, 0)
    assert torch.equal(first[copy == 0], images[source[copy == 0]])


@pytest.mark.parametrize("probability", [1.0, 0.5])
def test_in_place_trains_and_stays_apart_from_the_baseline(
    probability: float, digits: data.Dataset, split: pd.DataFrame, tmp_path: Path
) -> None:
    weights, metadata, history, _ = run(
        in_place("affine", probability), digits, split, tmp_path / "affine"
    )
    again, *_ = run(in_place("affine", probability), digits, split, tmp_path / "again")
    plain, *_ = run(settings(copies=0), digits, split, tmp_path / "plain")
    assert metadata["settings"]["probability"] == probability
    assert all(torch.equal(weights[name], again[name]) for name in weights)
    assert not torch.equal(weights["classifier.weight"], plain["classifier.weight"])
    assert history.notna().all(axis=None)


def test_batches_have_the_size_asked_for_and_the_last_one_the_rest() -> None:
    feed = Feed(settings(copies=1, batch_size=32), *grey(50), 4)
    assert [len(images) for images, _ in feed.batches(1)] == [32, 32, 32, 4]
    assert feed.length == 100


def test_resampling_draws_anew_every_epoch_or_once() -> None:
    _, labels, index = grey(50)
    images = torch.randint(0, 256, (50, 1, 8, 8), dtype=torch.uint8)
    anew = Feed(settings("affine"), images, labels, index, 4)
    once = Feed(settings("affine", resample="once"), images, labels, index, 4)
    assert not torch.equal(epoch_of(anew, 1)[0], epoch_of(anew, 2)[0])
    assert torch.equal(epoch_of(anew, 1)[0], epoch_of(anew, 1)[0])
    assert torch.equal(epoch_of(once, 1)[0], epoch_of(once, 2)[0])
    assert torch.equal(epoch_of(once, 1)[0], epoch_of(anew, 0)[0])


def test_augmenting_at_input_size_comes_after_the_resize_to_whole_grey_levels() -> None:
    _, labels, index = grey(50)
    images = torch.randint(0, 256, (50, 3, 8, 8), dtype=torch.uint8)
    chosen = settings("cutmix", augment_at="input", input_size=20)
    found, _ = epoch_of(Feed(chosen, images, labels, index, 4), 1)
    sized = prepare(images, [0.0] * 3, [1.0] * 3, 20).mul(255).round().to(torch.uint8)
    source, copy = order(50, 1, chosen.order_seed).T
    assert torch.equal(found[copy == 0], sized[source[copy == 0]])
    # A CutMix of resized pictures: every pixel is one of theirs.
    for picture, origin in zip(found[copy > 0], sized[source[copy > 0]], strict=True):
        assert bool(((sized == picture) | (origin == picture)).any(0).all())
        assert bool((picture == origin).any())


# Steps.


def test_adam_is_torchs_to_the_bit_and_leaves_unused_parameters_alone() -> None:
    def make() -> list[torch.nn.Parameter]:
        generator = torch.Generator().manual_seed(0)
        weights = [torch.randn(shape, generator=generator) for shape in [(4, 3, 3, 3), (5,), (2,)]]
        weights[0] = weights[0].contiguous(memory_format=torch.channels_last)
        return [torch.nn.Parameter(weight) for weight in weights]

    ours, theirs = make(), make()
    adam = Adam(ours, 1e-2, 1e-3)
    reference = torch.optim.Adam(theirs, 1e-2, weight_decay=1e-3, fused=True)
    for step in range(5):
        for weights in (ours, theirs):
            for weight in weights[:2]:
                weight.grad = torch.sin(weight.detach() * 10 + step)
        adam.step()
        reference.step()
    for weight, expected, first in zip(ours, theirs, make(), strict=True):
        assert torch.equal(weight, expected)
        assert torch.equal(weight, first) == (len(weight) == 2)


@pytest.mark.parametrize("side", [1, 3, 8])
def test_lean_pooling_is_torchs_and_so_is_its_gradient(side: int) -> None:
    maps = torch.randn(4, 5, side, side, generator=torch.Generator().manual_seed(0))
    maps = maps.contiguous(memory_format=torch.channels_last).requires_grad_()
    pooled, expected = Pooling.apply(maps), torch.nn.AdaptiveAvgPool2d(1)(maps)
    assert torch.equal(pooled, expected)
    weights = torch.arange(20.0).reshape(4, 5, 1, 1)
    (ours,) = torch.autograd.grad((pooled * weights).sum(), maps)
    (torchs,) = torch.autograd.grad((expected * weights).sum(), maps)
    assert torch.equal(ours, torchs)
    assert torch.autograd.gradcheck(Pooling.apply, maps.detach().double().requires_grad_())


@pytest.mark.parametrize("size", [7, (3, 2), (None, 6), (5, 9)])
def test_deterministic_pooling_is_torchs_and_so_is_its_gradient(size: Any) -> None:
    maps = torch.randn(4, 5, 5, 9, generator=torch.Generator().manual_seed(0), requires_grad=True)
    pool = torch.nn.AdaptiveAvgPool2d(size)
    expected = pool(maps)
    pool_deterministically(pool)
    found = pool(maps)
    torch.testing.assert_close(found, expected)
    weights = torch.arange(float(found.numel())).reshape(found.shape)
    (ours,) = torch.autograd.grad((found * weights).sum(), maps)
    (torchs,) = torch.autograd.grad((expected * weights).sum(), maps)
    torch.testing.assert_close(ours, torchs)


def test_deterministic_pooling_leaves_other_layers() -> None:
    network = models.build("alexnet", classes=4, channels=3, seed=0)
    expected = network.eval()(torch.ones(2, 3, 96, 96))
    pool_deterministically(network)
    forwards = [name for name, module in network.named_modules() if "forward" in vars(module)]
    assert forwards == ["avgpool"]
    torch.testing.assert_close(network(torch.ones(2, 3, 96, 96)), expected)


@pytest.mark.parametrize("architecture", ["small_cnn", "fashion_cnn", "resnet18"])
def test_a_network_that_pools_leanly_has_the_gradients_it_had(architecture: str) -> None:
    images, labels = torch.randn(4, 3, 64, 64), torch.arange(4)
    gradients = []
    for lean in (False, True):
        network = models.build(architecture, classes=4, channels=3, seed=0)
        network = network.to(memory_format=torch.channels_last)
        if lean:
            pool_leanly(network)
        torch.nn.functional.cross_entropy(network(images), labels).backward()
        gradients.append([weight.grad for weight in network.parameters()])
    for plain, leaned in zip(*gradients, strict=True):
        torch.testing.assert_close(leaned, plain)


def test_initial_weights_are_those_of_the_seed_whatever_the_augmentation(
    digits: data.Dataset, split: pd.DataFrame, tmp_path: Path
) -> None:
    first = models.build("small_cnn", classes=10, channels=1, seed=1).state_dict()
    for augmentation in ("affine", "equalize"):
        still = settings(augmentation, learning_rate=0.0, epochs=1, augmentation_seed=9)
        weights, *_ = run(still, digits, split, tmp_path / augmentation)
        for name, tensor in weights.items():
            assert ("running" in name or "num_batches" in name) or torch.equal(tensor, first[name])


# Results.


@pytest.mark.parametrize("augmentation", [None, "elastic", "cutmix_mixed"])
def test_two_runs_give_the_same_bytes(
    augmentation: str | None, digits: data.Dataset, split: pd.DataFrame, tmp_path: Path
) -> None:
    written = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        weights, metadata, history, _ = run(settings(augmentation), digits, split, folder)
        checkpoints.save(folder / "2.safetensors", weights, metadata)
        clockless = history.drop(columns=["seconds", "images_per_second"])
        written.append(((folder / "2.safetensors").read_bytes(), clockless.to_csv()))
        torch.rand(7)  # the global generator is somewhere else at the second run
    assert written[0] == written[1]


def test_the_seeds_of_order_and_augmentation_change_the_weights(
    digits: data.Dataset, split: pd.DataFrame, tmp_path: Path
) -> None:
    variants = [{}, {"order_seed": 7}, {"augmentation_seed": 7}, {"init_seed": 7}]
    found = set()
    for place, changes in enumerate(variants):
        chosen = settings("affine", epochs=1, **changes)
        weights, *_ = run(chosen, digits, split, tmp_path / str(place))
        found.add(weights["classifier.weight"].numpy().tobytes())
    assert len(found) == len(variants)


def test_weights_are_those_of_the_first_epoch_of_highest_validation_accuracy(
    digits: data.Dataset, split: pd.DataFrame, tmp_path: Path
) -> None:
    # A rate at which the accuracy goes up and down.
    chosen = settings("affine", epochs=6, learning_rate=0.1)
    weights, metadata, history, _ = run(chosen, digits, split, tmp_path)
    best = history["validation_accuracy"].idxmax()
    assert metadata["epoch"] == history["epoch"][best] < 6

    model = models.build("small_cnn", classes=10, channels=1, seed=0).eval()
    model.load_state_dict(weights)
    shown = split["subset"] == "validation"
    images = torch.from_numpy(digits.images[shown]).permute(0, 3, 1, 2)
    with torch.inference_mode():
        logits = model(prepare(images, metadata["mean"], metadata["std"], 16))
    labels = torch.from_numpy(digits.labels[shown])
    row = history.loc[best]
    loss = F.cross_entropy(logits, labels)
    assert float(loss) == pytest.approx(row["validation_loss"], rel=1e-4)
    confusion = performance.confusion(labels, logits.argmax(1), 10)
    for name, value in performance.scores(confusion).items():
        assert value == pytest.approx(row[f"validation_{name}"])


def test_of_epochs_equally_accurate_the_first_counts(
    digits: data.Dataset, split: pd.DataFrame, tmp_path: Path
) -> None:
    still = {"learning_rate": 0.0, "architecture": "squeezenet1_1", "input_size": 32}
    _, metadata, history, _ = run(settings(copies=0, **still), digits, split, tmp_path)
    assert history["validation_accuracy"][0] == history["validation_accuracy"][1]
    assert metadata["epoch"] == 1


def test_training_loss_is_the_mean_over_images_not_batches(
    digits: data.Dataset, split: pd.DataFrame, tmp_path: Path
) -> None:
    still = settings(copies=0, learning_rate=0.0, epochs=1, batch_size=110)
    _, metadata, history, _ = run(still, digits, split, tmp_path)

    index = split["index"][split["subset"] == "train"].to_numpy()
    images = torch.from_numpy(digits.images[index]).permute(0, 3, 1, 2).contiguous()
    feed = Feed(still, images, torch.from_numpy(digits.labels[index]), index, 10)
    model = models.build("small_cnn", classes=10, channels=1, seed=1)
    losses = []
    with torch.no_grad():
        for shown, targets in feed.batches(1):
            logits = model(prepare(shown, metadata["mean"], metadata["std"], 16))
            losses.append(float(F.cross_entropy(logits, targets)))
    assert history["train_loss"][0] == pytest.approx((110 * losses[0] + 10 * losses[1]) / 120)
    assert history["train_loss"][0] != pytest.approx(np.mean(losses), rel=1e-3)


def test_history_has_a_row_per_epoch_and_measures_the_subsets_asked_for(
    digits: data.Dataset, split: pd.DataFrame, tmp_path: Path
) -> None:
    scores = ["loss", "accuracy", "precision", "recall", "f1"]
    found = []
    for evaluate in (("validation",), ("validation", "test")):
        measured = [f"{subset}_{score}" for subset in evaluate for score in scores]
        weights, _, history, _ = run(
            settings(evaluate=evaluate), digits, split, tmp_path / evaluate[-1]
        )
        assert list(history) == [
            "epoch", "train_loss", *measured, "seconds", "images_per_second",
        ]  # fmt: skip
        assert history["epoch"].tolist() == [1, 2]
        assert history.notna().all(axis=None)
        found.append((weights["classifier.weight"], history["validation_loss"].tolist()))
    # Looking at the test set changes nothing.
    assert torch.equal(found[0][0], found[1][0])
    assert found[0][1] == found[1][1]


def test_digits_are_learned(digits: data.Dataset, split: pd.DataFrame, tmp_path: Path) -> None:
    *_, history, _ = run(settings("affine", epochs=12), digits, split, tmp_path)
    assert history["validation_accuracy"].max() > 0.9
    assert history["train_loss"].iloc[-1] < history["train_loss"].iloc[0]


def test_bfloat16_trains_float32_weights_that_differ(
    digits: data.Dataset, split: pd.DataFrame, tmp_path: Path
) -> None:
    exact, *_ = run(settings(), digits, split, tmp_path / "float32")
    rough, _, history, _ = run(settings(precision="bfloat16"), digits, split, tmp_path / "bfloat16")
    assert {t.dtype for t in rough.values()} == {torch.float32, torch.int64}
    assert not torch.equal(exact["classifier.weight"], rough["classifier.weight"])
    assert history["train_loss"].iloc[-1] < history["train_loss"].iloc[0]


@pytest.mark.parametrize(("precision", "tf32"), [("float32", False), ("tf32", True)])
def test_convolutions_take_tf32_where_it_is_asked_for_alone(
    precision: str, tf32: bool, digits: data.Dataset, split: pd.DataFrame, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    seen = set()
    measure = train.performance.scores

    def spied(counts: Any) -> Any:
        seen.add(torch.backends.cudnn.allow_tf32)
        return measure(counts)

    monkeypatch.setattr(train.performance, "scores", spied)
    weights, *_ = run(settings(precision=precision, epochs=1), digits, split, tmp_path / precision)
    assert seen == {tf32}
    plain, *_ = run(settings(epochs=1), digits, split, tmp_path / "plain")
    assert all(torch.equal(weights[name], plain[name]) for name in plain)  # the CPU has none


def test_metadata_says_what_made_the_weights(
    digits: data.Dataset, split: pd.DataFrame, tmp_path: Path
) -> None:
    chosen = settings("affine", epochs=1)
    weights, metadata, *_ = run(chosen, digits, split, tmp_path)
    checkpoints.save(tmp_path / "2.safetensors", weights, metadata)
    with safe_open(tmp_path / "2.safetensors", "pt") as file:
        about = json.loads(file.metadata()["campare"])
    assert about["settings"] == json.loads(json.dumps(dataclasses.asdict(chosen)))
    assert about["code"] == ["abc"]
    assert about["epoch"] == 1
    assert about["classes"] == list("0123456789")
    assert about["device"] == "cpu"
    assert about["versions"]["torch"] == torch.__version__.split("+")[0]
    training = digits.images[split["subset"] == "train"] / 255
    assert about["mean"] == pytest.approx([training.mean()])
    assert about["std"] == pytest.approx([training.std()])


def test_saved_bytes_do_not_depend_on_the_order_of_keys_or_strides(tmp_path: Path) -> None:
    tensor = torch.randn(2, 3, 4, 5)
    checkpoints.save(
        tmp_path / "a", {"w": tensor, "b": torch.ones(3)}, {"x": 1, "y": {"p": 2, "q": 3}}
    )
    strided = tensor.contiguous(memory_format=torch.channels_last)
    checkpoints.save(
        tmp_path / "b", {"b": torch.ones(3), "w": strided}, {"y": {"q": 3, "p": 2}, "x": 1}
    )
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_progress_tells_every_epoch_and_long_epochs_within(
    digits: data.Dataset, split: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(1000))
    monkeypatch.setattr(train.time, "monotonic", lambda: next(clock))  # a second per look
    *_, history, events = run(settings(), digits, split, tmp_path)
    epochs = [event for event in events if event["event"] == "epoch"]
    assert [event["epoch"] for event in epochs] == [1, 2]
    assert [event["train_loss"] for event in epochs] == history["train_loss"].tolist()
    assert epochs[0]["left"] == pytest.approx(history["seconds"][0])
    assert epochs[1]["left"] == 0
    within = [event for event in events if event["event"] == "batch"]
    assert [event["done"] for event in within if event["epoch"] == 1] == sorted(
        {event["done"] for event in within}
    )
    assert all(event["done"] <= event["images"] == 240 for event in within)


# Bad input.


def test_a_loss_that_is_not_finite_stops_with_what_to_do(
    digits: data.Dataset, split: pd.DataFrame, tmp_path: Path
) -> None:
    problem = r"affine/2: \w+_loss is (nan|inf) in epoch 1; lower training.learning_rate"
    with pytest.raises(CampareError, match=problem):
        run(settings(learning_rate=1e30), digits, split, tmp_path)


@pytest.mark.parametrize("missing", ["cuda", "mps"])
def test_a_device_that_is_not_there_is_refused(
    missing: str, digits: data.Dataset, split: pd.DataFrame, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(CampareError, match=f"compute.device: {missing} .*auto or cpu"):
        run(settings(device=missing), digits, split, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("cuda", "mps", "chosen"),
    [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu"), (True, False, "cuda")],
)
def test_auto_takes_the_fastest_device(
    cuda: bool, mps: bool, chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert devices.choose("auto") == torch.device(chosen)
    assert devices.choose("cpu") == torch.device("cpu")


def test_deterministic_algorithms_are_on_with_the_threads_of_the_settings(
    digits: data.Dataset, split: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(seeding, "deterministic", asked.append)
    run(settings(epochs=1, threads=1), digits, split, tmp_path)
    assert asked == [1]


# Initial weights and normalisation.


@pytest.mark.parametrize("momentum", [None, 0.5])
def test_training_starts_with_the_weights_of_a_file(
    momentum: float | None, digits: data.Dataset, split: pd.DataFrame, tmp_path: Path
) -> None:
    theirs = models.build("small_cnn", classes=10, channels=1, seed=9)
    checkpoints.save(tmp_path / "weights", theirs.state_dict(), {})
    path, digest = str(tmp_path / "weights"), pretrained._digest(tmp_path / "weights", None)
    chosen = settings(
        weights=path, weights_sha256=digest, epochs=1, learning_rate=1e-12, weight_decay=0.0,
        batch_norm_momentum=momentum,
    )  # fmt: skip
    best, about, _, events = run(chosen, digits, split, tmp_path)
    for name, weight in theirs.named_parameters():
        torch.testing.assert_close(best[name], weight, rtol=0, atol=1e-9)
    assert events[0] == {
        "event": "note",
        "message": f"initial weights: {path}, SHA-256 {digest}",
    }
    assert about["settings"]["weights_sha256"] == digest
    # After 8 batches a share (1 − momentum)⁸ is left of the first running variance, which is 1.
    norm = torch.nn.BatchNorm2d(1, momentum=momentum or 0.1)
    left = (1 - float(norm.momentum or 0)) ** 8
    assert best["features.1.running_var"].min() > 0.9 * left
    assert (best["features.1.running_var"].min() < 0.3) == (momentum == 0.5)


def test_a_file_that_changed_since_the_settings_were_made_is_refused(
    digits: data.Dataset, split: pd.DataFrame, tmp_path: Path
) -> None:
    network = models.build("small_cnn", classes=10, channels=1, seed=9)
    checkpoints.save(tmp_path / "weights", network.state_dict(), {})
    chosen = settings(weights=str(tmp_path / "weights"), weights_sha256="0" * 64)
    with pytest.raises(CampareError, match="has changed since Snakemake started"):
        run(chosen, digits, split, tmp_path)


def test_images_are_normalised_as_the_settings_say(
    digits: data.Dataset, split: pd.DataFrame, tmp_path: Path
) -> None:
    normalise = {"mean": [0.25], "std": [0.5]}
    best, about, _, _ = run(settings(normalise=normalise, epochs=1), digits, split, tmp_path / "a")
    assert (about["mean"], about["std"]) == ([0.25], [0.5])
    trained = run(settings(epochs=1), digits, split, tmp_path / "b")[0]
    assert not torch.equal(best["features.0.weight"], trained["features.0.weight"])
    imagenet = run(settings(normalise="imagenet", epochs=1), digits, split, tmp_path / "c")[1]
    assert imagenet["mean"] == pytest.approx([0.449])
