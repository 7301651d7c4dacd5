"""The examples of docs/extending.md work as they are written there."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image
from safetensors import safe_open

from tiny import ROOT, Project, announced, copy_project

pytestmark = pytest.mark.workflow

PAGE = (ROOT / "docs" / "extending.md").read_text()


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def config_in(text: str) -> dict:
    """The config of the last YAML block."""
    return yaml.safe_load(re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)[-1])


def with_study(target: Path, study: dict) -> Project:
    return copy_project(target, {**study, "study": "tiny"})


def run(project: Project, *targets: str) -> dict[str, int]:
    """Make targets of the study, and return the number of jobs of each rule."""
    process = project.snakemake(*(f"results/tiny/{target}" for target in targets))
    assert process.returncode == 0, process.stdout
    return announced(process.stdout)


@pytest.mark.parametrize("parts", [True, False])
def test_own_images(tmp_path: Path, parts: bool) -> None:
    project = with_study(tmp_path / "project", config_in(section("Your own images")))
    random = np.random.default_rng(0)
    for part, count in (("train", 20), ("test", 6)) if parts else (("", 30),):
        for level, name in enumerate(("cat", "dog")):
            folder = project.path / "data" / "pets" / part / name
            folder.mkdir(parents=True)
            for number in range(count):
                pixels = random.integers(0, 120, (40, 50, 3)) + 120 * level
                Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{number}.jpg")
    # What follows a split is the same for both.
    run(
        project,
        *(("tables/performance.csv", "figures/boxplot/mad.png") if parts else ["split.csv"]),
    )
    split = pd.read_csv(project.results / "split.csv")
    assert (split["subset"] == "test").sum() == 12
    if parts:
        scores = pd.read_csv(project.results / "tables" / "performance.csv")
        assert len(scores) == 5
        assert set(scores["images"]) == {12}


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The study with one file of five functions, of which some results are made."""
    text = section("Your own functions")
    files = re.findall(r"`([^`]+)`:\n\n```(?:python|yaml)\n(.*?)```", text, re.DOTALL)
    assert [name for name, _ in files] == ["config/mine.py", "config/mine.yaml"]
    project = with_study(tmp_path_factory.mktemp("mine") / "project", config_in(text))
    (project.path / "config" / "mine.py").write_text(files[0][1])
    run(
        project,
        "tables/performance.csv",
        "figures/examples/inverted.png",
        "figures/boxplot/cosine.png",
        "tables/aggregate.parquet",
    )
    return project


@pytest.fixture
def copied(mine: Project, tmp_path: Path) -> Project:
    """A copy in another folder."""
    target = tmp_path / "elsewhere"
    shutil.copytree(mine.path, target, copy_function=shutil.copy2)
    return Project(target)


def test_a_study_with_five_functions_of_one_file(mine: Project) -> None:
    scores = pd.read_csv(mine.results / "tables" / "performance.csv")
    assert set(scores["augmentation"]) == {"baseline", "inverted", "flip_invert"}
    similarities = pd.read_parquet(mine.results / "similarity" / "inverted" / "1.parquet")
    assert similarities["cosine"].dropna().between(0, 1 + 1e-9).all()
    with h5py.File(mine.results / "data.h5") as file:
        assert file["images"].shape == (400, 16, 16, 1)
    with h5py.File(mine.results / "cams" / "inverted" / "1.h5") as file:
        assert file.attrs["method"] == "mine.py:positive_gradients"
    path = mine.results / "models" / "inverted" / "1.safetensors"
    with safe_open(path, "numpy") as file:
        assert file.get_tensor("0.weight").shape == (8, 1, 5, 5)
        about = json.loads(file.metadata()["campare"])
    assert about["settings"]["architecture"] == "mine.py:two_layers"
    assert about["settings"]["architecture_parameters"] == {"width": 8}
    assert about["settings"]["steps"] == [["mine.py:invert", {"probability": 1.0}]]
    assert {"mine.py:invert", "mine.py:two_layers"} <= {line.split()[0] for line in about["code"]}
    assert str(mine.path).encode() not in path.read_bytes()  # weights are the same anywhere


MADE = (
    "results/tiny/tables/performance.csv",
    "results/tiny/tables/aggregate.parquet",
    "results/tiny/figures/boxplot/cosine.png",
)


@pytest.mark.parametrize(
    ("old", "new", "rules"),
    [
        ("", "", {}),  # in another folder
        ('"""Cosine of', '"""The cosine of', {}),
        ("255 - batch.images", "254 - batch.images", {"train": 4, "extract_cams": 4}),
        ("gradients.relu()", "gradients", {"extract_cams": 5, "measure_similarity": 2}),
        ("where=lengths > 0", "where=lengths > 1", {"measure_similarity": 2}),
        ('"Cosine similarity"', '"Cosine"', {"plot_boxplots": 1}),
        ("-noise, noise + 1", "-noise, noise", {"load_data": 1, "train": 5}),
    ],
)
def test_an_edit_of_a_function_repeats_what_depends_on_it(
    copied: Project, old: str, new: str, rules: dict[str, int]
) -> None:
    if old != new:
        copied.edit("config/mine.py", lambda text: text.replace(old, new))
    planned = copied.planned(*MADE)
    counted = ("load_data", "train", "extract_cams", "measure_similarity", "plot_boxplots")
    first = next((rule for rule in counted if rule in planned), None)
    assert {rule: planned.get(rule, 0) for rule in rules} == rules
    assert first == next(iter(rules), None)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("def invert(", "def inverted(", "mine.py: has no function 'invert' (def …); did you mean"),
        ("-> Batch:", "-> Batch", "config/mine.py, line 16: expected ':'"),
        ("probability: float", "share: float", "invert has no parameter 'probability'"),
    ],
)
def test_mistakes_are_reported_before_any_job(
    copied: Project, old: str, new: str, message: str
) -> None:
    copied.edit("config/mine.py", lambda text: text.replace(old, new))
    process = copied.snakemake("--dry-run")
    assert process.returncode != 0
    assert "config/tiny.yaml: " in process.stdout
    assert message in process.stdout and "Traceback" not in process.stdout


def test_a_file_that_fails_is_reported_by_the_first_job_with_its_own_lines(copied: Project) -> None:
    shutil.rmtree(copied.results)
    copied.edit("config/mine.py", lambda text: text.replace("import torch\n", "import trch\n", 1))
    process = copied.snakemake("--keep-going")
    assert process.returncode != 0
    assert "config/mine.py cannot be imported:" in process.stdout
    assert "config/mine.py, line 8, in <module>" in process.stdout
    assert "ModuleNotFoundError: No module named 'trch'" in process.stdout
    assert "Traceback" not in process.stdout
    assert not list(copied.results.rglob("*.h5"))
