"""A study of images that are wider than high, through stages that look at their pixels."""

from __future__ import annotations

import h5py
import numpy as np
import pandas as pd
import pytest

from campare import data, open_study, shapes
from tiny import TINY, Project, copy_project

pytestmark = pytest.mark.workflow

HEIGHT, WIDTH = 12, 20
STUDY = TINY | {
    "data": {"name": "arrays", "root": "wide.npz", "size": [HEIGHT, WIDTH], "fit": "pad"},
    "split": {},
    "model": {"architecture": "small_cnn", "input_size": [HEIGHT, WIDTH]},
    "seeds": [1],
    "augmentations": {"rotation": {"degrees": 30}},
    "training": {"epochs": 1},
    "localisation": {},
    "faithfulness": {"images": 4, "steps": 2, "road": [0.5]},
    "mosaics": {"mosaics": 4},
    "robustness": {
        "images": 20,
        "corruptions": ["fog"],
        "severities": [2],
        "transforms": {"turned": {"use": "rotation", "degrees": 40}},
    },
    "figures": {"dpi": 60, "formats": ["png"]},
}
TARGETS = ("localisation", "faithfulness", "mosaics", "robustness")


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The study, run once from nothing. Read it; do not edit it."""
    project = copy_project(tmp_path_factory.mktemp("wide") / "project", STUDY)
    made = shapes.shapes(
        root=None, size=24, fit="crop", channels=3, train=96, test=36, scale=(0.36, 0.48),
        contrast=1.0, texture=0.0, clutter=0.0, noise=0.0, cue_class="star", cue_share=0.0, seed=0,
    )  # fmt: skip
    assert made.regions
    # 24 × 40 pixels: what lies between the objects and the border is black.
    beside = ((0, 0), (0, 0), (4, 12))
    np.savez(
        project.path / "wide.npz",
        images=np.pad(made.images, (*beside, (0, 0))),
        labels=made.labels,
        masks=np.pad(made.regions.masks[:, 0], beside),
        subset=made.part,
    )
    run = project.snakemake(*TARGETS)
    assert run.returncode == 0, run.stdout
    return project


def test_images_masks_and_maps_have_their_height_and_width(wide: Project) -> None:
    path = wide.results / "data.h5"
    dataset, regions = data.read(path), data.read_regions(path, np.arange(3))
    assert dataset.images.shape[1:] == (HEIGHT, WIDTH, 3)
    assert regions
    assert regions.masks.shape[2:] == (HEIGHT, WIDTH)
    study = open_study(wide.results)
    assert study.store("rotation", 1).maps.shape[1:] == (HEIGHT // 4, WIDTH // 4)
    assert study.maps("rotation", 1).shape[1:] == (HEIGHT, WIDTH)
    with h5py.File(wide.results / "corrupted.h5") as file:
        assert file["images"].shape[2:] == (HEIGHT, WIDTH, 3)


def test_scores_of_every_stage_are_in_their_range(wide: Project) -> None:
    tables = wide.results / "tables"
    scores = pd.read_csv(tables / "localisation.csv")[["mean", "chance", "other"]]
    assert scores.apply(lambda column: column.between(0, 1)).to_numpy().all()
    assert (pd.read_csv(tables / "localisation.csv")["images"] == 36).all()
    mosaics = pd.read_csv(tables / "mosaics.csv").query("score == 'energy'")
    assert np.allclose(mosaics.groupby("region")["chance"].first()["grid_pointing"], 0.25)
    maps = pd.read_csv(tables / "equivariance.csv")
    assert maps["valid"].between(0.4, 1).all()
    assert set(pd.read_csv(tables / "corruption_accuracy.csv")["severity"]) == {0, 2}
    assert wide.undescribed() == []


def test_nothing_is_left_to_do(wide: Project) -> None:
    assert wide.planned(*TARGETS) == {}
