"""Images that stay in the data file: the same training, bit for bit, with a batch in memory."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import test_train
import torch

from campare import augmented, data, scratch, train, training_images
from campare.augment import Batch
from campare.settings import Settings

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> data.Dataset:
    """120 digits in colour, read from a data file."""
    digits = data.load("digits", root=None, size=None, fit="crop", channels=3)
    few = np.random.default_rng(0).permutation(1797)[:120]
    path = tmp_path_factory.mktemp("data") / "data.h5"
    images = digits.images[few] * np.array([1, 0.5, 0.2])
    few_of = dataclasses.replace(
        digits, images=images.astype(np.uint8), labels=digits.labels[few], part=digits.part[few]
    )
    data.write(few_of, path)
    return data.read(path)


@pytest.fixture(scope="module")
def split(stored: data.Dataset) -> pd.DataFrame:
    subsets = np.array(["train", "train", "validation", "test"])[np.arange(120) % 4]
    return pd.DataFrame({"index": range(120), "label": stored.labels, "subset": subsets})


@pytest.fixture
def all_mapped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_images, "RESIDENT", 0)
    monkeypatch.setattr(scratch, "STEP", 1000)


def settings(augmentation: str | None, **changes: Any) -> Settings:
    copies = 0 if augmentation is None else 1
    return test_train.settings(augmentation, **{"input_size": 10, "copies": copies, **changes})


def trained(chosen: Settings, stored: data.Dataset, split: pd.DataFrame, folder: Path) -> Any:
    return train.train(
        chosen,
        stored,
        split,
        name="affine/2",
        checkpoint=folder / ".2.checkpoint",
        code=["abc"],
        progress=lambda event: None,
    )


@pytest.mark.parametrize(
    ("augmentation", "changes"),
    [
        (None, {}),
        ("cutmix_mixed", {}),
        ("cutout", {"resample": "once"}),
        ("affine", {"augment_at": "input", "copies": 0, "probability": 0.5}),
    ],
)
def test_mapped_images_give_the_same_network(
    augmentation: str | None,
    changes: dict[str, Any],
    stored: data.Dataset,
    split: pd.DataFrame,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chosen = settings(augmentation, **changes)
    resident = trained(chosen, stored, split, tmp_path / "resident")
    monkeypatch.setattr(training_images, "RESIDENT", 0)
    monkeypatch.setattr(scratch, "STEP", 1000)
    mapped = trained(chosen, stored, split, tmp_path / "mapped")
    assert resident[1] == mapped[1]
    assert all(torch.equal(resident[0][name], mapped[0][name]) for name in resident[0])
    scores = [name for name in resident[2] if "second" not in name]
    pd.testing.assert_frame_equal(resident[2][scores], mapped[2][scores])


def test_a_training_set_drawn_once_can_be_saved(
    stored: data.Dataset, split: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = settings("affine", resample="once")
    resident = augmented.drawn(chosen, stored, split)
    monkeypatch.setattr(training_images, "RESIDENT", 0)
    mapped = augmented.drawn(chosen, stored, split)
    for field in dataclasses.fields(resident):
        assert np.array_equal(getattr(resident, field.name), getattr(mapped, field.name))


def test_only_the_images_asked_for_are_read(stored: data.Dataset, all_mapped: None) -> None:
    index = np.arange(100, 0, -2)
    images = training_images.images_of(stored, index, CPU)
    assert isinstance(images, training_images.Mapped)
    assert images.shape == (50, 3, 8, 8)
    rows = torch.tensor([3, 0, 3])
    expected = torch.from_numpy(stored.images[index[rows]]).permute(0, 3, 1, 2)
    images.expect(rows)
    assert torch.equal(images[rows], expected)
    assert torch.equal(torch.cat([*training_images.parts(images)]), images[:])
    assert images[:2].is_contiguous()


def test_the_mean_of_a_pool_is_that_of_a_batch(stored: data.Dataset, all_mapped: None) -> None:
    index, labels = np.arange(0, 120, 3), torch.zeros(40, dtype=torch.long)
    pool = training_images.Pool(training_images.images_of(stored, index, CPU), labels, 10)
    every = pool.of(torch.arange(40))
    assert torch.equal(pool.mean, Batch(every.images, every.targets).mean)


def test_images_in_memory_need_no_file() -> None:
    images = np.arange(2 * 4 * 4 * 3, dtype=np.uint8).reshape(2, 4, 4, 3)
    mapped = training_images.Mapped(images, np.array([1]), CPU)
    mapped.expect(torch.tensor([0]))
    assert torch.equal(mapped[:], torch.from_numpy(images[1:]).permute(0, 3, 1, 2))
