"""A tiny study with most stages on a GPU, jobs sharing it."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest
import torch

from campare import store
from tiny import TINY, copy_project

DEVICE = os.environ.get("CAMPARE_TEST_DEVICE", "cuda")
pytestmark = [
    pytest.mark.cuda,
    pytest.mark.workflow,
    pytest.mark.skipif(DEVICE == "cuda" and not torch.cuda.is_available(), reason="no GPU"),
]

STUDY = TINY | {
    "seeds": [1],
    "augmentations": {"cutmix": {}, "saliencymix": {}},
    "training": {"epochs": 2, "cuda_graph": True, "optimizer": "sgd", "schedule": "one_cycle"},
    "compute": {"device": DEVICE},
    "similarity": {"metrics": ["overlap_20", "pearson", "mad"], "device": DEVICE},
    "faithfulness": {"images": 4, "steps": 2, "road": [0.5]},
    "hybrid": {"network": "small_cnn"},
    "occlusion": {"sizes": [4]},
    "figures": {"dpi": 60, "formats": ["png"]},
}
STAGES = ("faithfulness", "hybrid", "occlusion")
# The jobs that use the GPU, without the tables and figures after them.
LAST = (
    *("measure_faithfulness", "measure_similarity", "measure_occluded", "map_hybrid"),
    "tabulate_performance",
)


def test_a_study_runs_on_a_gpu(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project", STUDY)
    options = ("--cores", "12", "--resources", "gpu=6", "--until", *LAST)
    run = project.snakemake("tables", *STAGES, *options)
    assert run.returncode == 0, run.stdout
    stores = [store.read(path) for path in project.results.glob("cams/*/*.h5")]
    assert {each.attributes["device"] for each in stores} == {DEVICE}
    assert len(pd.read_csv(project.results / "tables" / "performance.csv")) > 0
