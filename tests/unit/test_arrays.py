"""Data sets from `.npz` and HDF5 files."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h5py
import numpy as np
import pytest

from campare import array_files, config, data, group_split, split
from campare import arrays as module
from campare.errors import CampareError
from campare.levels import to_bytes

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (6, 8, 8), dtype=np.uint8)
RGB = RNG.integers(0, 256, (6, 8, 8, 3), dtype=np.uint8)
LABELS = np.array([0, 1, 0, 1, 1, 0])
GOOD = {"images": RGB, "labels": LABELS}


def saved(tmp_path: Path, suffix: str, **content: Any) -> Path:
    path = tmp_path / f"set{suffix}"
    if suffix == ".npz":
        np.savez_compressed(path, **content)
        return path
    with h5py.File(path, "w") as file:
        for name, array in content.items():
            text = np.asarray(array).dtype.kind == "U"
            file[name] = np.asarray(array).tolist() if text else array
    return path


def read(path: Path, size: int | None = None, **parameters: Any) -> data.Dataset:
    settings: dict[str, Any] = {"size": size, "fit": "crop", "channels": None}
    return data.load("arrays", root=str(path), **settings, **parameters)


@pytest.mark.parametrize("suffix", [".npz", ".h5", ".hdf5"])
@pytest.mark.parametrize("block", [1, 200, 1 << 25])
def test_images_labels_and_masks_are_read_in_blocks(
    tmp_path: Path, suffix: str, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BLOCK", block)
    masks = RNG.random((6, 2, 8, 8)) > 0.5
    path = saved(
        *(tmp_path, suffix),
        images=RGB,
        labels=LABELS,
        classes=np.array(["cat", "dög"]),
        subset=np.array(["train", "val", "test", "test", "train", "train"]),
        masks=masks,
        regions=np.array(["object", "cue"]),
        group=np.arange(6),
    )
    dataset = read(path)
    assert np.array_equal(dataset.images, RGB)
    assert np.array_equal(dataset.labels, LABELS)
    assert dataset.classes == ("cat", "dög")
    assert dataset.part.tolist() == ["train", "train", "test", "test", "train", "train"]
    assert dataset.regions is not None and dataset.regions.names == ("object", "cue")
    assert np.array_equal(dataset.regions.masks, masks)
    assert dataset.files is not None and dataset.files.images[3].name == f"set{suffix}[3]"


@pytest.mark.parametrize("suffix", [".npz", ".h5"])
@pytest.mark.parametrize("images", [GREY, GREY[..., None], np.asfortranarray(GREY)])
def test_grey_images_named_labels_and_no_subset(tmp_path: Path, suffix: str, images: Any) -> None:
    path = saved(tmp_path, suffix, images=images, labels=np.array(["b", "a"] * 3), masks=GREY > 9)
    dataset = read(path)
    assert np.array_equal(dataset.images[..., 0], GREY) and dataset.images.shape[3] == 1
    assert dataset.classes == ("a", "b") and dataset.labels.tolist() == [1, 0] * 3
    assert set(dataset.part) == {""}
    assert dataset.regions is not None and dataset.regions.names == ("object",)


def test_resized_as_image_files_are(tmp_path: Path) -> None:
    wide = RNG.integers(0, 256, (4, 20, 30, 3), dtype=np.uint8)
    masks = np.zeros((4, 20, 30), np.uint8)
    masks[:, 4:16, 9:21] = 255
    dataset = read(saved(tmp_path, ".npz", images=wide, labels=LABELS[:4], masks=masks), size=10)
    for number, image in enumerate(wide):
        expected, _ = data._pixels(image, "RGB", 10, "crop")
        assert np.array_equal(dataset.images[number], expected)
    assert dataset.regions is not None
    assert dataset.regions.masks[0, 0].sum() == 36
    assert dataset.regions.masks[0, 0, 2:8, 2:8].all()


def test_levels_become_8_bits() -> None:
    deep = np.array([0, 128, 129, 32768, 65535], np.uint16)
    assert to_bytes(deep).tolist() == [0, 0, 1, 128, 255]
    assert to_bytes(np.array([0.0, 0.5, 1.0])).tolist() == [0, 128, 255]
    assert to_bytes(np.array([True, False])).tolist() == [255, 0]
    hounsfield = np.array([-3000, -160, 40, 240, 3000], np.int16)
    assert to_bytes(hounsfield, [-160, 240]).tolist() == [0, 0, 128, 255, 255]
    every = np.arange(256, dtype=np.uint8)
    assert np.array_equal(to_bytes(every, [0, 255]), every)
    assert np.array_equal(to_bytes(every.astype(np.int64), [0, 255]), every)


def test_16_bits_are_those_of_image_files_and_a_window_is_applied(tmp_path: Path) -> None:
    deep = RNG.integers(0, 4096, (6, 8, 8), dtype=np.uint16)
    path = saved(tmp_path, ".h5", images=deep, labels=LABELS)
    plain = read(path)
    assert np.array_equal(plain.images[..., 0], (deep.astype(int) * 255 + 32767) // 65535)
    assert plain.files is not None and plain.files.deepest == deep.max()
    shown = read(path, window=[0, 4095])
    assert np.array_equal(shown.images[..., 0], np.rint(deep / 4095 * 255))
    assert shown.files is not None and shown.files.deepest == 0


NAN = np.where(np.arange(6)[:, None, None] == 4, np.nan, GREY / 255)
BAD: dict[str, tuple[dict[str, Any], list[str]]] = {
    "no labels": ({"images": RGB, "label": LABELS}, ["has no labels", "it has images, label"]),
    "nearly a key": (GOOD | {"subsets": LABELS}, ["subsets", "did you mean subset"]),
    "lengths": (GOOD | {"labels": LABELS[:5]}, ["labels has 5 entries", "6 images"]),
    "masks": (GOOD | {"masks": RGB[:4, ..., 0] > 9}, ["masks has 4 entries", "6 images"]),
    "mask size": (GOOD | {"masks": np.ones((6, 8, 9), bool)}, ["(8, 9)", "8×8 pixels"]),
    "mask values": (GOOD | {"masks": GREY}, ["mask of image 0", "true and false"]),
    "regions": (GOOD | {"masks": np.ones((6, 2, 8, 8), bool)}, ["2 region(s)"]),
    "one-hot": (GOOD | {"labels": np.eye(2)[LABELS]}, ["labels has the shape (6, 2)", "(6,)"]),
    "real labels": (GOOD | {"labels": LABELS / 2}, ["labels are float64"]),
    "negative": (GOOD | {"labels": LABELS - 1}, ["labels are from -1 to 0"]),
    "beyond classes": (
        GOOD | {"labels": LABELS * 2, "classes": np.array(["a", "b"])},
        ["labels are from 0 to 2", "0 to 1"],
    ),
    "classes twice": (GOOD | {"classes": np.array(["a", "a"])}, ["'a' twice"]),
    "empty label": (GOOD | {"labels": np.array(["a", ""] * 3)}, ["label is empty"]),
    "subset": (GOOD | {"subset": np.array(["train", "holdout"] * 3)}, ["'holdout'"]),
    "shape": (GOOD | {"images": RGB[..., 0, 0]}, ["(6, 8)", "(N, H, W)"]),
    "none": ({"images": RGB[:0], "labels": LABELS[:0]}, ["(0, 8, 8, 3)"]),
    "channels first": (GOOD | {"images": RGB.transpose(0, 3, 1, 2)}, ["transpose(0, 2, 3, 1)"]),
    "five first": (GOOD | {"images": np.ones((6, 5, 8, 8))}, ["(6, 5, 8, 8)", "channels first"]),
    "NaN": (GOOD | {"images": NAN}, ["image 4 has 64 values NaN or infinite"]),
    "range": (GOOD | {"images": GREY * 1.0}, ["image 0 has real numbers", "data.window"]),
    "integers": (GOOD | {"images": GREY.astype(np.int32)}, ["type int32", "data.window"]),
    "complex": (GOOD | {"images": GREY * 1j}, ["type complex128"]),
}


@pytest.mark.parametrize("suffix", [".npz", ".h5"])
@pytest.mark.parametrize("fault", BAD)
def test_bad_input_is_one_message(tmp_path: Path, suffix: str, fault: str) -> None:
    content, texts = BAD[fault]
    path = saved(tmp_path, suffix, **content)
    with pytest.raises(CampareError) as caught:
        read(path)
    text = str(caught.value)
    assert text.startswith(str(path)) and "\n" not in text
    for part in texts:
        assert part in text


class Evil:
    def __reduce__(self) -> Any:
        return (Path.touch, (Path("evil"),))


@pytest.mark.parametrize("name", ["images", "labels", "group"])
def test_pickled_objects_are_refused_and_not_run(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    objects = np.array([Evil() for _ in range(6)], dtype=object)
    path = saved(tmp_path, ".npz", **GOOD | {name: objects})
    with pytest.raises(CampareError, match=f"{name} has pickled Python objects"):
        read(path)
    assert not Path("evil").exists()


@pytest.mark.parametrize("suffix", [".npz", ".h5"])
@pytest.mark.parametrize("kept", [0.0, 0.5, 0.95])
def test_truncated_file_is_named(tmp_path: Path, suffix: str, kept: float) -> None:
    path = saved(tmp_path, suffix, **GOOD)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(CampareError, match=r"not a readable file of arrays .* write it again"):
        read(path)


def study(**data: Any) -> dict[str, Any]:
    return {
        "study": "s",
        "data": data,
        "model": {"architecture": "small_cnn", "input_size": 16},
        "seeds": [1],
        "augmentations": {"affine": {}},
        "training": {"epochs": 1},
    }


def test_config_checks_root_and_window(tmp_path: Path) -> None:
    path = str(saved(tmp_path, ".npz", **GOOD))
    complete = config.complete(study(name="arrays", root=path, window=[0, 9]), "study.yaml")
    assert complete["data"]["parameters"] == {"window": [0, 9]}
    assert "window" not in complete["data"]
    assert "parameters" not in config.complete(study(name="arrays", root=path), "s")["data"]
    faults: list[tuple[dict[str, Any], str]] = [
        ({}, "data.root: data "),
        ({"root": str(tmp_path)}, "is a folder"),
        ({"root": f"{tmp_path}/other.npz"}, "does not exist"),
        ({"root": __file__}, "not a file .npz or .h5 or .hdf5"),
        ({"root": path, "window": [9, 0]}, "data.window: [9, 0] is not [low, high]"),
        ({"root": path, "window": [9]}, "data.window"),
    ]
    for given, text in faults:
        with pytest.raises(CampareError) as caught:
            config.complete(study(name="arrays", **given), "study.yaml")
        assert text in str(caught.value)


MANY = {"images": np.resize(RGB, (240, 8, 8, 3)), "labels": np.arange(240) % 2}
SCRIPT = Path(__file__).parents[2] / "workflow" / "scripts" / "split_groups.py"


class Params(dict[str, Any]):
    """The params of a job, by name and as attributes."""

    __getattr__ = dict.__getitem__


@pytest.mark.parametrize("suffix", [".npz", ".h5"])
@pytest.mark.parametrize("divided", [False, True])
def test_groups_of_arrays_stay_whole(tmp_path: Path, suffix: str, divided: bool) -> None:
    numbers = RNG.integers(0, 30, 240)
    content = MANY | {"group": np.array([f"p{number}" for number in numbers])}
    if divided:
        content["subset"] = np.where(numbers < 6, "test", "train")
    path = saved(tmp_path, suffix, **content)
    settings = study(name="arrays", root=str(path)) | {"split": {"group": "group"}}
    complete = config.complete(settings, "study.yaml")["split"]
    assert complete["group"] == "group"
    data.write(read(path), tmp_path / "data.h5")
    job = SimpleNamespace(
        input=Params(data=str(tmp_path / "data.h5")),
        output=SimpleNamespace(split=str(tmp_path / "split.csv")),
        params=Params(**complete, root=str(path), training_seed=None),
        log=[str(tmp_path / "log")],
        config=settings,
    )
    runpy.run_path(str(SCRIPT), init_globals={"snakemake": job})
    frame = split.read(tmp_path / "split.csv", 240)
    expected = group_split.split(
        content["labels"],
        read(path).part,
        content["group"],
        **{key: complete[key] for key in ("validation", "test", "subset", "seed")},
        classes=("0", "1"),
    )
    assert frame.equals(expected)
    subsets = frame.groupby(content["group"][frame["index"]])["subset"].nunique()
    assert (subsets == 1).all() and set(frame["subset"]) == set(split.SUBSETS)
    if divided:
        assert ((frame["subset"] == "test") == (numbers < 6)).all()


def test_groups_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    path = saved(tmp_path, ".npz", **GOOD)
    grouped = study(name="arrays", root=str(path)) | {"split": {"group": "group"}}
    with pytest.raises(
        CampareError, match=r"^s: split.group: .*has no array 'group'.*remove the k"
    ):
        config.complete(grouped, "s")
    saved(tmp_path, ".npz", **GOOD, group=np.arange(6))
    grouped["split"]["group"] = "patient"
    with pytest.raises(CampareError, match=r"^s: split.group: 'patient' is not an array of groups"):
        config.complete(grouped, "s")
    none = np.full(6, "")
    for group, part, text in [
        (np.array(["a", ""] * 3), none, "group of image 1 is empty"),
        (np.array([0.0, 1, np.nan, 2, 3, 4]), none, "group of image 2 is empty"),
        (
            np.array([4, 4, 5, 6, 6, 5]),
            np.array(["train", "test"] * 3),
            "group: '4' is in training",
        ),
        (np.arange(6), none[:5], "changed while the study ran"),
    ]:
        saved(tmp_path, ".npz", **GOOD, group=group)
        with pytest.raises(CampareError, match=text):
            array_files.groups(path, part)


@pytest.mark.parametrize("name", ["all", "same prediction", "different predictions", "", " "])
def test_a_class_without_a_name_or_with_that_of_a_group_of_images_is_refused(
    tmp_path: Path, name: str
) -> None:
    path = saved(tmp_path, ".h5", **GOOD, classes=np.array(["cat", name]))
    with pytest.raises(CampareError, match=rf"data: a class is called {name!r}; rename it"):
        read(path)
