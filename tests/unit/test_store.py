"""A CAM store is what it says, byte for byte, or it is refused."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import softmax

from campare import store
from campare.errors import CampareError

N, CLASSES = 23, 4
ATTRIBUTES: dict[str, str | int] = {
    name: 3 if name in ("seed", "input_size", "threads") else f"some {name}"
    for name in store.ATTRIBUTES
}
rng = np.random.default_rng(0)
MAPS = rng.normal(size=(N, 5, 7)).astype(np.float32)
LOGITS = rng.normal(scale=9, size=(N, CLASSES)).astype(np.float32)
TARGETS = rng.integers(0, CLASSES, N)
LABELS = rng.integers(0, CLASSES, N)
INDICES = rng.permutation(1000)[:N]


def batches(size: int = 8, maps: NDArray[Any] = MAPS) -> Iterator[tuple[NDArray[Any], ...]]:
    for start in range(0, len(maps), size):
        rows = slice(start, start + size)
        yield maps[rows], LOGITS[rows], TARGETS[rows]


def written(path: Path, **changes: Any) -> Path:
    arguments = {"labels": LABELS, "indices": INDICES, "attributes": ATTRIBUTES, **changes}
    store.write(path, arguments.pop("batches", batches()), **arguments)
    return path


def test_reads_what_was_written(tmp_path: Path) -> None:
    read = store.read(written(tmp_path / "a.h5"))
    np.testing.assert_array_equal(read.maps, MAPS)
    np.testing.assert_array_equal(read.logit, LOGITS)
    np.testing.assert_array_equal(read.target, TARGETS)
    np.testing.assert_array_equal(read.label, LABELS)
    np.testing.assert_array_equal(read.index, INDICES)
    expected = softmax(LOGITS.astype(float), axis=1)
    np.testing.assert_allclose(read.prediction, expected, rtol=1e-6, atol=0)
    np.testing.assert_array_equal(read.predicted, LOGITS.argmax(axis=1))
    assert read.attributes == ATTRIBUTES
    assert {column.dtype for column in (read.label, read.index, read.target)} == {np.dtype("i8")}


def test_reads_rows_in_the_order_asked_for(tmp_path: Path) -> None:
    path = written(tmp_path / "a.h5")
    rows = [7, 2, 2, 22, 0]
    some = store.read(path, rows)
    np.testing.assert_array_equal(some.maps, MAPS[rows])
    np.testing.assert_array_equal(some.index, INDICES[rows])
    np.testing.assert_array_equal(some.logit, LOGITS[rows])
    assert store.read(path, []).maps.shape == (0, 5, 7)


def test_has_the_layout_of_the_virelay_specification(tmp_path: Path) -> None:
    with h5py.File(written(tmp_path / "a.h5")) as file:
        found = {name: (data.dtype.name, data.shape) for name, data in file.items()}
    assert found == {
        "attribution": ("float32", (N, 1, 5, 7)),
        "prediction": ("float32", (N, CLASSES)),
        "label": ("uint16", (N,)),
        "index": ("uint32", (N,)),
        "logit": ("float32", (N, CLASSES)),
        "target": ("uint16", (N,)),
    }


def test_bytes_depend_on_content_alone(tmp_path: Path) -> None:
    first = written(tmp_path / "a.h5").read_bytes()
    backwards = dict(reversed(ATTRIBUTES.items()))
    again = written(tmp_path / "b.h5", batches=batches(5), attributes=backwards).read_bytes()
    assert again == first
    with h5py.File(tmp_path / "a.h5") as file:
        for data in file.values():
            assert h5py.h5g.get_objinfo(data.id).mtime == 0
    assert written(tmp_path / "c.h5", batches=batches(5, MAPS + 1)).read_bytes() != first


def test_takes_batches_one_at_a_time(tmp_path: Path) -> None:
    alive = 0

    class Counted(np.ndarray):  # type: ignore[type-arg]
        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def counted() -> Iterator[tuple[NDArray[Any], ...]]:
        nonlocal alive
        for maps, logits, targets in batches(1):
            alive += 1
            assert alive <= 3  # this one, the one before, and the first, which gave the shapes
            yield np.array(maps).view(Counted), logits, targets

    written(tmp_path / "a.h5", batches=counted())


@pytest.mark.parametrize("count", [N - 1, N + 1])
def test_too_few_or_too_many_maps_leave_the_old_store(tmp_path: Path, count: int) -> None:
    path = written(tmp_path / "a.h5")
    before = path.read_bytes()
    labels = np.zeros(count, int)
    with pytest.raises((ValueError, TypeError)):
        written(path, labels=labels, indices=labels)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_attributes_must_be_those_of_the_layout(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="attributes"):
        written(tmp_path / "a.h5", attributes={"study": "digits"})


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_map_that_is_not_finite_is_not_written(tmp_path: Path, bad: float) -> None:
    maps = MAPS.copy()
    maps[20, 1, 1] = bad
    with pytest.raises(CampareError, match=r"a\.h5.*not finite"):
        written(tmp_path / "a.h5", batches=batches(maps=maps))
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_one_message_and_leaves_the_old_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "a.h5")
    before = path.read_bytes()

    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(CampareError, match=r"a\.h5.*No space left on device.*free some space"):
        written(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_disk_space_is_taken_before_rows_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[int] = []
    really = os.posix_fallocate
    monkeypatch.setattr(
        os,
        "posix_fallocate",
        lambda file, start, size: (taken.append(size), really(file, start, size)),
    )
    path = written(tmp_path / "a.h5")
    assert taken[-1] == path.stat().st_size


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.999])
def test_a_truncated_store_is_named_and_refused(tmp_path: Path, share: float) -> None:
    path = written(tmp_path / "a.h5")
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(CampareError, match=r"a\.h5.*move it away and run snakemake again"):
        store.read(path)


def test_a_missing_store_is_named(tmp_path: Path) -> None:
    with pytest.raises(CampareError, match=r"none\.h5"):
        store.read(tmp_path / "none.h5")


def edit(file: h5py.File, name: str, value: Any) -> None:
    del file[name]
    if value is not None:
        file[name] = value


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("logit", None, "logit is missing"),
        ("attribution", np.zeros((N, 5, 7), np.float32), "attribution is float32 with 3 axes"),
        ("prediction", np.zeros((N, CLASSES)), "prediction is float64"),
        ("target", np.zeros(N - 1, np.uint16), "row counts differ"),
        ("attribution", np.full((N, 1, 5, 7), np.nan, np.float32), "attribution.*not finite"),
        ("logit", np.full((N, CLASSES), np.inf, np.float32), "logit.*not finite"),
    ],
)
def test_a_foreign_or_broken_store_is_named_and_refused(
    tmp_path: Path, name: str, value: Any, complaint: str
) -> None:
    path = written(tmp_path / "a.h5")
    with h5py.File(path, "r+") as file:
        edit(file, name, value)
    with pytest.raises(CampareError, match=rf"a\.h5.*{complaint}.*move it away and run"):
        store.read(path)


def test_a_store_without_its_attributes_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.h5")
    with h5py.File(path, "r+") as file:
        del file.attrs["checkpoint_sha256"]
    with pytest.raises(CampareError, match=r"a\.h5.*checkpoint_sha256"):
        store.read(path)


def test_a_group_in_an_arrays_place_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_group("attribution")
    with pytest.raises(CampareError, match="attribution is missing"):
        store.read(path)


def test_sha256_is_that_of_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert store.sha256(path) == expected


def test_packages_are_named_with_their_versions() -> None:
    assert f"numpy {np.__version__}" in store.packages().split(", ")
