"""Sets of torchvision, each from tiny files in its own format with planted images and labels."""

from __future__ import annotations

import bz2
import csv
import json
import pickle
import shutil
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import URLError

import h5py
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.io import savemat
from torchvision import datasets

import provenance
from campare import config, data, registry, torchvision_sets
from campare.errors import CampareError

# Subset, label and level of each planted image: constant images, of levels 20 apart.
ROWS = [
    *(("train", 0, 20), ("train", 1, 40), ("train", 1, 60), ("val", 0, 80), ("val", 1, 100)),
    *(("test", 0, 120), ("test", 1, 140)),
]
TRAINING = [row for row in ROWS if row[0] != "test"]
TESTING = [row for row in ROWS if row[0] == "test"]
SUBSETS = {name: [row for row in ROWS if row[0] == name] for name in ("train", "val", "test")}
Row = tuple[str, int, int]


def flat(level: int, side: int = 12) -> NDArray[np.uint8]:
    return np.full((side, side, 3), level, np.uint8)


def save(path: Path, level: int, side: int = 12) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(flat(level, side)).save(path)
    return path


def stacked(rows: list[Row], side: int) -> NDArray[np.uint8]:
    """Grey images (N, side, side) of rows."""
    return np.stack([flat(level, side)[..., 0] for _, _, level in rows])


def labels(rows: list[Row]) -> list[int]:
    return [label for _, label, _ in rows]


def write(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def cifar(root: Path, folder: str, files: dict[str, list[Row]], key: str, meta: Any) -> None:
    for name, rows in files.items():
        images = stacked(rows, 32).reshape(len(rows), 1, 1024).repeat(3, axis=1)
        content = {"data": images.reshape(len(rows), 3072), key: labels(rows)}
        write(root / folder / name, pickle.dumps(content))
    write(root / folder / meta[0], pickle.dumps({meta[1]: ["cat", "dog"]}))


def cifar10(root: Path) -> None:
    batches = {f"data_batch_{n + 1}": [row] for n, row in enumerate(TRAINING)}
    cifar(
        *(root, "cifar-10-batches-py", batches | {"test_batch": TESTING}, "labels"),
        ("batches.meta", "label_names"),
    )


def cifar100(root: Path) -> None:
    files = {"train": TRAINING, "test": TESTING}
    cifar(root, "cifar-100-python", files, "fine_labels", ("meta", "fine_label_names"))


def idx(array: NDArray[Any], kind: int = 8) -> bytes:
    header = b"".join(number.to_bytes(4, "big") for number in array.shape)
    return bytes([0, 0, kind, array.ndim]) + header + array.tobytes()


def mnist(kind: str) -> Callable[[Path], None]:
    def make(root: Path) -> None:
        for name, rows in (("train", TRAINING), ("t10k", TESTING)):
            raw = root / kind / "raw"
            write(raw / f"{name}-images-idx3-ubyte", idx(stacked(rows, 28)))
            write(raw / f"{name}-labels-idx1-ubyte", idx(np.array(labels(rows), np.uint8)))

    return make


def emnist(root: Path) -> None:
    for name, rows in (("train", TRAINING), ("test", TESTING)):
        images = stacked(rows, 28)
        images[:, 3, :] = 0  # a stored row, which is a column of the upright image
        begin = root / "EMNIST" / "raw" / f"emnist-letters-{name}"
        write(Path(f"{begin}-images-idx3-ubyte"), idx(images))
        shifted = np.array(labels(rows), np.uint8) + 1
        write(Path(f"{begin}-labels-idx1-ubyte"), idx(shifted))


def qmnist(root: Path) -> None:
    for name, rows in (("train", TRAINING), ("test", TESTING)):
        begin = root / "QMNIST" / "raw" / f"qmnist-{name}"
        write(Path(f"{begin}-images-idx3-ubyte"), idx(stacked(rows, 28)))
        full = np.zeros((len(rows), 8), ">i4")
        full[:, 0] = labels(rows)
        write(Path(f"{begin}-labels-idx2-int"), idx(full, 12))


def usps(root: Path) -> None:
    for name, rows in (("usps.bz2", TRAINING), ("usps.t.bz2", TESTING)):
        lines = [
            f"{label + 1} "
            + " ".join(f"{n + 1}:{level / 127.5 - 1 + 1e-4:.5f}" for n in range(256))
            for _, label, level in rows
        ]
        write(root / name, bz2.compress("\n".join(lines).encode()))


def semeion(root: Path) -> None:
    lines = [[level / 255 + 1e-4] * 256 + np.eye(10)[label].tolist() for _, label, level in ROWS]
    np.savetxt(root / "semeion.data", lines, fmt="%.5f")


def svhn(root: Path) -> None:
    for name, rows in (("train", TRAINING), ("test", TESTING)):
        images = np.stack([flat(level, 32) for *_, level in rows], axis=3)
        y = np.array([[label or 10] for label in labels(rows)], np.uint8)
        savemat(root / f"{name}_32x32.mat", {"X": images, "y": y})


def stl10(root: Path) -> None:
    folder = root / "stl10_binary"
    for name, rows in (("train", TRAINING), ("test", TESTING)):
        images = stacked(rows, 96)[:, None].repeat(3, axis=1)
        write(folder / f"{name}_X.bin", images.tobytes())
        write(folder / f"{name}_y.bin", (np.array(labels(rows), np.uint8) + 1).tobytes())
    write(folder / "unlabeled_X.bin", b"")
    write(folder / "class_names.txt", "airplane\nbird\n")


def fer2013(root: Path) -> None:
    (root / "fer2013").mkdir()
    usages = {"train": "Training", "val": "Training", "test": "PublicTest"}
    with (root / "fer2013" / "fer2013.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["emotion", "pixels", "Usage"])
        for subset, label, level in ROWS:
            writer.writerow([label, " ".join([str(level)] * 48 * 48), usages[subset]])


def pcam(root: Path) -> None:
    (root / "pcam").mkdir()
    for name, rows in SUBSETS.items():
        begin = f"camelyonpatch_level_2_split_{'valid' if name == 'val' else name}"
        with h5py.File(root / "pcam" / f"{begin}_x.h5", "w") as file:
            file["x"] = np.stack([flat(level, 96) for *_, level in rows])
        with h5py.File(root / "pcam" / f"{begin}_y.h5", "w") as file:
            file["y"] = np.array(labels(rows), np.uint8).reshape(-1, 1, 1, 1)


def folders(
    root: Path, names: dict[str, str], classes: tuple[str, str], suffix: str, side: int = 12
) -> None:
    """Images in <folder of the subset>/<class>/."""
    for subset, label, level in ROWS:
        save(root / names[subset] / classes[label] / f"{level:03d}{suffix}", level, side)


def eurosat(root: Path) -> None:
    everywhere = dict.fromkeys(SUBSETS, "")
    folders(root / "eurosat" / "2750", everywhere, ("Forest", "River"), ".jpg", 64)


def gtsrb(root: Path) -> None:
    lines = ["Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId"]
    for subset, label, level in ROWS:
        place = root / "gtsrb" / "GTSRB"
        if subset != "test":
            save(place / "Training" / f"{label:05d}" / f"{level:05d}.ppm", level)
            continue
        save(place / "Final_Test" / "Images" / f"{level:05d}.ppm", level)
        lines.append(f"{level:05d}.ppm;12;12;1;1;9;9;{label}")
    write(root / "gtsrb" / "GT-final_test.csv", "\n".join(lines))


def flowers102(root: Path) -> None:
    folder = root / "flowers-102"
    for number, (*_, level) in enumerate(ROWS, 1):
        save(folder / "jpg" / f"image_{number:05d}.jpg", level)
    savemat(folder / "imagelabels.mat", {"labels": np.array(labels(ROWS)) + 1})
    numbers = {name: [n for n, row in enumerate(ROWS, 1) if row[0] == name] for name in SUBSETS}
    ids = {"trnid": numbers["train"], "valid": numbers["val"], "tstid": numbers["test"]}
    savemat(folder / "setid.mat", ids)


def food101(root: Path) -> None:
    classes = ("pizza", "sushi")
    for name, rows in (("train", TRAINING), ("test", TESTING)):
        listed: dict[str, list[str]] = {each: [] for each in classes}
        for _, label, level in rows:
            place = f"{classes[label]}/{level}"
            listed[classes[label]].append(place)
            save(root / "food-101" / "images" / f"{place}.jpg", level)
        write(root / "food-101" / "meta" / f"{name}.json", json.dumps(listed))


def dtd(root: Path) -> None:
    folder, classes = root / "dtd" / "dtd", ("banded", "woven")
    for name, rows in SUBSETS.items():
        places = [f"{classes[label]}/{level}.jpg" for _, label, level in rows]
        for place, (*_, level) in zip(places, rows, strict=True):
            save(folder / "images" / place, level)
        write(folder / "labels" / f"{name}2.txt", "\n".join(places))


def fgvc_aircraft(root: Path) -> None:
    folder, classes = root / "fgvc-aircraft-2013b" / "data", ("Airbus A320", "Boeing 737")
    write(folder / "families.txt", "\n".join(classes))
    for name, rows in (("trainval", TRAINING), ("test", TESTING)):
        lines = [f"{level:07d} {classes[label]}" for _, label, level in rows]
        write(folder / f"images_family_{name}.txt", "\n".join(lines))
        for *_, level in rows:
            save(folder / "images" / f"{level:07d}.jpg", level)


def stanford_cars(root: Path) -> None:
    folder = root / "stanford_cars"
    (folder / "devkit").mkdir(parents=True)
    for part, rows, file in (
        ("train", TRAINING, "devkit/cars_train_annos.mat"),
        ("test", TESTING, "cars_test_annos_withlabels.mat"),
    ):
        annotations = [(label + 1, f"{level:05d}.jpg") for _, label, level in rows]
        fields = np.array(annotations, dtype=[("class", "i4"), ("fname", "O")])
        savemat(folder / file, {"annotations": fields})
        for *_, level in rows:
            save(folder / f"cars_{part}" / f"{level:05d}.jpg", level)
    names = np.array(["Audi R8", "Fiat 500"], dtype=object)
    savemat(folder / "devkit" / "cars_meta.mat", {"class_names": names})


def country211(root: Path) -> None:
    names = {"train": "train", "val": "valid", "test": "test"}
    folders(root / "country211", names, ("AD", "ZW"), ".jpg")


def rendered_sst2(root: Path) -> None:
    names = {"train": "train", "val": "valid", "test": "test"}
    folders(root / "rendered-sst2", names, ("negative", "positive"), ".png", 448)


def sun397(root: Path) -> None:
    classes = ("/a/abbey", "/b/bar/indoor")
    write(root / "SUN397" / "ClassName.txt", "\n".join(classes))
    for _, label, level in ROWS:
        save(root / "SUN397" / classes[label][1:] / f"sun_{200 - level}.jpg", level)


def caltech(folder: str, names: tuple[str, str], file: Callable[[int, int], str]) -> Any:
    def make(root: Path) -> None:
        counts = [0, 0]
        for _, label, level in ROWS:
            counts[label] += 1
            save(root / folder / names[label] / file(label, counts[label]), level)

    return make


def caltech101(root: Path) -> None:
    folder = "caltech101/101_ObjectCategories"
    (root / folder / "BACKGROUND_Google").mkdir(parents=True)
    caltech(folder, ("ant", "crab"), lambda label, n: f"image_{n:04d}.jpg")(root)


def places365(root: Path) -> None:
    write(root / "categories_places365.txt", "/a/airfield 0\n/b/bar 1\n")
    for name, folder, rows in (
        ("train_standard", "data_256_standard", TRAINING),
        ("val", "val_256", TESTING),
    ):
        lines = [f"/{'ab'[label]}/{level}.jpg {label}" for _, label, level in rows]
        write(root / f"places365_{name}.txt", "\n".join(lines))
        for _, label, level in rows:
            save(root / folder / "ab"[label] / f"{level}.jpg", level)


def imagenette(root: Path) -> None:
    names = {"train": "train", "val": "train", "test": "val"}
    folders(root / "imagenette2-160", names, ("n01440764", "n03888257"), ".jpeg")


def imagenet(root: Path) -> None:
    names = {"train": "train", "val": "train", "test": "val"}
    folders(root, names, ("n02012849", "n03126707"), ".JPEG")
    named = {"n02012849": ("crane",), "n03126707": ("crane",)}  # a bird, and a machine
    torch.save((named, ["n02012849"]), root / "meta.bin")


def clevr(root: Path) -> None:
    folder = root / "clevr" / "CLEVR_v1.0"
    for name, rows in (("train", TRAINING), ("val", TESTING)):
        scenes = [
            {"image_filename": f"{level}.png", "objects": [{}] * (label + 3)}
            for _, label, level in rows
        ]
        write(folder / "scenes" / f"CLEVR_{name}_scenes.json", json.dumps({"scenes": scenes}))
        for *_, level in rows:
            save(folder / "images" / name / f"{level}.png", level)


def oxford_iiit_pet(root: Path) -> None:
    folder = root / "oxford-iiit-pet"
    breeds = ("Abyssinian", "beagle")
    for name, rows in (("trainval", TRAINING), ("test", TESTING)):
        lines = []
        for _, label, level in rows:
            image = f"{breeds[label]}_{level}"
            save(folder / "images" / f"{image}.jpg", level)
            trimap = np.full((12, 12), 2, np.uint8)  # background
            trimap[2:8, 2:8], trimap[4:6, 4:6] = 3, 1  # border around the animal
            place = folder / "annotations" / "trimaps" / f"{image}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(trimap).save(place)
            lines.append(f"{image} {label + 1} {label + 1} 1")
        write(folder / "annotations" / f"{name}.txt", "\n".join(lines))


# Class → what makes its files, names of its two classes, parameters, side of its images.
SETS: dict[str, tuple[Callable[[Path], None], tuple[str, str], dict[str, Any]]] = {
    "CIFAR10": (cifar10, ("cat", "dog"), {}),
    "CIFAR100": (cifar100, ("cat", "dog"), {}),
    "MNIST": (mnist("MNIST"), ("0", "1"), {}),
    "FashionMNIST": (mnist("FashionMNIST"), ("T-shirt/top", "Trouser"), {}),
    "KMNIST": (mnist("KMNIST"), ("o", "ki"), {}),
    "EMNIST": (emnist, ("a", "b"), {"split": "letters"}),
    "QMNIST": (qmnist, ("0", "1"), {}),
    "USPS": (usps, ("0", "1"), {}),
    "SEMEION": (semeion, ("0", "1"), {}),
    "SVHN": (svhn, ("0", "1"), {}),
    "STL10": (stl10, ("airplane", "bird"), {}),
    "FER2013": (fer2013, ("angry", "disgust"), {}),
    "PCAM": (pcam, ("no tumour", "tumour"), {}),
    "EuroSAT": (eurosat, ("Forest", "River"), {}),
    "GTSRB": (gtsrb, ("0", "1"), {}),
    "Flowers102": (flowers102, ("pink primrose", "hard-leaved pocket orchid"), {}),
    "Food101": (food101, ("pizza", "sushi"), {}),
    "DTD": (dtd, ("banded", "woven"), {"partition": 2}),
    "FGVCAircraft": (fgvc_aircraft, ("Airbus A320", "Boeing 737"), {"annotation_level": "family"}),
    "StanfordCars": (stanford_cars, ("Audi R8", "Fiat 500"), {}),
    "Country211": (country211, ("AD", "ZW"), {}),
    "RenderedSST2": (rendered_sst2, ("negative", "positive"), {}),
    "SUN397": (sun397, ("abbey", "bar/indoor"), {}),
    "Caltech101": (caltech101, ("ant", "crab"), {}),
    "Caltech256": (
        caltech(
            *("caltech256/256_ObjectCategories", ("001.ak47", "002.bee")),
            lambda label, n: f"{label + 1:03d}_{n:04d}.jpg",
        ),
        ("ak47", "bee"),
        {},
    ),
    "Places365": (places365, ("/a/airfield", "/b/bar"), {"small": True}),
    "Imagenette": (imagenette, ("tench", "parachute"), {"version": "160px"}),
    "ImageNet": (imagenet, ("crane (0)", "crane (1)"), {}),
    "CLEVRClassification": (clevr, ("3", "4"), {}),
    "OxfordIIITPet": (oxford_iiit_pet, ("Abyssinian", "Beagle"), {"labels": "breed"}),
}
UNDIVIDED = {"SEMEION", "EuroSAT", "SUN397", "Caltech101", "Caltech256"}


@pytest.fixture(autouse=True)
def patched(monkeypatch: pytest.MonkeyPatch) -> None:
    """No network, and no checksums of the published files, as in torchvision's own tests."""

    def refuse(*_: Any, **__: Any) -> None:
        raise URLError("no network")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    for name, module in list(sys.modules.items()):
        if name.startswith("torchvision.datasets.") and hasattr(module, "check_integrity"):
            monkeypatch.setattr(
                module, "check_integrity", lambda path, md5=None: Path(path).exists()
            )


def read(name: str, root: Path, size: int | None = None, **parameters: Any) -> data.Dataset:
    made = SETS[name][2] | parameters
    return data.load(
        f"torchvision:{name}", root=str(root), size=size, fit="crop", channels=None, **made
    )


@pytest.mark.parametrize("name", SETS)
def test_every_set_is_read_from_its_own_files(name: str, tmp_path: Path) -> None:
    make, classes, _ = SETS[name]
    make(tmp_path)
    dataset = read(name, tmp_path)
    assert dataset.classes == classes
    levels = np.median(dataset.images, axis=(1, 2, 3))
    found = sorted(zip(dataset.part.tolist(), dataset.labels.tolist(), levels, strict=True))
    subsets = dict.fromkeys(SUBSETS, "train") | {"test": "test"}
    parts = dict.fromkeys(SUBSETS, "") if name in UNDIVIDED else subsets
    expected = sorted((parts[subset], label, level) for subset, label, level in ROWS)
    assert [row[:2] for row in found] == [row[:2] for row in expected]
    assert np.allclose([row[2] for row in found], [row[2] for row in expected], atol=2)  # JPEG
    side = registry.DATASETS[f"torchvision:{name}"].side
    assert dataset.images.shape == (7, side or 12, side or 12, 1)  # flat images are grey
    assert dataset.files is not None
    assert len({path.relative_to(tmp_path) for path in dataset.files.images}) == 7


def test_every_entry_has_a_set_and_torchvision_a_class() -> None:
    names = {n.removeprefix("torchvision:") for n in registry.DATASETS if ":" in n}
    assert names == set(SETS)
    for name in names:
        reader = getattr(torchvision_sets, name)
        assert reader.kind == name and hasattr(datasets, name)
        assert registry.DATASETS[f"torchvision:{name}"].load() is reader
        # Parameters of the entry are those that the message on missing files may name.
        reader.files.format(**SETS[name][2])


def test_a_job_has_the_digest_of_its_own_set_only() -> None:
    scripts = Path(torchvision_sets.__file__).parents[1]
    listed = [
        line.split()[0] for line in provenance.code(scripts, "load_data", "torchvision_sets:SVHN")
    ]
    own = {name for name in listed if name.startswith("torchvision_sets.")}
    assert {"torchvision_sets.SVHN", "torchvision_sets.Set"} <= own
    assert not {f"torchvision_sets.{name}" for name in SETS if name != "SVHN"} & own


def test_letters_are_upright(tmp_path: Path) -> None:
    emnist(tmp_path)
    assert (read("EMNIST", tmp_path).images[:, :, 3] == 0).all()


def test_trimaps_become_masks_of_animal_and_border(tmp_path: Path) -> None:
    oxford_iiit_pet(tmp_path)
    dataset = read("OxfordIIITPet", tmp_path, size=24, labels="species")
    assert dataset.classes == ("cat", "dog")
    assert dataset.regions is not None and dataset.regions.names == ("animal", "border")
    animal, border = dataset.regions.masks[3].astype(int)
    assert (animal[8:12, 8:12] == 1).all() and animal.sum() == 16
    assert not (animal & border).any() and abs(border.sum() - 4 * (36 - 4)) <= 8


def test_images_in_an_order_of_the_file_system_are_sorted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sun397(tmp_path)
    expected = read("SUN397", tmp_path)
    listed = Path.rglob
    monkeypatch.setattr(Path, "rglob", lambda *args: sorted(listed(*args), reverse=True))
    found = read("SUN397", tmp_path)
    assert np.array_equal(found.images, expected.images)
    assert np.array_equal(found.labels, expected.labels)


@pytest.mark.parametrize("name", SETS)
def test_missing_set_says_which_files_to_put_where(name: str, tmp_path: Path) -> None:
    with pytest.raises(CampareError) as caught:
        read(name, tmp_path / "here", size=8)
    text = str(caught.value)
    assert text.startswith(f"{tmp_path / 'here'}: {name} is missing") and "\n" not in text
    assert f"put into {tmp_path / 'here'}: " in text
    assert not any(f"{{{parameter}}}" in text for parameter in SETS[name][2])


def test_damaged_file_and_broken_image_are_named(tmp_path: Path) -> None:
    food101(tmp_path)
    broken = tmp_path / "food-101" / "images" / "sushi" / "40.jpg"
    broken.write_bytes(broken.read_bytes()[:300])
    with pytest.raises(CampareError, match=r"sushi/40\.jpg: cannot be read as an image"):
        read("Food101", tmp_path)
    shutil.rmtree(tmp_path / "food-101" / "meta")
    with pytest.raises(CampareError, match="Food101 is missing or damaged"):
        read("Food101", tmp_path)


def test_images_of_two_sizes_end_the_reading(tmp_path: Path) -> None:
    food101(tmp_path)
    save(tmp_path / "food-101" / "images" / "pizza" / "20.jpg", 20, side=10)
    with pytest.raises(CampareError, match=r"set data\.size"):
        read("Food101", tmp_path)
    assert read("Food101", tmp_path, size=10).images.shape == (7, 10, 10, 1)


def study(**data: Any) -> dict[str, Any]:
    return {
        "study": "s",
        "data": data,
        "model": {"architecture": "small_cnn", "input_size": 16},
        "seeds": [1],
        "augmentations": {"affine": {}},
        "training": {"epochs": 1},
    }


@pytest.mark.parametrize(
    ("given", "texts"),
    [
        ({"name": "torchvision:CIFAR1000"}, ["data.name", "'CIFAR1000'", "torchvision:CIFAR100"]),
        ({"name": "torchvision:cifar100"}, ["did you mean torchvision:CIFAR100"]),
        (
            {"name": "torchvision:VOCDetection"},
            ["no classification set 'VOCDetection'", "known: CIFAR10, "],
        ),
        ({"name": "oxfordpets"}, ["did you mean 'torchvision:OxfordIIITPet'"]),
        ({"name": "digit"}, ["data.name: 'digit' is not allowed; did you mean 'digits'?"]),
        ({"name": "CIFAR100"}, ["'CIFAR100' is not allowed; did you mean 'torchvision:CIFAR100'"]),
        ({"name": "torchvision:Food101"}, ["data.size", "torchvision:Food101", "such as 224"]),
        (
            {"name": "torchvision:EMNIST", "parameters": {"split": "all"}},
            ["data.parameters.split", "'all'", "byclass"],
        ),
        (
            {"name": "torchvision:DTD", "size": 8, "parameters": {"partition": 11}},
            ["data.parameters.partition", "11", "≤ 10"],
        ),
        ({"name": "torchvision:SVHN", "parameters": {"extra": True}}, ["has no parameters"]),
        ({"name": "torchvision:SVHN", "window": [0, 9]}, ["data.window", "arrays, parquet"]),
    ],
)
def test_mistakes_are_found_in_the_config(given: dict[str, Any], texts: list[str]) -> None:
    with pytest.raises(CampareError) as caught:
        config.complete(study(**given), "study.yaml")
    assert str(caught.value).startswith("study.yaml: ")
    for text in texts:
        assert text in str(caught.value)


def test_parameters_are_completed_and_masks_imply_localisation() -> None:
    complete = config.complete(study(name="torchvision:OxfordIIITPet", size=64), "study.yaml")
    assert complete["data"]["parameters"] == {"labels": "breed"}
    assert "localisation" in complete
    assert "parameters" not in config.complete(study(name="torchvision:SVHN"), "s")["data"]
