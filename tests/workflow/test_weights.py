"""A network of timm that starts with a user's weights, and when it is trained again."""

from __future__ import annotations

import copy
import os
import shutil
from pathlib import Path

import pytest
import torch

from campare import checkpoints, models
from tiny import TINY, copy_project

pytestmark = pytest.mark.workflow


def test_other_weights_retrain_and_the_same_elsewhere_do_not(tmp_path: Path) -> None:
    network = models.build("timm:test_resnet", classes=1000, channels=3, seed=9)
    torch.save(network.state_dict(), tmp_path / "weights.pth")
    study = copy.deepcopy(TINY) | {
        "augmentations": {},
        "training": {"epochs": 1, "learning_rate": 1e-12},
        "model": {
            "architecture": "timm:test_resnet",
            "input_size": 64,
            "weights": str(tmp_path / "weights.pth"),
            "normalise": "imagenet",
        },
        "architectures": ["timm:test_resnet", "small_cnn"],
        "controls": {"uninformative": True},
    }
    project = copy_project(tmp_path / "project", study)
    targets = [
        "results/tiny/cams/baseline/1.h5",
        "results/tiny/cams/untrained/1.h5",
        "results/tiny/architectures/timm:test_resnet.safetensors",
    ]
    run = project.snakemake(*targets)
    assert run.returncode == 0, run.stdout
    log = (project.results / "logs" / "train" / "baseline" / "1.log").read_text()
    assert "initial weights: " in log and "summed over RGB for grey images: conv1.0.weight" in log
    assert "replaced for 10 classes, with initial weights of the seed: fc.weight, fc.bias" in log
    trained, about = models.load(
        project.results / "models" / "baseline" / "1.safetensors",
        "timm:test_resnet",
        classes=10,
        channels=1,
    )
    for name, weight in network.named_parameters():
        if not name.startswith(("fc", "conv1.0")):
            torch.testing.assert_close(trained.get_parameter(name), weight, atol=1e-7, rtol=0)
    untrained = project.results / "models" / "untrained" / "1.safetensors"
    _, other = models.load(untrained, "timm:test_resnet", classes=10, channels=1)
    assert about["mean"] == other["mean"] == pytest.approx([0.449])
    assert project.planned(*targets) == {}

    shutil.copy(tmp_path / "weights.pth", tmp_path / "moved.pth")
    project.edit("config/tiny.yaml", lambda text: text.replace("weights.pth", "moved.pth"))
    assert project.planned(*targets) == {}
    checkpoints.save(tmp_path / "moved.pth", network.state_dict(), {})  # other bytes
    os.utime(tmp_path / "moved.pth", (0, 0))
    planned = project.planned(*targets)
    assert (planned["train"], planned["train_architecture"]) == (1, 1)
    assert "initialise" not in planned
    (tmp_path / "moved.pth").unlink()
    refused = project.snakemake("--dry-run", *targets)
    assert refused.returncode != 0
    assert "config/tiny.yaml: model.weights: there is no file" in refused.stdout
