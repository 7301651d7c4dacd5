"""Projects for ViRelAy: the layout of its specification, and what its own reader gets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import yaml

import explorer_study as small
from campare import embedding, virelay
from campare.store import Store

SIDES = {"images": (12, 10), "maps": (4, 5)}
POSITIONS = small.INDEX[[0, 17, 39]]


def written(folder: Path, channels: int = 3, **changes: Any) -> Store:
    """The files of a project; returns the store with its maps."""
    folder.mkdir(exist_ok=True)
    dataset, store = small.dataset(channels=channels), small.store(3)
    virelay.write_images(folder / "images.h5", dataset.images, dataset.labels, store.index)
    (folder / "labels.json").write_text(virelay.label_map(dataset.classes), encoding="utf-8")
    virelay.write_attributions(folder / "maps.h5", store, dataset.labels)
    virelay.write_analysis(folder / "analysis.h5", virelay.categories(store, store.target))
    arguments = {
        "study": "small",
        "model": "affine, seed 1",
        "architecture": "small_cnn",
        "maps": "Grad-CAM",
        "policy": "predicted",
        "size": virelay.read_images(folder / "images.h5")[0],
        "files": {
            "labels": "labels.json",
            "images": "images.h5",
            "attributions": "maps.h5",
            "analysis": "analysis.h5",
        },
    }
    (folder / "project.yaml").write_text(virelay.project(**(arguments | changes)), encoding="utf-8")
    return store


@pytest.fixture(scope="module", params=[1, 3], ids=["grey", "colour"])
def channels(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(scope="module")
def project(channels: int, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("virelay")
    written(folder, channels)
    return folder


def means(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The means of equal blocks of an array (…, h, w)."""
    *rest, height, width = values.shape
    blocks = values.reshape(*rest, size[0], height // size[0], size[1], width // size[1])
    return blocks.mean(axis=(-3, -1))


def test_images_have_three_channels_at_their_positions(project: Path, channels: int) -> None:
    with h5py.File(project / "images.h5") as file:
        data, labels = file["data"], file["label"][()]
        assert data.dtype == np.uint8
        assert data.shape[:2] == (len(small.LABELS), 3)
        assert min(data.shape[2:]) >= 32
        dataset = small.dataset(channels=channels)
        for position in POSITIONS:
            expected = np.broadcast_to(dataset.images[position], (*SIDES["images"], 3))
            got = means(data[position].astype(float), SIDES["images"])
            np.testing.assert_array_equal(got, expected.transpose(2, 0, 1))
        assert not data[0].any()  # a training image
        assert data.id.get_num_chunks() == small.IMAGES
    assert (labels.dtype, labels.tolist()) == (np.uint16, small.LABELS.tolist())


def test_channels_of_attributions_add_up_to_the_signed_map(project: Path) -> None:
    store = small.store(3)
    with h5py.File(project / "maps.h5") as file:
        assert file["attribution"].dtype == np.float32
        assert file["attribution"].shape[:2] == (len(small.LABELS), 3)
        for row, position in enumerate(store.index):
            total = file["attribution"][position].astype(float).sum(axis=0)
            np.testing.assert_allclose(means(total, SIDES["maps"]), store.maps[row], rtol=1e-6)
            np.testing.assert_array_equal(file["prediction"][position], store.prediction[row])
        assert "index" not in file  # rows are positions; ViRelAy searches an index slowly
        np.testing.assert_array_equal(file["label"], small.LABELS)


def test_the_analysis_has_the_same_names_in_every_category(project: Path) -> None:
    store = small.store(3)
    kmeans = [f"kmeans-{count:02d}" for count in range(2, 11)]
    with h5py.File(project / "analysis.h5") as file:
        *classes, everything = file
        assert everything == "all images"
        assert classes == [f"{label:08d}" for label in np.unique(store.target)]
        for name, group in file.items():
            index = group["index"][()]
            if name == everything:
                np.testing.assert_array_equal(index, store.index)
            else:
                np.testing.assert_array_equal(index, store.index[store.target == int(name)])
            assert list(group["embedding"]) == ["eigenmaps", "pca", "spectral"]
            assert list(group["cluster"]) == kmeans
            spectral = group["embedding/spectral"]
            assert spectral.shape == (len(index), min(embedding.VALUES, len(index)))
            np.testing.assert_allclose(np.linalg.norm(spectral, axis=1), 1, rtol=1e-5)
            # The smallest, 0, is the last, as in CoRelAy.
            eigenvalues = spectral.attrs["eigenvalue"]
            assert (np.diff(eigenvalues) <= 1e-6).all()
            assert eigenvalues[-1] == pytest.approx(0, abs=1e-6)
            for count, name in enumerate(kmeans, start=2):
                clusters = group["cluster"][name]
                assert clusters.shape == (len(index),)
                assert clusters.attrs["embedding"] == "spectral"
                assert clusters.attrs["k"] == len(np.unique(clusters)) <= count


def test_the_project_names_files_that_exist(project: Path) -> None:
    content = yaml.safe_load((project / "project.yaml").read_text(encoding="utf-8"))["project"]
    files = [content["label_map"], content["dataset"]["path"]]
    files += content["attributions"]["sources"] + content["analyses"][0]["sources"]
    assert all((project / file).exists() for file in files)
    assert content["attributions"]["attribution_strategy"] == "predicted_label"
    assert "-" not in content["analyses"][0]["analysis_method"]  # ViRelAy replaces hyphens
    labels = json.loads((project / "labels.json").read_text(encoding="utf-8"))
    assert [label["name"] for label in labels] == list(small.CLASSES)


def test_two_runs_give_the_same_bytes(project: Path, channels: int, tmp_path: Path) -> None:
    written(tmp_path, channels)
    for path in project.iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes(), path.name


def test_classes_without_a_map_have_no_category() -> None:
    store = small.store(3)
    found = dict(virelay.categories(store, np.full(small.IMAGES, 2)))
    assert list(found) == ["00000002", "all images"]


def test_large_maps_are_reduced_for_the_analysis() -> None:
    store = small.store(3, shape=(100, 90))
    analysis = dict(virelay.categories(store, store.target))["all images"]
    assert analysis.components.shape == (small.IMAGES, 2)


# ViRelAy's own reader, where it is installed: pip install --no-deps virelay


@pytest.fixture
def opened(project: Path) -> Iterator[Any]:
    model = pytest.importorskip("virelay.model", reason="virelay is not installed")
    opened = model.Project(str(project / "project.yaml"))
    yield opened
    opened.close()


def test_its_reader_gets_the_images(opened: Any, channels: int) -> None:
    for position in POSITIONS:
        sample = opened.get_sample(int(position))
        assert (sample.data.dtype, sample.data.shape[2]) == (np.uint8, 3)
        assert [label.name for label in sample.labels] == [small.CLASSES[small.LABELS[position]]]
        image = small.dataset(channels=channels).images[position]
        got = means(np.moveaxis(sample.data, 2, 0).astype(float), SIDES["images"])
        expected = np.broadcast_to(image, (*SIDES["images"], 3)).transpose(2, 0, 1)
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("colours", ["gray-red", "black-green", "black-fire-red", "jet"])
def test_it_draws_the_maps(opened: Any, colours: str) -> None:
    for position in POSITIONS:
        attribution = opened.get_attribution(int(position))
        row = list(small.INDEX).index(position)
        total = attribution.data.astype(float).sum(axis=2)
        expected = small.store(3).maps[row]
        np.testing.assert_allclose(means(total, SIDES["maps"]), expected, rtol=1e-5)
        np.testing.assert_array_equal(attribution.prediction, small.store(3).prediction[row])
        image = opened.get_sample(int(position)).data
        for drawn in (
            attribution.render_heatmap(colours),
            attribution.render_heatmap(colours, image_to_superimpose=image),
        ):
            assert (drawn.dtype, drawn.shape[2]) == (np.uint8, 3)
            assert len(np.unique(drawn)) > 3


def test_its_reader_gets_the_analysis(opened: Any) -> None:
    (method,) = opened.get_analysis_methods()
    categories = opened.get_analysis_categories(method)
    assert {category.human_readable_name for category in categories} <= {*small.CLASSES, ""}
    for category in categories:
        for clustering in opened.get_analysis_clustering_names(method):
            for name in opened.get_analysis_embedding_names(method):
                analysis = opened.get_analysis(method, category.name, clustering, name)
                count = len(analysis.attribution_indices)
                assert len(analysis.clustering) == len(analysis.embedding) == count > 0
                assert (analysis.eigenvalues is not None) == (name == "spectral")
