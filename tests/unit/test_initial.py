"""The untrained network of the controls is that with which training starts."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
import torch
from test_recipes import few_digits

from campare import checkpoints, config, data, models, split, train
from campare.checkpoints import Weights
from campare.design import Design
from campare.settings import Settings

SCRIPT = Path(__file__).parents[2] / "workflow" / "scripts" / "initialise.py"


class Params(dict[str, Any]):
    """The params of a job, by name and as attributes."""

    __getattr__ = dict.__getitem__


def untrained(design: Design, images: data.Dataset, frame: pd.DataFrame, folder: Path) -> Weights:
    """The weights that the job `initialise` writes."""
    data.write(images, folder / "data.h5")
    split.write(frame, folder / "split.csv")
    given = SimpleNamespace(
        input=SimpleNamespace(data=str(folder / "data.h5"), split=str(folder / "split.csv")),
        output=SimpleNamespace(weights=str(folder / "1.safetensors")),
        params=Params(design.initial),
        log=[str(folder / "log")],
    )
    runpy.run_path(str(SCRIPT), init_globals={"snakemake": given})
    return checkpoints.read(folder / "1.safetensors")[0]


def at_start(design: Design, images: data.Dataset, frame: pd.DataFrame, folder: Path) -> Weights:
    """The weights in the checkpoint that a training writes before its first step."""
    settings = Settings.of(design.training(design.baselines[0]), frame)
    path = folder / "checkpoint"

    def stop() -> bool:
        raise KeyboardInterrupt  # the process is killed after the first step

    with pytest.raises(KeyboardInterrupt):
        train.train(
            settings,
            images,
            frame,
            name="baseline/1",
            checkpoint=path,
            code=[],
            progress=lambda _: None,
            stopping=stop,
        )
    tensors, _ = checkpoints.read(path)
    return {
        name.removeprefix("model/"): t for name, t in tensors.items() if name.startswith("model/")
    }


@pytest.mark.parametrize("normalise", ["training", "imagenet"])
@pytest.mark.parametrize("architecture", ["cifar_cnn", "small_cnn"])
def test_the_untrained_network_is_that_with_which_training_starts(
    architecture: str, normalise: str, tmp_path: Path
) -> None:
    study = {
        "study": "s",
        "data": {"name": "digits"},
        "model": {"architecture": architecture, "input_size": 16, "normalise": normalise},
        "seeds": [7],
        "vary": ["augmentation", "init"],
        "augmentations": {"affine": {}},
    }
    design = Design(config.complete(study, "study.yaml"))
    arguments = design, *few_digits(), tmp_path
    expected, made = at_start(*arguments), untrained(*arguments)
    assert made.keys() == expected.keys()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in made.items())
    built = models.build(architecture, classes=10, channels=1, seed=7).state_dict()
    changed = {name for name, tensor in made.items() if not torch.equal(tensor, built[name])}
    assert changed == ({"whitening.weight"} if architecture == "cifar_cnn" else set())
