"""The poster's study, cut small: config/mnist100.yaml on generated files in MNIST's own format."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
import yaml
from numpy.typing import NDArray
from PIL import Image
from safetensors import safe_open
from scipy import stats

from campare import maps
from tiny import ROOT, Project, copy_project

pytestmark = pytest.mark.workflow

SEEDS = [1, 2]
METHODS = {"gradcam": "", "input_gradient": "variants/input_gradient/"}
FIGURES = [
    "figures/sets/sets.png",
    *(
        f"{folder}figures/{name}.png"
        for folder in METHODS.values()
        for name in ("boxplot/entropy", "overlays/alone", "accuracy/kl")
    ),
]
AUGMENTED = "augmented/distortion/1.h5"
TARGETS = [f"results/tiny/{file}" for file in ("tables/published.csv", AUGMENTED, *FIGURES)]


def study() -> dict[str, Any]:
    """The shipped file with fewer and smaller things of everything, and no other difference."""
    whole = yaml.safe_load((ROOT / "config" / "mnist100.yaml").read_text())
    whole["study"] = "tiny"
    whole["split"]["subset"] = {"train": 20, "validation": 20}
    whole["seeds"] = SEEDS
    whole["augmentations"] = {"distortion": whole["augmentations"]["distortion"]}
    whole["published"] = {name: whole["published"][name] for name in ("baseline", "distortion")}
    whole["training"] |= {"epochs": 2}
    whole["figures"] = {"formats": ["png"], "dpi": 50}
    return whole


def idx(array: NDArray[np.uint8]) -> bytes:
    """MNIST's file format."""
    header = [2048 + array.ndim, *array.shape]
    return b"".join(number.to_bytes(4, "big") for number in header) + array.tobytes()


def with_mnist(project: Project) -> Project:
    """Put a small MNIST into the project, and its checksums into the package."""
    random = np.random.default_rng(0)
    raw = project.path / "data" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for part, count in (("train", 100), ("t10k", 30)):
        labels = (np.arange(count) % 10).astype(np.uint8)
        images = random.integers(0, 60, (count, 28, 28), np.uint8)
        for image, label in zip(images, labels, strict=True):
            image[6:22, 2 * label + 3 : 2 * label + 7] += 180  # a bar, further right for each class
        for name, array in ((f"{part}-images-idx3", images), (f"{part}-labels-idx1", labels)):
            file = raw / f"{name}-ubyte"
            file.write_bytes(idx(array))
            digest = hashlib.md5(file.read_bytes()).hexdigest()
            project.edit(
                "workflow/scripts/campare/data.py",
                lambda text, line=f'"MNIST/raw/{file.name}": "', digest=digest: (
                    text.split(line)[0] + line + digest + text.split(line)[1][32:]
                ),
            )
    return project


@pytest.fixture(scope="module")
def poster(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Some of the small study's tables and figures, from nothing. Read it; do not edit it."""
    project = with_mnist(copy_project(tmp_path_factory.mktemp("poster") / "project", study()))
    run = project.snakemake(*TARGETS)
    assert run.returncode == 0, run.stdout
    return project


def settings(weights: Path) -> dict[str, Any]:
    with safe_open(weights, "np") as file:
        return json.loads(file.metadata()["campare"])["settings"]


def test_every_seed_trains_on_images_of_its_own_and_all_are_tested_on_the_same(
    poster: Project,
) -> None:
    first, second = (pd.read_csv(poster.results / "split" / f"{seed}.csv") for seed in SEEDS)
    for frame in (first, second):
        assert frame["subset"].value_counts().to_dict() == {
            "train": 20,
            "validation": 20,
            "test": 30,
        }
        assert set(frame.loc[frame["subset"] == "train", "label"].value_counts()) == {2}
    rows = [
        {s: set(f.loc[f["subset"] == s, "index"]) for s in f["subset"]} for f in (first, second)
    ]
    assert rows[0]["test"] == rows[1]["test"] == set(range(100, 130))
    assert rows[0]["train"] != rows[1]["train"]
    assert not (poster.results / "split.csv").exists()


def test_every_model_takes_ten_steps_an_epoch_whatever_the_size_of_its_set(poster: Project) -> None:
    for name, size in (("baseline", 2), ("distortion", 22)):
        for seed in SEEDS:
            chosen = settings(poster.results / "models" / name / f"{seed}.safetensors")
            assert chosen["batch_size"] == size
            assert chosen["init_seed"] == chosen["order_seed"] == seed
            assert chosen["copies"] == (10 if name == "distortion" else 0)


def test_both_methods_map_the_same_models(poster: Project) -> None:
    stores = {}
    for method, folder in METHODS.items():
        with h5py.File(poster.results / f"{folder}cams" / "distortion" / "2.h5") as store:
            stores[method] = dict(store.attrs)
            shape = store["attribution"].shape
            assert shape == ((30, 1, 7, 7) if method == "gradcam" else (30, 1, 28, 28))
    gradcam, gradient = stores.values()
    assert (gradcam["method"], gradcam["target_layer"]) == ("gradcam", "features")
    assert (gradient["method"], gradient["target_layer"]) == ("input_gradient", "input")
    assert gradcam["checkpoint_sha256"] == gradient["checkpoint_sha256"]


@pytest.mark.parametrize("folder", METHODS.values())
def test_a_model_is_compared_with_the_baseline_of_its_seed(poster: Project, folder: str) -> None:
    for seed in SEEDS:
        pixels = []
        for name in ("baseline", "distortion"):
            with h5py.File(poster.results / f"{folder}cams" / name / f"{seed}.h5") as store:
                shown = maps.show(store["attribution"][:, 0], (28, 28))
                pixels.append(shown.reshape(len(shown), -1).astype(np.float64))
        table = pd.read_parquet(
            poster.results / f"{folder}similarity" / "distortion" / f"{seed}.parquet"
        )
        for p, q, row in zip(*pixels, table.itertuples(), strict=True):
            if np.ptp(p) == 0 or np.ptp(q) == 0:
                assert np.isnan(row.pearson)
            else:
                assert row.pearson == pytest.approx(np.corrcoef(p, q)[0, 1], abs=1e-5)
            if q.max() > 0:
                assert row.entropy == pytest.approx(stats.entropy(q), abs=1e-5)
            if p.max() > 0:
                assert row.entropy_baseline == pytest.approx(stats.entropy(p), abs=1e-5)


def test_what_is_published_lies_beside_what_came_out(poster: Project) -> None:
    folder = poster.results / "tables"
    found = pd.read_csv(folder / "published.csv").set_index(["score", "augmentation"])
    for score, file in (("test", "performance"), ("validation", "validation")):
        models = pd.read_csv(folder / f"{file}.csv").groupby("augmentation")["accuracy"]
        for name in ("baseline", "distortion"):
            row = found.loc[score, name]
            assert row["published"] == study()["published"][name][score]
            assert row["mean"] == pytest.approx(models.mean()[name])
            assert row["std"] == pytest.approx(models.std()[name])
            assert row["seeds"] == len(SEEDS)


def test_every_column_is_in_the_data_dictionary(poster: Project) -> None:
    assert poster.undescribed() == []


def test_figures_are_drawn(poster: Project) -> None:
    for figure in FIGURES:
        with Image.open(poster.results / figure) as image:
            assert len(np.unique(np.asarray(image.convert("L")))) > 10, figure


def test_a_further_method_trains_nothing(poster: Project) -> None:
    text = (poster.path / "config" / "tiny.yaml").read_text()
    try:
        poster.edit(
            "config/tiny.yaml",
            lambda t: t.replace("variants:\n", "variants:\n    layer: {method: layercam}\n"),
        )
        further = "results/tiny/variants/layer/tables/accuracy_correlation.csv"
        jobs = poster.planned(*TARGETS, further)
    finally:
        (poster.path / "config" / "tiny.yaml").write_text(text)
    assert "train" not in jobs
    assert jobs["extract_cams"] == 4
    assert poster.planned(*TARGETS) == {}


def test_the_images_trained_on_are_saved_on_demand(poster: Project) -> None:
    split = pd.read_csv(poster.results / "split" / "1.csv")
    with h5py.File(poster.results / AUGMENTED) as file:
        assert file["images"].shape == (220, 28, 28, 1)
        assert set(file["index"]) == set(split.loc[split["subset"] == "train", "index"])
