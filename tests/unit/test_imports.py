"""A job imports only what it needs: most of a small study's time is imports."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "workflow" / "scripts"

TRAINING = """
import numpy as np, pandas as pd
from campare import data, train
from campare.settings import Settings
pictures = np.random.default_rng(0).integers(0, 256, (8, 16, 16, 1), dtype=np.uint8)
dataset = data.Dataset(pictures, np.arange(8) % 2, ["a", "b"], None)
split = pd.DataFrame({"index": range(8), "subset": ["train", "validation"] * 4})
settings = Settings(
    "small_cnn", 16, 1, 4, 1e-3, 0, "float32", "cpu", 1, 1, "once", "native", 0, 0, 0
)
train.train(
    settings, dataset, split, name="a/1", checkpoint=pathlib.Path(sys.argv[1]) / "checkpoint",
    code=[], progress=lambda event: None,
)
"""
MAPPING = """
import numpy as np
from campare import cams, models
network = models.build("small_cnn", classes=2, channels=1, seed=0)
for name in ("features", "features.0"):  # without a backward pass, and with one
    _, layer = models.target_layer(network, name, (1, 16, 16))
    head = models.head(network, layer, (1, 16, 16))
    pictures = np.zeros((2, 16, 16, 1), np.uint8)
    list(cams.compute(network, layer, head, pictures, mean=[0.5], std=[0.2], input_size=16))
"""
COMPARING = """
import numpy as np
from campare import similarity
from campare.similarity import Grid, MapBatch, Pairs
maps, logit = np.eye(4, dtype=np.float32)[None], np.zeros((1, 2), np.float32)
side = MapBatch(maps, logit, Grid.of((4, 4), (8, 8)))
for metric in ("overlap_20", "spearman", "msd", "kl", "class_kld"):
    similarity.measure(metric, Pairs(side, side, 1e-12))
"""


BESIDE_NETWORKS = ["torchvision", "pytorch_grad_cam", "sympy", "torch._dynamo", "matplotlib"]


@pytest.mark.parametrize(
    ("work", "unneeded"),
    [
        (TRAINING, BESIDE_NETWORKS),
        (MAPPING, BESIDE_NETWORKS),
        (COMPARING, ["torch", "matplotlib", "scipy.stats"]),
    ],
    ids=["training", "mapping", "comparing"],
)
def test_a_job_does_not_import(work: str, unneeded: list[str], tmp_path: Path) -> None:
    code = f"import pathlib, sys\nsys.path.insert(0, {str(SCRIPTS)!r})\n{work}\nprint(*sys.modules)"
    command = [sys.executable, "-c", code, tmp_path]
    imported = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert "campare" in imported
    assert not set(unneeded) & set(imported)


def test_the_page_on_the_architecture_names_every_module() -> None:
    page = (SCRIPTS.parents[1] / "docs" / "architecture.md").read_text()
    named = set(re.findall(r"`(\w+)`", page))
    package = SCRIPTS / "campare"
    modules = {path.stem for path in package.glob("*.py")} - {"__init__"}
    assert modules <= named
