"""Localisation where the pictures have masks, faithfulness where it is asked for, else neither."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from PIL import Image
from safetensors.torch import load_file

from tiny import TINY, Project, copy_project

pytestmark = pytest.mark.workflow

STUDY = TINY | {
    "data": {
        "name": "shapes",
        "size": 16,
        "parameters": {"train": 120, "test": 48, "cue_share": 0.9},
    },
    "split": {},
    "seeds": [1],
    "augmentations": {"cutmix": {}},
    "training": {"epochs": 1},
    "localisation": {"spurious": "cue"},
    "analysis": {"by_class": ["mad"]},
    "faithfulness": {"images": 4, "steps": 2, "road": [0.5]},
    "mosaics": {"mosaics": 6},
    "sanity": {"images": 4, "points": 2, "samples": 1, "permuted_labels": 1},
    "single_deletion": {"images": 4, "cells": 2, "epochs": 1},
    "map_exchange": {"images": 4, "steps": 2},
    "robustness": {
        "images": 20,
        "corruptions": ["fog", "pixelate"],
        "severities": [2],
        "transforms": {"flipped": {"use": "horizontal_flip", "probability": 1}},
    },
    "figures": {"dpi": 60, "formats": ["png"]},
}
STAGES = (
    *("localisation", "faithfulness", "mosaics", "robustness", "sanity", "single_deletion"),
    "map_exchange",
)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Both stages, run once from nothing. Read it; do not edit it."""
    project = copy_project(tmp_path_factory.mktemp("known") / "project", STUDY)
    run = project.snakemake(*STAGES)
    assert run.returncode == 0, run.stdout
    return project


def read(project: Project, name: str) -> pd.DataFrame:
    return pd.read_csv(project.results / "tables" / f"{name}.csv")


def test_tables_and_figures_are_there_and_stay(known: Project) -> None:
    drawn = {path.relative_to(known.results / "figures") for path in known.results.rglob("*.png")}
    assert drawn == {
        *(
            Path(f"localisation/{score}.png")
            for score in ("pointing", "energy", "iou", "average_precision")
        ),
        Path("localisation_by_class/localisation_by_class.png"),
        *(Path(name) for name in ("spurious/spurious.png", "faithfulness/curves.png")),
        Path("faithfulness/gain.png"),
        *(Path(f"mosaics/{score}.png") for score in ("energy", "pointing")),
        Path("single_deletion/correlation.png"),
        *(Path(f"map_exchange/{measure}.png") for measure in ("deletion", "insertion")),
        *(Path(f"sanity/{metric}.png") for metric in ("overlap_20", "pearson", "mad")),
        *(Path(f"corruptions/{name}.png") for name in ("accuracy", "change")),
        *(Path(f"equivariance/{name}.png") for name in ("overlap_20", "pearson", "prediction")),
    }
    assert known.planned(*STAGES) == {}


def test_every_column_is_in_the_data_dictionary(known: Project) -> None:
    assert known.undescribed() == []


def test_every_model_is_scored_on_every_region(known: Project) -> None:
    table = read(known, "localisation")
    assert set(table["augmentation"]) == {"baseline", "cutmix"}
    images = table.groupby("region")["images"].unique().map(list).to_dict()
    assert images == {"object": [48], "distractor": [48], "cue": [24]}
    scores = table[["mean", "chance", "other"]].to_numpy()
    assert ((scores >= 0) & (scores <= 1)).all()
    measured = pd.read_parquet(known.results / "localisation" / "cutmix" / "1.parquet")
    cue = measured[measured["region"] == "cue"]
    assert np.allclose(cue["area"], 4 / 16**2)
    row = table.query("augmentation == 'cutmix' and region == 'cue' and score == 'energy'")
    assert np.isclose(row["mean"].item(), cue["energy"].mean())


def test_cue_is_planted_as_the_table_says(known: Project) -> None:
    table = read(known, "spurious").query("augmentation == 'baseline'").set_index("group")
    assert table["images"].to_dict() == {
        "cue_class_with_cue": 4,
        "cue_class_without_cue": 4,
        "other_classes_with_cue": 20,
        "other_classes_without_cue": 20,
    }


def test_corruptions_and_transforms_have_the_images_asked_for(known: Project) -> None:
    accuracy = read(known, "corruption_accuracy")
    assert (accuracy["images"] == 20).all()
    assert set(zip(accuracy["corruption"], accuracy["severity"], strict=True)) == {
        ("none", 0), ("fog", 2), ("pixelate", 2),
    }  # fmt: skip
    first, other = (
        pd.read_parquet(known.results / "corruptions" / name / "1.parquet")
        for name in ("baseline", "cutmix")
    )
    assert (first[["corruption", "index", "label"]] == other[["corruption", "index", "label"]]).all(
        axis=None
    )
    maps = read(known, "equivariance")
    assert set(maps["transform"]) == {"flipped"}  # CutMix adds another image
    assert (maps["valid"] == 1).all()
    # Uncorrupted images are predicted as for the maps.
    measured = pd.read_parquet(known.results / "equivariance" / "cutmix" / "1.parquet")
    own = measured[measured["map"] == "own"]
    plain = other[other["corruption"] == "none"]
    assert own["prediction"].tolist() == plain["prediction"].tolist()


def test_faithfulness_has_the_images_asked_for(known: Project) -> None:
    assert (read(known, "faithfulness")["images"] == 4).all()
    curves = read(known, "faithfulness_curves")
    assert set(curves["map"]) == {"map", "random"}
    assert set(curves.loc[curves["curve"] == "deletion", "share"]) == {0, 0.5, 1}


def test_all_models_have_the_same_mosaics(known: Project) -> None:
    baseline, augmented = (
        pd.read_parquet(known.results / "mosaics" / name / "1.parquet")
        for name in ("baseline", "cutmix")
    )
    same = ["region", "index", "label", "area"]
    pd.testing.assert_frame_equal(baseline[same], augmented[same])
    assert baseline.groupby("region")["area"].unique().map(list).to_dict() == {
        "grid_pointing": [0.25],
        "focus": [0.5],
    }
    assert set(read(known, "mosaics_summary")["region"]) == {"grid_pointing", "focus"}


def test_every_model_is_compared_with_its_randomised_copies(known: Project) -> None:
    layers = read(known, "sanity_layers")
    assert set(layers["augmentation"]) == {"baseline", "cutmix"}
    assert set(layers["check"]) == {"mprt", "smprt"}
    steps = layers[["randomised", "layer"]].drop_duplicates().to_numpy().tolist()
    assert steps == [[1, "classifier"], [4, "features.0"]]
    checks = read(known, "sanity")
    assert {"emprt", "random_logit", "permuted_labels", "other_image"} <= set(checks["check"])
    assert (checks["images"] == 4).all()
    history = pd.read_csv(known.results / "models" / "permuted_labels" / "1.csv")
    assert len(history) == 1 and "train_accuracy" in history


def test_single_deletion_is_that_of_the_network_and_its_fine_tuned_copy(known: Project) -> None:
    rows = read(known, "single_deletion_summary")
    assert set(rows["network"]) == {"trained", "finetuned"}
    assert (rows["images"] == 4).all()
    history = pd.read_csv(known.results / "finetuned" / "cutmix" / "1.csv")
    assert len(history) == 1


def test_two_models_exchange_their_maps(known: Project) -> None:
    rows = read(known, "map_exchange_summary")
    assert set(rows["augmentation"]) == {"cutmix"}
    assert (rows["images"] <= 4).all() and (rows["pairs"] == 1).all()
    areas = pd.read_parquet(known.results / "map_exchange" / "cutmix" / "1.parquet")
    assert len(areas) == 4 * areas["index"].nunique()
    curves = pd.read_parquet(known.results / "faithfulness" / "cutmix" / "1.parquet")
    deleted = curves[(curves["map"] == "map") & (curves["curve"] == "deletion")]
    heights = deleted.pivot_table(index="index", columns="share", values="probability")
    own = areas[(areas["network"] == "model") & (areas["map"] == "model")].set_index("index")
    expected = np.trapezoid(heights.loc[own.index], heights.columns, axis=1)
    assert np.allclose(own["deletion"], expected)


def test_another_threshold_of_road_rebuilds_faithfulness_alone(
    known: Project, tmp_path: Path
) -> None:
    shutil.copytree(known.path, tmp_path / "project", copy_function=shutil.copy2)
    project = Project(tmp_path / "project")
    project.edit("config/tiny.yaml", lambda text: text.replace("- 0.5", "- 0.4"))
    plan = project.planned(*STAGES)
    assert {name for name in plan if name not in STAGES} == {
        "measure_faithfulness", "tabulate_faithfulness", "plot_faithfulness",
    }  # fmt: skip


KNOWN_CHANGES = {
    "vary": ["init"],
    "controls": {"baselines": {"seeds": [11, 12, 13], "vary": ["init"]}},
    "known_changes": {
        "seeds": [21, 22, 23, 24], "cue_share": [0.0], "training_images": [0.5],
        "untrained_layers": [1],
    },
}  # fmt: skip


def test_networks_with_a_known_change(known: Project, tmp_path: Path) -> None:
    """Data of their own, which are deleted after the training; new weights of the last layer."""
    shutil.copytree(known.path, tmp_path / "project", copy_function=shutil.copy2)
    project = Project(tmp_path / "project")
    text = yaml.safe_dump(STUDY | KNOWN_CHANGES, sort_keys=False)
    project.edit("config/tiny.yaml", lambda _: text)
    plan = project.planned("known_changes")
    of_arms = {"change_training_data": 8, "reinitialise": 4, "tabulate_known_changes": 1}
    assert of_arms.items() <= plan.items()
    names = ("cue_share_0", "training_images_0p5", "untrained_layers_1", "unchanged")
    models = [f"results/tiny/models/{name}/21.safetensors" for name in names]
    run = project.snakemake(*models)
    assert run.returncode == 0, run.stdout
    assert not [*(project.results / "known_changes").rglob("*.h5")]
    logs = project.results / "logs"
    log = (logs / "known_changes/training_images_0p5/21.log").read_text()
    assert "54 of 108 training images kept" in log
    history = pd.read_csv(project.results / "models/training_images_0p5/21.csv")
    assert len(history) == 2  # as many steps in twice as many epochs
    unchanged, reset = (
        load_file(project.results / "models" / name / "21.safetensors")
        for name in ("unchanged", "untrained_layers_1")
    )
    changed = {name for name in unchanged if not torch.equal(unchanged[name], reset[name])}
    assert changed == {"classifier.weight", "classifier.bias"}


def test_maps_of_what_the_baseline_predicts_are_planned(tmp_path: Path) -> None:
    paired = {"cam": {"class": "baseline"}, "vary": ["init"], "reference": "paired"}
    project = copy_project(tmp_path / "project", STUDY | paired | {"seeds": [1, 2]})
    assert project.planned(*STAGES)["extract_cams"] == 4


def test_region_that_is_not_there_is_named(known: Project, tmp_path: Path) -> None:
    shutil.copytree(known.path, tmp_path / "project", copy_function=shutil.copy2)
    project = Project(tmp_path / "project")
    project.edit("config/tiny.yaml", lambda text: text.replace("spurious: cue", "spurious: mark"))
    run = project.snakemake("localisation")
    assert run.returncode != 0
    assert "localisation.spurious: the images have no region 'mark'" in run.stdout
    assert "Traceback" not in run.stdout


def test_own_pictures_with_masks_are_localised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a folder as people have them, on a machine without UTF-8."""
    for name, value in (("LC_ALL", "C"), ("PYTHONUTF8", "0"), ("PYTHONCOERCECLOCALE", "0")):
        monkeypatch.setenv(name, value)
    own = {**STUDY, "data": {"name": "image_folder", "root": "data/{own} *"}}
    for stage in STAGES:
        del own[stage]
    project = replace(copy_project(tmp_path / "project", own), forked=False)
    root = project.path / "data" / "{own} *"
    random = np.random.default_rng(0)
    for part, count in (("train", 12), ("test", 6)):
        for number, name in enumerate(("{kätzchen}", "dog")):
            for picture in range(count):
                pixels = random.integers(0, 256, (16, 16, 3), dtype=np.uint8)
                mask = np.zeros((16, 16), np.uint8)
                mask[4:9, 5 + 2 * number : 12] = 255
                for top, content in (("", pixels), ("masks", mask)):
                    folder = root / top / part / name
                    folder.mkdir(parents=True, exist_ok=True)
                    Image.fromarray(content).save(folder / f"{picture}.png")
    (root / "train" / "dog" / "IMG_1.HEIC").touch()
    shutil.copy(root / "train" / "dog" / "1.png", root / "test" / "dog" / "1.png")
    run = project.snakemake("results/tiny/tables/localisation.csv")
    assert run.returncode == 0, run.stdout
    end = run.stdout.partition("(100%) done")[2]
    assert "warning: data/{own} *: 1 of 37 files are ignored: 1 .heic (train/dog/IMG_1.HEIC)" in end
    assert "warning: 1 of 12 test images equal a training image in every pixel" in end
    table = read(project, "localisation")
    assert set(table["region"]) == {"object"}
    assert set(table["images"]) == {12}
    assert np.allclose(table.loc[table["score"] == "energy", "chance"], (35 + 25) / 2 / 256)
