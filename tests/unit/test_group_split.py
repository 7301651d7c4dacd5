"""Groups stay whole, and classes are at least as even over the subsets as with scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from campare import group_split, split
from campare.errors import CampareError

CLASSES = ("a", "b", "c")


def patients(seed: int, number: int = 60) -> tuple[NDArray[np.int64], NDArray[np.str_]]:
    """Labels and groups of unequal size, most of one class, as those of patients are."""
    random = np.random.default_rng(seed)
    sizes = random.geometric(0.08, number)
    main = random.choice(3, number, p=[0.6, 0.3, 0.1])
    labels = [
        np.where(random.random(size) < 0.8, kind, random.integers(0, 3, size))
        for size, kind in zip(sizes, main, strict=True)
    ]
    names = np.repeat([f"patient {row}" for row in range(number)], sizes)
    order = random.permutation(len(names))
    return np.concatenate(labels)[order], names[order]


def made(
    labels: NDArray[np.int64],
    given: NDArray[np.str_] | None = None,
    groups: NDArray[np.str_] | None = None,
    **changes: Any,
) -> NDArray[np.str_]:
    arguments = {"validation": 0.1, "test": 0.2, "subset": {}, "seed": 0, "classes": CLASSES}
    given = np.full(len(labels), "") if given is None else given
    return group_split.split(labels, given, groups, **arguments | changes)["subset"].to_numpy(str)


def distance(labels: NDArray[np.int64], chosen: NDArray[np.bool_], share: float) -> float:
    """Root mean square distance of the classes' shares from `share`."""
    shares = np.bincount(labels[chosen], minlength=3) / np.bincount(labels)
    return float(np.sqrt(np.mean((shares - share) ** 2)))


@pytest.mark.parametrize("seed", range(5))
def test_no_group_is_in_two_subsets_and_every_class_is_in_all(seed: int) -> None:
    labels, groups = patients(seed)
    subsets = made(labels, groups=groups, seed=seed)
    for group in np.unique(groups):
        assert len(set(subsets[groups == group])) == 1
    for name in split.SUBSETS:
        assert set(labels[subsets == name]) == {0, 1, 2}
    assert (subsets == "test").mean() == pytest.approx(0.2, abs=0.03)
    assert (subsets == "validation").mean() == pytest.approx(0.08, abs=0.03)


def test_classes_are_as_even_as_with_scikit_learn() -> None:
    ours, theirs = [], []
    for seed in range(10):
        labels, groups = patients(seed)
        chosen = group_split.divided(labels, groups, 0.2, 2, seed, CLASSES)
        ours.append(distance(labels, chosen, 0.2))
        folds = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
        for _, test in folds.split(labels, labels, groups):
            inside = np.isin(np.arange(len(labels)), test)
            theirs.append(distance(labels, inside, 0.2))
    assert np.mean(ours) < 0.5 * np.mean(theirs)
    assert np.max(ours) < np.median(theirs)


def test_many_groups_are_split_without_trying_all_exchanges() -> None:
    """The shares are near enough after a few exchanges."""
    random = np.random.default_rng(0)
    groups = np.repeat(np.arange(5000), random.geometric(0.2, 5000))
    labels = random.integers(0, 3, len(groups))
    calls = 0
    exchange = group_split._Choice.exchange

    def counted(choice: group_split._Choice, row: int) -> bool:
        nonlocal calls
        calls += 1
        return exchange(choice, row)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(group_split._Choice, "exchange", counted)
        chosen = group_split.divided(labels, groups, 0.2, 2, 0, CLASSES)
    assert calls < 1000 and distance(labels, chosen, 0.2) < 0.002


def test_the_split_depends_on_the_seed_and_the_test_images_not_on_the_training_seed() -> None:
    labels, groups = patients(0)
    first, again, other = (made(labels, groups=groups, seed=seed) for seed in (0, 0, 1))
    assert (first == again).all() and (first != other).any()
    drawn = [made(labels, groups=groups, training_seed=seed) for seed in (1, 2)]
    assert ((drawn[0] == "test") == (drawn[1] == "test")).all() and (drawn[0] != drawn[1]).any()


def test_groups_of_one_image_are_split_as_evenly_as_images() -> None:
    labels = np.repeat([0, 1, 2], [100, 50, 10])
    subsets = made(labels, groups=np.arange(160).astype(str))
    assert np.bincount(labels[subsets == "test"]).tolist() == [20, 10, 2]
    assert np.bincount(labels[subsets == "validation"]).tolist() == [8, 4, 1]


def test_a_rare_class_in_few_large_groups_is_in_every_subset() -> None:
    labels = np.concatenate([np.repeat([0, 1], 100), np.full(30, 2)])
    groups = np.concatenate([np.arange(200) // 5, 40 + np.arange(30) // 10]).astype(str)
    subsets = made(labels, groups=groups)
    assert set(subsets[labels == 2]) == set(split.SUBSETS)


def test_given_subsets_stay() -> None:
    labels, groups = patients(1)
    _, number = np.unique(groups, return_inverse=True)
    given = np.where(number % 4 == 0, "test", "train")
    subsets = made(labels, given, groups)
    assert ((subsets == "test") == (given == "test")).all()
    given = np.where(number % 4 == 1, "validation", given)
    assert (made(labels, given, groups) == given).all()
    assert (made(labels, given) == given).all()


def test_without_groups_the_split_is_the_usual_one() -> None:
    labels, _ = patients(2)
    usual = split.stratified(
        labels, np.full(len(labels), ""), validation=0.1, test=0.2, subset={"train": 60}, seed=3
    )
    ours = group_split.split(
        *(labels, np.full(len(labels), ""), None),
        **{"validation": 0.1, "test": 0.2, "subset": {"train": 60}, "seed": 3, "classes": CLASSES},
    )
    assert ours.equals(usual)


def test_what_cannot_be_split_is_named() -> None:
    labels = np.repeat([0, 1], 30)
    groups = np.array([*(str(row // 3) for row in range(30)), *["x"] * 10, *["y"] * 20])
    with pytest.raises(CampareError, match=r"class 'b': its images are in 2 group\(s\), and 3"):
        made(labels, groups=groups)
    given = np.where(np.arange(60) < 25, "train", "test").astype("U10")
    given[:2] = "validation"
    with pytest.raises(CampareError, match="class 'b': no train image"):
        made(labels, given)
    with pytest.raises(CampareError, match=r"split\.subset"):
        made(labels, given, subset={"train": 9})


def test_sizes_are_reported_in_images_and_groups() -> None:
    labels, groups = patients(0)
    given = np.full(len(labels), "")
    arguments = {"validation": 0.1, "test": 0.2, "subset": {}, "seed": 0, "classes": CLASSES}
    frame = group_split.split(labels, given, groups, **arguments)
    lines = group_split.report(frame, groups).splitlines()
    inside = frame["subset"].to_numpy() == "test"
    count = len(np.unique(groups[inside]))
    assert f"test: {inside.sum()} images ({inside.mean():.1%}) of {count} groups" in lines[2]
    assert "groups" not in group_split.report(frame, None)
