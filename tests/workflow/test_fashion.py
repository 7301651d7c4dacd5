"""The stages that a study switches on, on generated files in the format of Fashion-MNIST."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from tiny import ROOT, Project, copy_project

pytestmark = pytest.mark.workflow

# The shipped study, cut to size.
STUDY = yaml.safe_load((ROOT / "config" / "fashion.yaml").read_text()) | {
    "study": "tiny",
    "split": {"subset": {"train": 400, "test": 80}},
    "figures": {"dpi": 60},
}
STUDY["training"] |= {"epochs": 2, "batch_size": 8}
STUDY["similarity"] = {"metrics": ["overlap_20", "pearson"]}
STUDY["hybrid"]["svm"] |= {"c": [1], "search_images": 200}
STUDY["masking"]["svm"] |= {"c": [1], "search_images": 100, "images": 300}
STUDY["occlusion"] = {"sizes": [14]}
SVMS = ["cnn-svm", "unmasked", "masked", "mask-same-class", "mask-any-class", "mask-alone"]
FIGURES = {
    "training/history",
    "confusion/baseline",
    "sets/sets",
    "subsets/subsets",
    *(f"overlays/{name}" for name in ("over_images", "alone")),
    *(f"sheets/{name}" for name in ("classes", "mistakes")),
    *(f"agreement/{name}" for name in STUDY["similarity"]["metrics"]),
    *(f"occlusion/{name}" for name in ("accuracy", *STUDY["similarity"]["metrics"])),
    *(f"svm_confusion/{name}" for name in ("network", *SVMS)),
    *("hybrid/maps", "masks/classes", "scores/hybrid", "scores/masking"),
}


def idx(array: np.ndarray) -> bytes:
    """The file format of MNIST."""
    header = [2048 + array.ndim, *array.shape]
    return b"".join(number.to_bytes(4, "big") for number in header) + array.tobytes()


def garments(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Grey pictures of ten kinds, a bright bar at a place of its own, and their labels."""
    random = np.random.default_rng(seed)
    labels = (np.arange(count) % 10).astype(np.uint8)
    images = random.integers(0, 60, (count, 28, 28), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        top, left = 2 + 5 * (label % 5), 3 + 12 * (label // 5)
        image[top : top + 6, left : left + 9] += 150
    return images, labels


def boutique(target: Path, **changes: Any) -> Project:
    """A project with such files, whose checksums it expects."""
    project = copy_project(target, {**STUDY, **changes})
    raw = project.path / "data" / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for part, count, seed in (("train", 500, 0), ("t10k", 100, 1)):
        for kind, array in zip(("images-idx3", "labels-idx1"), garments(count, seed), strict=True):
            name = f"{part}-{kind}-ubyte"
            (raw / name).write_bytes(idx(array))
            md5 = hashlib.md5((raw / name).read_bytes()).hexdigest()
            project.edit(
                "workflow/scripts/campare/data.py",
                lambda text, name=name, md5=md5: text.replace(
                    f'"FashionMNIST/raw/{name}": "', f'"FashionMNIST/raw/{name}": "{md5}" or "'
                ),
            )
    own = project.path / "data" / "own_images" / "Bag"
    own.mkdir(parents=True)
    photograph = np.full((60, 40, 3), 250, np.uint8)
    photograph[20:40, 5:30] = 30
    Image.fromarray(photograph).save(own / "{bag}.jpg")
    return project


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The study, run once from nothing. Read it; do not edit it."""
    project = boutique(tmp_path_factory.mktemp("shop") / "project")
    run = project.snakemake()
    assert run.returncode == 0, run.stdout
    return project


@pytest.fixture
def copied(shop: Project, tmp_path: Path) -> Project:
    shutil.copytree(shop.path, tmp_path / "project", copy_function=shutil.copy2)
    return Project(tmp_path / "project")


def refused(run: Any) -> str:
    assert run.returncode != 0, run.stdout
    assert "Traceback" not in run.stdout
    return str(run.stdout)


def scores(shop: Project, stage: str) -> pd.DataFrame:
    return pd.read_csv(shop.results / "tables" / f"{stage}_scores.csv").set_index("model")


def test_study_without_augmentations_compares_nothing_with_the_baseline(shop: Project) -> None:
    drawn = {
        str(path.relative_to(shop.results / "figures")) for path in shop.results.rglob("*.png")
    }
    assert drawn == {f"{name}.png" for name in FIGURES}
    assert not (shop.results / "tables" / "correlation.csv").exists()
    assert shop.planned() == {}


def test_every_column_is_in_the_data_dictionary(shop: Project) -> None:
    assert shop.undescribed() == []


def test_machines_have_a_file_each_and_no_pickle(shop: Project) -> None:
    for name in SVMS:
        for suffix in ("safetensors", "csv", "parquet"):
            assert (shop.results / "classifiers" / f"{name}.{suffix}").exists()
    assert not [*shop.results.rglob("*.pkl"), *shop.results.rglob("*.joblib")]


def test_pixels_learn_and_the_report_is_of_the_test_images(shop: Project) -> None:
    found = scores(shop, "masking")
    assert set(found["images"]) == {80}
    assert found.loc["unmasked", "accuracy"] > 0.9
    assert found.loc["unmasked", "difference"] == 0
    classes = pd.read_csv(shop.results / "tables" / "masking_classes.csv")
    assert classes.groupby("model")["support"].sum().eq(80).all()
    predictions = pd.read_parquet(shop.results / "classifiers" / "unmasked.parquet")
    accuracy = (predictions["label"] == predictions["prediction"]).mean()
    assert found.loc["unmasked", "accuracy"] == pytest.approx(accuracy)


def test_maps_of_the_hybrid_lie_at_the_last_layer_with_extent(shop: Project) -> None:
    with h5py.File(shop.results / "cams" / "cnn-svm" / "1.h5") as store:
        assert store["attribution"].shape == (80, 1, 3, 3)
        assert store.attrs["target_layer"] == "features.10"
        predicted = np.argmax(store["logit"], axis=1)
        assert np.array_equal(store["target"], predicted)
    fitted = pd.read_parquet(shop.results / "classifiers" / "cnn-svm.parquet")
    assert np.array_equal(fitted["prediction"], predicted)
    assert set(scores(shop, "hybrid").index) == {"cnn", "network", "cnn-svm"}


def test_covered_maps_explain_the_class_of_the_whole_picture(shop: Project) -> None:
    with (
        h5py.File(shop.results / "cams" / "baseline" / "1.h5") as whole,
        h5py.File(shop.results / "cams" / "occluded-14" / "1.h5") as covered,
    ):
        assert np.array_equal(covered["target"], np.argmax(whole["logit"], axis=1))
        assert not np.array_equal(covered["attribution"], whole["attribution"])
    table = pd.read_csv(shop.results / "tables" / "occlusion.csv")
    assert set(table["size"]) == {0, 14}


def test_own_pictures_are_classified_when_asked_for(copied: Project) -> None:
    run = copied.snakemake("own_images")
    assert run.returncode == 0, run.stdout
    table = pd.read_csv(copied.results / "tables" / "own_images.csv")
    assert table["class"].tolist() == ["Bag"]
    assert table["image"].tolist() == ["data/own_images/Bag/{bag}.jpg"]
    assert (copied.results / "figures" / "own_images" / "sheet.png").exists()
    assert copied.planned("own_images") == {}
    shutil.rmtree(copied.path / "data" / "own_images")
    message = refused(copied.snakemake("own_images"))  # what is gone is seen
    assert "data/own_images: no such folder; set own_images.folder" in message


def test_second_run_gives_the_same_bytes(copied: Project) -> None:
    names = [
        *(f"classifiers/masked.{suffix}" for suffix in ("safetensors", "parquet")),
        *("cams/cnn-svm/1.h5", "figures/sheets/mistakes.png", "figures/sheets/mistakes.svg"),
    ]
    paths = [copied.results / name for name in names]
    before = [path.read_bytes() for path in paths]
    for path in paths:
        path.unlink()
    run = copied.snakemake(*(f"results/tiny/{name}" for name in names))
    assert run.returncode == 0, run.stdout
    assert [path.read_bytes() for path in paths] == before


def test_other_threshold_redraws_one_sheet_and_other_mask_refits_its_svms(copied: Project) -> None:
    copied.edit("config/tiny.yaml", lambda text: text.replace("threshold: 0.95", "threshold: 0.5"))
    assert set(copied.planned()) == {"plot_sheets", "all"}
    copied.edit("config/tiny.yaml", lambda text: text.replace("top: 50", "top: 30"))
    jobs = copied.planned()
    assert jobs["fit_svm"] == 5
    assert not {"train", "train_architecture", "extract_cams", "map_training"} & jobs.keys()


def test_too_many_images_for_an_svm_and_a_truncated_one_are_named(copied: Project) -> None:
    copied.edit("config/tiny.yaml", lambda text: text.replace("images: 300", "images: 4000"))
    path = copied.results / "classifiers" / "cnn-svm.safetensors"
    path.write_bytes(path.read_bytes()[:100])
    targets = ("classifiers/masked.safetensors", "cams/cnn-svm/1.h5")
    output = refused(copied.snakemake("--keep-going", *(f"results/tiny/{t}" for t in targets)))
    assert "masking.svm.images: 4000; must lie between 10, the number of classes" in output
    assert not list((copied.results / "classifiers").glob("masked.*"))
    assert "classifiers/cnn-svm.safetensors: not a readable SVM" in output


def test_comparison_without_augmentations_is_refused(shop: Project) -> None:
    run = shop.snakemake("--dry-run", "results/tiny/figures/boxplot/pearson.png")
    assert run.returncode != 0
    assert "augmentations: empty" in run.stdout
