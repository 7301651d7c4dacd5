"""Images that occur in two subsets or classes are listed once each, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from PIL import Image

from campare import data, duplicates, performance
from campare import split as campare_split

CLASSES = ("cat", "dog")


def photographs(count: int, side: int = 48) -> NDArray[np.uint8]:
    """Smooth random images, RGB."""
    coarse = np.random.default_rng(1).integers(0, 256, (count, 6, 6, 3), dtype=np.uint8)
    return np.stack([np.asarray(Image.fromarray(c).resize((side, side))) for c in coarse])


def split(subsets: list[str]) -> pd.DataFrame:
    rows = np.arange(len(subsets))
    return pd.DataFrame({"index": rows, "label": rows % 2, "subset": subsets})


def listed(table: pd.DataFrame) -> list[tuple[object, ...]]:
    columns = ["index", "subset", "other_index", "other_subset", "kind"]
    return list(table[columns].itertuples(index=False, name=None))


SUBSETS = ["train"] * 6 + ["validation"] * 2 + ["test"] * 4
LABELS = np.arange(12) % 2


def test_images_in_two_subsets_or_classes_are_listed_with_the_first_in_the_earliest() -> None:
    images = photographs(12)
    images[8] = images[6] = images[2]  # in all subsets
    images[5] = images[4]  # two classes
    images[3] = images[1]  # the same class and subset: nothing wrong
    images[10] = images[7]
    table = duplicates.table(images, LABELS, CLASSES, [split(SUBSETS)])
    assert listed(table) == [
        (5, "train", 4, "train", "identical"),
        (6, "validation", 2, "train", "identical"),
        (8, "test", 2, "train", "identical"),
        (10, "test", 7, "validation", "identical"),
    ]
    assert table["class"].tolist() == ["dog", "cat", "cat", "cat"]
    assert table["other_class"].tolist() == ["cat", "cat", "cat", "dog"]
    assert (table[["file", "other_file"]] == "").all(axis=None)
    said = [remark.split(",")[0] for remark in duplicates.remarks(table)]
    assert said == [
        "1 validation image(s) equal in every pixel to training images",
        "1 test image(s) equal in every pixel to training images",
        "1 test image(s) equal in every pixel to validation images",
        "2 image(s) equal in every pixel to an image of another class",
    ]
    names = [f"a/{row}.png" for row in range(12)]
    named = duplicates.table(images, LABELS, CLASSES, [split(SUBSETS)], files=names)
    assert named.assign(file="", other_file="").equals(table)
    assert named["file"].tolist() == ["a/5.png", "a/6.png", "a/8.png", "a/10.png"]
    assert named["other_file"].tolist() == ["a/4.png", "a/2.png", "a/2.png", "a/7.png"]
    *_, remark = duplicates.remarks(named)
    assert "another class (a/5.png = a/4.png, a/10.png = a/7.png), listed in" in remark
    many = pd.concat([named.iloc[[0]]] * 8)
    assert "a/5.png = a/4.png, 3 more), listed" in next(iter(duplicates.remarks(many)))


def test_a_data_set_without_duplicates_has_an_empty_table_with_columns() -> None:
    table = duplicates.table(photographs(12), LABELS, CLASSES, [split(SUBSETS)], near=4)
    assert table.empty and list(table.columns) == duplicates.COLUMNS
    assert not list(duplicates.remarks(table))


def test_images_outside_the_split_do_not_count() -> None:
    images = photographs(12)
    images[11] = images[0]
    assert duplicates.table(images, LABELS, CLASSES, [split(SUBSETS)[:11]]).empty


def test_splits_are_counted_in_which_two_images_are_in_different_subsets() -> None:
    images = photographs(12)
    images[11] = images[0]
    images[7] = images[1]
    other = split(["train"] * 8 + ["validation"] * 2 + ["test"] * 2)
    table = duplicates.table(images, LABELS, CLASSES, [split(SUBSETS), other])
    assert list(zip(table["index"], table["splits"], strict=True)) == [(7, 1), (11, 2)]


def changed(images: NDArray[np.uint8]) -> dict[str, NDArray[np.uint8]]:
    """Images as they come back from a scaling, from JPEG-like noise, and brighter."""
    noise = np.random.default_rng(2).normal(0, 3, images.shape)
    half = [Image.fromarray(image).resize((24, 24)).resize((48, 48)) for image in images]
    return {
        "scaled": np.stack([np.asarray(image) for image in half]),
        "noisy": np.clip(images + noise, 0, 255).astype(np.uint8),
        "brighter": np.clip(images * 0.9 + 20, 0, 255).astype(np.uint8),
    }


def test_near_duplicates_differ_in_few_bits_and_other_images_in_many() -> None:
    images = photographs(60)
    hashes = duplicates.perceptual_hashes(images)
    for name, others in changed(images).items():
        bits = np.bitwise_count(hashes ^ duplicates.perceptual_hashes(others))
        assert bits.max() <= 6, name
    between = np.bitwise_count(hashes[:, None] ^ hashes)[~np.eye(60, dtype=bool)]
    assert between.min() > 10


@pytest.mark.parametrize("rows", [1, 10**6])
def test_near_duplicates_are_listed_on_request_with_the_nearest(
    monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr(duplicates, "ROWS", rows)
    images = photographs(12)
    near = changed(images)
    images[9] = near["noisy"][3]
    images[8] = near["scaled"][1]
    images[11] = images[0]
    arguments = (images, LABELS, CLASSES, [split(SUBSETS)])
    assert len(duplicates.table(*arguments)) == 1
    table = duplicates.table(*arguments, near=6)
    assert listed(table) == [
        (8, "test", 1, "train", "near"),
        (9, "test", 3, "train", "near"),
        (11, "test", 0, "train", "identical"),
    ]
    assert table["bits"].between(0, 6).all() and table["bits"].iloc[2] == 0


def test_hashes_are_those_of_the_definition() -> None:
    """By the sum of cosines, without a library."""
    (image,) = np.random.default_rng(3).integers(0, 256, (1, 32, 32, 1), dtype=np.uint8)
    place = np.arange(32)
    waves = np.cos(np.pi * np.arange(8)[:, None] * (2 * place + 1) / 64)
    waves[0] /= np.sqrt(2)
    low = (waves @ image[..., 0] @ waves.T).ravel()
    expected = "".join("01"[bit] for bit in (low > np.median(low)).astype(int))
    (found,) = duplicates.perceptual_hashes(image[None])
    assert "".join(f"{byte:08b}" for byte in found.tobytes()) == expected


def test_images_are_counted_by_class_and_subset() -> None:
    frame = split(SUBSETS)[1:]
    counts = duplicates.counts(frame, ("cat", "dog", "hare"))
    assert counts.to_dict("list") == {
        "class": ["cat", "dog", "hare", "all"],
        "train": [2, 3, 0, 5],
        "validation": [1, 1, 0, 2],
        "test": [2, 2, 0, 4],
    }


def test_macro_recall_is_scikit_learns_balanced_accuracy() -> None:
    from sklearn.metrics import balanced_accuracy_score

    random = np.random.default_rng(0)
    labels = random.choice(4, 200, p=[0.7, 0.2, 0.05, 0.05])
    predictions = np.where(random.random(200) < 0.6, labels, random.integers(0, 4, 200))
    scores = performance.scores(performance.confusion(labels, predictions, 4))
    assert scores["recall"] == pytest.approx(balanced_accuracy_score(labels, predictions))


def test_duplicates_of_an_image_folder_are_found(tmp_path: Path) -> None:
    """Four test images of two classes are training images."""
    images = photographs(24, side=8)
    for row, image in enumerate(images):
        place = tmp_path / ("train" if row < 16 else "test") / CLASSES[row % 2] / f"{row:02}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(images[row - 16] if 16 <= row < 20 else image).save(place)
    dataset = data.image_folder(root=str(tmp_path), size=None, fit="crop", channels=None)
    frame = campare_split.stratified(
        *(dataset.labels, dataset.part), validation=0.25, test=0.2, subset={}, seed=0
    )
    table = duplicates.table(dataset.images, dataset.labels, dataset.classes, [frame])
    assert len(table) == 4 and set(table["subset"]) == {"test"}
    assert set(table["other_subset"]) <= {"train", "validation"}
    assert (dataset.images[table["index"]] == dataset.images[table["other_index"]]).all()
