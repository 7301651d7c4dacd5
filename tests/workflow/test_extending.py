"""The examples of docs/extending.md work as they stand there."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from tiny import ROOT, TINY, Project, copy_project

pytestmark = pytest.mark.workflow

PAGE = (ROOT / "docs" / "extending.md").read_text()


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def apply(project: Project, text: str) -> dict:
    """Make the code changes of a section; return the config of its last YAML block."""
    for path, code in re.findall(r"Append to `([^`]+)`:\n\n```python\n(.*?)```", text, re.DOTALL):
        project.edit(path, lambda source, code=code: source.rstrip("\n") + "\n\n\n" + code)
    for registry, path, code in re.findall(
        r"Add to `(\w+)` in `([^`]+)`:\n\n```python\n(.*?)```", text, re.DOTALL
    ):
        opening = re.compile(rf"^{registry}: .* = {{\n", re.MULTILINE)
        project.edit(
            path, lambda source, code=code, o=opening: o.sub(lambda m: m[0] + code, source)
        )
    return yaml.safe_load(re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)[-1])


def configure(project: Project, **changes: object) -> None:
    path = project.path / "config" / "tiny.yaml"
    path.write_text(yaml.safe_dump({**TINY, **changes}, sort_keys=False))


@pytest.mark.parametrize("parts", [True, False])
def test_own_images(tmp_path: Path, parts: bool) -> None:
    study = apply(copy_project(tmp_path / "page"), section("Your own images"))
    project = copy_project(tmp_path / "project", {**study, "study": "tiny"})
    random = np.random.default_rng(0)
    for part, count in (("train", 20), ("test", 6)) if parts else (("", 30),):
        for level, name in enumerate(("cat", "dog")):
            folder = project.path / "data" / "pets" / part / name
            folder.mkdir(parents=True)
            for number in range(count):
                pixels = random.integers(0, 120, (40, 50, 3)) + 120 * level
                Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{number}.jpg")
    run = project.snakemake("tables", "results/tiny/figures/boxplot/mad.png")
    assert run.returncode == 0, run.stdout
    scores = pd.read_csv(project.results / "tables" / "performance.csv")
    assert len(scores) == 5
    assert set(scores["images"]) == {12}


def test_own_augmentation_retrains_nothing_else(project: Project) -> None:
    wanted = apply(project, section("Your own augmentation"))
    configure(project, augmentations={**TINY["augmentations"], **wanted["augmentations"]})
    assert project.planned()["train"] == 2
    run = project.snakemake("results/tiny/figures/examples/invert.png", "tables")
    assert run.returncode == 0, run.stdout
    scores = pd.read_csv(project.results / "tables" / "performance.csv")
    assert "invert" in set(scores["augmentation"])


def test_own_architecture(project: Project) -> None:
    configure(project, **apply(project, section("Your own architecture")))
    run = project.snakemake("results/tiny/similarity/affine/1.parquet")
    assert run.returncode == 0, run.stdout


def test_own_metric_retrains_nothing(project: Project) -> None:
    configure(project, **apply(project, section("Your own metric")))
    jobs = project.planned()
    assert "train" not in jobs
    assert "extract_cams" not in jobs
    run = project.snakemake("results/tiny/figures/boxplot/cosine.png")
    assert run.returncode == 0, run.stdout
    cosine = pd.read_parquet(project.results / "similarity" / "affine" / "1.parquet")["cosine"]
    assert cosine.between(0, 1 + 1e-9).all()
