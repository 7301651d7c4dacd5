"""The examples of docs/extending.md work as they stand there."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from tiny import ROOT, TINY, Project, announced, copy_project

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


def configure(project: Project, *parts: dict) -> None:
    """Write the study that these make together, the last of each key counting."""
    study = {key: value for part in parts for key, value in part.items()}
    (project.path / "config" / "tiny.yaml").write_text(yaml.safe_dump(study, sort_keys=False))


@pytest.mark.parametrize("parts", [True, False])
def test_own_images_and_architecture(tmp_path: Path, parts: bool) -> None:
    page = copy_project(tmp_path / "page")
    study = {**apply(page, section("Your own images")), "study": "tiny"}
    project = copy_project(tmp_path / "project")
    configure(project, study, apply(project, section("Your own architecture")))
    random = np.random.default_rng(0)
    for part, count in (("train", 20), ("test", 6)) if parts else (("", 30),):
        for level, name in enumerate(("cat", "dog")):
            folder = project.path / "data" / "pets" / part / name
            folder.mkdir(parents=True)
            for number in range(count):
                pixels = random.integers(0, 120, (40, 50, 3)) + 120 * level
                Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{number}.jpg")
    # What follows a split is the same for both.
    targets = ("tables/performance.csv", "figures/boxplot/mad.png") if parts else ("split.csv",)
    run = project.snakemake(*(f"results/tiny/{target}" for target in targets))
    assert run.returncode == 0, run.stdout
    split = pd.read_csv(project.results / "split.csv")
    assert (split["subset"] == "test").sum() == 12
    if parts:
        scores = pd.read_csv(project.results / "tables" / "performance.csv")
        assert len(scores) == 5
        assert set(scores["images"]) == {12}


def test_own_augmentation_and_metric_retrain_nothing_else(project: Project) -> None:
    wanted = apply(project, section("Your own augmentation"))
    metric = apply(project, section("Your own metric"))
    augmentations = {**TINY["augmentations"], **wanted["augmentations"]}
    configure(project, TINY, metric, {"augmentations": augmentations})
    targets = (
        "tables/performance.csv",
        "figures/examples/darken.png",
        "figures/boxplot/cosine.png",
    )
    run = project.snakemake(*(f"results/tiny/{target}" for target in targets))
    assert run.returncode == 0, run.stdout
    jobs = announced(run.stdout)
    assert jobs["train"] == jobs["extract_cams"] == 2
    scores = pd.read_csv(project.results / "tables" / "performance.csv")
    assert "darken" in set(scores["augmentation"])
    cosine = pd.read_parquet(project.results / "similarity" / "affine" / "1.parquet")["cosine"]
    assert cosine.between(0, 1 + 1e-9).all()
