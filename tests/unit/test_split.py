"""A split is stratified, seeded, complete, and checked when it is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedShuffleSplit

from campare import split
from campare.errors import CampareError

DIGITS = load_digits().target.astype(np.int64)


def parts(labels: NDArray[np.int64], tested: int = 0) -> NDArray[np.str_]:
    """All "" or, with `tested` > 0, every `tested`-th picture in the test part."""
    if not tested:
        return np.full(len(labels), "", dtype="U5")
    return np.where(np.arange(len(labels)) % tested == 0, "test", "train")


def stratified(labels: Any, part: NDArray[np.str_] | None = None, **changes: Any) -> pd.DataFrame:
    given: dict[str, Any] = {"validation": 0.1, "test": 0.2, "subset": {}, "seed": 0, **changes}
    labels = np.asarray(labels, dtype=np.int64)
    return split.stratified(labels, parts(labels) if part is None else part, **given)


def counts(frame: pd.DataFrame) -> pd.DataFrame:
    """Pictures per class (rows) and subset (columns)."""
    return pd.crosstab(frame["label"], frame["subset"])


@st.composite
def cases(draw: st.DrawFn) -> tuple[NDArray[np.int64], NDArray[np.str_], dict[str, Any]]:
    """Labels in any order, of classes of any size that can be split, and parameters."""
    sizes = draw(st.lists(st.integers(3, 40), min_size=1, max_size=6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    labels = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    part = parts(labels)
    if draw(st.booleans()):
        part[:] = "train"
        for kind in range(len(sizes)):
            part[np.flatnonzero(labels == kind)[0]] = "test"
    share = st.floats(0.01, 0.99)
    settings = {"validation": draw(share), "test": draw(share), "seed": draw(st.integers(0, 9))}
    return labels, part, settings


@settings(max_examples=150, deadline=None)
@given(cases())
def test_every_picture_is_in_one_subset_and_every_class_in_every_subset(
    case: tuple[NDArray[np.int64], NDArray[np.str_], dict[str, Any]],
) -> None:
    labels, part, parameters = case
    frame = stratified(labels, part, **parameters)
    assert list(frame.columns) == ["index", "label", "subset"]
    assert frame["index"].tolist() == list(range(len(labels)))
    assert np.array_equal(frame["label"], labels)
    assert set(frame["subset"]) == {"train", "validation", "test"}
    assert (counts(frame) >= 1).all(axis=None)
    if (part != "").any():
        assert np.array_equal(frame["subset"] == "test", part == "test")


@settings(max_examples=150, deadline=None)
@given(cases(), st.data())
def test_subset_cuts_both_parts_to_size(
    case: tuple[NDArray[np.int64], NDArray[np.str_], dict[str, Any]], data: st.DataObject
) -> None:
    labels, part, parameters = case
    whole = counts(stratified(labels, part, **parameters)).sum()
    kinds = len(np.unique(labels))
    train = data.draw(st.integers(2 * kinds, whole["train"] + whole["validation"]))
    test = data.draw(st.integers(kinds, whole["test"]))
    frame = stratified(labels, part, subset={"train": train, "test": test}, **parameters)
    cut = counts(frame)
    assert cut["train"].sum() + cut["validation"].sum() == train
    assert cut["test"].sum() == test
    assert (cut >= 1).all(axis=None)
    assert np.array_equal(frame["label"], labels[frame["index"]])
    assert frame["index"].is_monotonic_increasing
    assert frame["index"].is_unique


def test_shares_are_the_thesis() -> None:
    labels = np.tile(np.arange(10), 600)
    part = np.repeat(["train", "test"], [5000, 1000])
    found = counts(stratified(labels, part))
    assert (found["train"] == 450).all()
    assert (found["validation"] == 50).all()
    assert (found["test"] == 100).all()


def test_proportions_are_those_of_scikit_learn() -> None:
    frame = stratified(DIGITS, validation=0.15, test=0.3)
    rest = np.zeros((len(DIGITS), 1))
    size = int((frame["subset"] == "test").sum())
    assert size == round(0.3 * len(DIGITS))
    _, held = next(StratifiedShuffleSplit(1, test_size=size, random_state=0).split(rest, DIGITS))
    assert np.abs(np.bincount(DIGITS[held]) - counts(frame)["test"]).max() <= 1

    left = frame[frame["subset"] != "test"]
    size = int((left["subset"] == "validation").sum())
    assert size == round(0.15 * len(left))
    splitter = StratifiedShuffleSplit(1, test_size=size, random_state=0)
    _, held = next(splitter.split(left[["index"]], left["label"]))
    expected = np.bincount(left["label"].to_numpy()[held])
    assert np.abs(expected - counts(frame)["validation"]).max() <= 1


def test_a_class_of_three_is_in_every_subset() -> None:
    labels = np.repeat([0, 1, 2], [500, 3, 500])
    assert counts(stratified(labels)).loc[1].to_dict() == {"test": 1, "train": 1, "validation": 1}


def test_class_sizes_do_not_depend_on_the_seed_but_the_pictures_do() -> None:
    one, same, other = (stratified(DIGITS, seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one, same)
    assert counts(one).equals(counts(other))
    both = (one["subset"] == "test") & (other["subset"] == "test")
    assert both.sum() < 0.3 * (one["subset"] == "test").sum()  # 0.2 by chance


def test_global_random_state_is_neither_used_nor_changed() -> None:
    np.random.seed(1)  # noqa: NPY002
    first = stratified(DIGITS)
    state = np.random.get_state()[1].copy()  # type: ignore[union-attr]  # noqa: NPY002
    np.random.seed(2)  # noqa: NPY002
    assert first.equals(stratified(DIGITS))
    np.random.seed(1)  # noqa: NPY002
    assert np.array_equal(state, np.random.get_state()[1])  # noqa: NPY002


def test_the_split_of_a_seed_stays_the_same_over_versions() -> None:
    frame = stratified(np.arange(12) % 2, seed=7, validation=0.3, test=0.3)
    letters = {"train": "t", "validation": "v", "test": "x"}
    assert "".join(frame["subset"].map(letters)) == "txtxxtxvttvt"


@pytest.mark.parametrize(
    ("labels", "part", "message"),
    [
        ([0] * 9 + [1] * 2, None, r"^class 'dog': 2 image\(s\) in all, .*train, validation and"),
        ([0, 0, 1, 1, 0, 1], "train train train test test test", r"^class 'dog': 1 .*train part"),
        ([0, 0, 1, 1, 0], "train train train train test", r"^class 'dog': 0 .*test part"),
        ([0, 0, 1, 1, 1], "train train test test test", r"^class 'dog': 0 .*in the train part"),
    ],
)
def test_class_with_too_few_pictures_is_named(
    labels: list[int], part: str | None, message: str
) -> None:
    given = None if part is None else np.array(part.split())
    with pytest.raises(CampareError, match=message):
        stratified(labels, given, classes=("cat", "dog"))
    with pytest.raises(CampareError, match=r"^class 1: "):
        stratified(labels, given)


@pytest.mark.parametrize("key", ["validation", "test"])
@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5, float("nan")])
def test_share_out_of_range_is_refused(key: str, share: float) -> None:
    with pytest.raises(CampareError, match=rf"^split\.{key}: {share}; must lie between 0 and 1"):
        stratified(DIGITS, **{key: share})


@pytest.mark.parametrize(
    ("key", "size", "limits"),
    [
        ("train", 19, "20 .*1438"),
        ("train", 1439, "20 .*1438"),
        ("test", 9, "10 .*359"),
        ("test", 360, "10 .*359"),
    ],
)
def test_subset_out_of_range_is_refused(key: str, size: int, limits: str) -> None:
    message = rf"^split\.subset\.{key}: {size}; must lie between {limits}"
    with pytest.raises(CampareError, match=message):
        stratified(DIGITS, subset={key: size})


def test_what_is_written_is_read(tmp_path: Path) -> None:
    frame = stratified(DIGITS)
    split.write(frame, tmp_path / "split.csv")
    pd.testing.assert_frame_equal(split.read(tmp_path / "split.csv", len(DIGITS)), frame)
    assert (tmp_path / "split.csv").read_bytes().startswith(b"index,label,subset\n0,0,")


GOOD = "index,label,subset\n0,1,train\n1,0,validation\n3,1,test\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a readable split"),
        ("\0\xff", "not a readable split"),
        ('index,label,subset\n0,1,"train', "not a readable split"),
        (GOOD.replace("label,", ""), "has the columns index, subset, not index, label, subset"),
        (GOOD.replace("index", "row"), "has the columns row"),
        (GOOD.replace("0,1,train", "0.5,1,train"), "column index has entries"),
        (GOOD.replace("0,1,train", ",1,train"), "column index has entries"),
        (GOOD.replace("1,0,", "1,cat,"), "column label has entries"),
        (GOOD.replace("1,0,", "1,-1,"), "a negative label"),
        (GOOD.replace("3,1", "4,1"), "an index outside 0 to 3"),
        (GOOD.replace("3,1", "-1,1"), "an index outside 0 to 3"),
        (GOOD.replace("3,1", "0,1"), "the index 0 twice"),
        (GOOD.replace("test", "tes"), "the subset 'tes'; known: train, validation, test"),
        (GOOD.replace(",test", ""), "the subset ''"),
        (GOOD.replace("test", "train"), "no rows for test"),
        (GOOD[:19], "has entries|has no rows"),
    ],
)
def test_broken_split_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "split.csv"
    path.write_text(GOOD)
    assert len(split.read(path, 4)) == 3
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(CampareError, match=rf"split\.csv: .*({message})"):
        split.read(path, 4)


def test_missing_split_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CampareError, match=r"split\.csv: cannot be read"):
        split.read(tmp_path / "split.csv", 4)


# Who trains, by a seed of its own.


def rows_of(frame: pd.DataFrame, subset: str) -> set[int]:
    return set(frame.loc[frame["subset"] == subset, "index"])


@pytest.mark.parametrize("tested", [0, 5])
@pytest.mark.parametrize(
    "subset", [{}, {"train": 100, "test": 60}, {"train": 50, "validation": 70}]
)
def test_a_training_seed_leaves_the_test_images_alone(tested: int, subset: dict[str, int]) -> None:
    part = parts(DIGITS, tested)
    plain, first, again, second = (
        stratified(DIGITS, part, subset=subset, training_seed=seed) for seed in (None, 1, 1, 2)
    )
    assert first.equals(again)
    assert rows_of(first, "test") == rows_of(second, "test") == rows_of(plain, "test")
    for name in ("train", "validation"):
        assert rows_of(first, name) != rows_of(second, name)
        assert len(rows_of(first, name)) == len(rows_of(second, name)) == len(rows_of(plain, name))
        first_counts, second_counts = (counts(frame)[name] for frame in (first, second))
        assert first_counts.equals(second_counts)


def test_validation_may_have_a_size_of_its_own() -> None:
    frame = stratified(DIGITS, subset={"train": 100, "validation": 200, "test": 50})
    sizes = frame["subset"].value_counts().to_dict()
    assert sizes == {"train": 100, "validation": 200, "test": 50}
    assert counts(frame)["train"].between(9, 11).all()
    rest = stratified(DIGITS, parts(DIGITS, 5), subset={"validation": 30})
    assert rest["subset"].value_counts()["validation"] == 30
    assert len(rest) == len(DIGITS)


@pytest.mark.parametrize(
    ("subset", "message"),
    [
        ({"train": 9, "validation": 50}, r"split\.subset\.train: 9; must lie between 10 "),
        ({"train": 100, "validation": 9}, r"split\.subset\.validation: 9; must lie between 10 "),
        ({"train": 1400, "validation": 100}, r"split\.subset\.train: 1400; .* and 1338,"),
        ({"validation": 1430}, r"split\.subset\.validation: 1430; .* and 1428,"),
    ],
)
def test_sizes_that_do_not_fit_together_are_refused(subset: dict[str, int], message: str) -> None:
    with pytest.raises(CampareError, match=message):
        stratified(DIGITS, subset=subset)
