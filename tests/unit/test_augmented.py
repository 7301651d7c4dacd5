"""The saved training set is the one that is trained on."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import torch
from test_train import SETTINGS

from campare import augmented, data, registry, train
from campare.errors import CampareError
from campare.feed import Feed
from campare.settings import Settings

NAMES = ["scaling", "random_crop", "elastic", "gaussian_blur", "random_erasing"]


@pytest.fixture(scope="module")
def digits() -> data.Dataset:
    return data.load("digits", root=None, size=28, fit="crop", channels=None)


@pytest.fixture(scope="module")
def split(digits: data.Dataset) -> pd.DataFrame:
    index = np.arange(0, 200, 2)
    subset = np.where(np.arange(100) < 60, "train", "validation")
    return pd.DataFrame({"index": index, "label": digits.labels[index], "subset": subset})


def once(name: str | None, **changes: object) -> Settings:
    """Ten copies, drawn once, by one augmentation at its defaults."""
    parameters = registry.AUGMENTATIONS[name].parameters if name else {}
    steps = [(name, {key: p.default for key, p in parameters.items()})] if name else []
    copies = 10 if name else 0
    return dataclasses.replace(
        SETTINGS, steps=steps, copies=copies, resample="once", batch_size=66, **changes
    )


@pytest.mark.parametrize("name", [None, *NAMES, "cutmix_mixed"])
def test_it_is_bit_for_bit_what_training_sees_in_every_epoch(
    name: str | None,
    digits: data.Dataset,
    split: pd.DataFrame,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[list[tuple[torch.Tensor, torch.Tensor]]] = []
    batches = Feed.batches

    def spied(self: Feed, epoch: int, start: int = 0) -> list[tuple[torch.Tensor, torch.Tensor]]:
        drawn = batches(self, epoch, start)
        seen.append([(images.clone(), shares.clone()) for images, shares in drawn])
        return seen[-1]

    monkeypatch.setattr(Feed, "batches", spied)
    chosen = once(name, epochs=2)
    train.train(
        chosen,
        digits,
        split,
        name="a/1",
        checkpoint=tmp_path / "c",
        code=[],
        progress=lambda _: None,
    )
    monkeypatch.undo()
    found = augmented.drawn(chosen, digits, split)
    assert len(seen) == 2
    for epoch in seen:
        images, shares = (torch.cat(parts).numpy() for parts in zip(*epoch, strict=True))
        np.testing.assert_array_equal(found.images, images.transpose(0, 2, 3, 1))
        np.testing.assert_array_equal(found.target, shares)


@pytest.mark.parametrize("name", NAMES)
def test_every_image_is_there_with_ten_copies_no_two_of_them_the_same(
    name: str, digits: data.Dataset, split: pd.DataFrame
) -> None:
    found = augmented.drawn(once(name), digits, split)
    train_index = split["index"][split["subset"] == "train"]
    assert len(found.images) == 11 * len(train_index)
    assert set(zip(found.index, found.copy, strict=True)) == {
        (index, copy) for index in train_index for copy in range(11)
    }
    originals = found.copy == 0
    np.testing.assert_array_equal(found.images[originals], digits.images[found.index[originals]])
    labels = digits.labels[found.index]
    np.testing.assert_array_equal(found.target, np.eye(10, dtype=np.float32)[labels])
    one = found.images[found.index == train_index.iloc[0]].reshape(11, -1)
    assert len(np.unique(one, axis=0)) >= 10  # a blur or an erased corner may change nothing


@pytest.mark.parametrize("probability", [1.0, 0.5])
def test_in_place_it_has_every_image_once_some_of_them_augmented(
    probability: float, digits: data.Dataset, split: pd.DataFrame
) -> None:
    chosen = dataclasses.replace(once("affine"), copies=0, probability=probability)
    found = augmented.drawn(chosen, digits, split)
    train_index = split["index"][split["subset"] == "train"]
    assert sorted(found.index) == sorted(train_index)
    assert found.copy.mean() == pytest.approx(probability, abs=0.15)
    plain = digits.images[found.index]
    changed = (found.images != plain).any(axis=(1, 2, 3))
    assert (changed <= found.copy).all()
    assert changed.sum() > 0.9 * found.copy.sum()


def test_it_is_written_whole_and_the_same_twice(
    digits: data.Dataset, split: pd.DataFrame, tmp_path: Path
) -> None:
    found = augmented.drawn(once("elastic"), digits, split)
    for name in ("a.h5", "b.h5"):
        augmented.write(found, tmp_path / name)
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()
    with h5py.File(tmp_path / "a.h5") as file:
        for name in ("images", "target", "index", "copy"):
            np.testing.assert_array_equal(file[name][...], getattr(found, name))


def test_copies_that_are_drawn_anew_cannot_be_saved(
    digits: data.Dataset, split: pd.DataFrame
) -> None:
    chosen = dataclasses.replace(once("elastic"), resample="each_epoch")
    with pytest.raises(
        CampareError, match=r"augmenting\.resample: with each_epoch .* set it to once"
    ):
        augmented.drawn(chosen, digits, split)
