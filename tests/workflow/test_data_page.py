"""The example of docs/data.md: a manifest with groups and masks, and tables of its images."""

from __future__ import annotations

import csv
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from tiny import ROOT, Project, copy_project

pytestmark = pytest.mark.workflow

PAGE = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
SECTION = PAGE.split("\n## A manifest\n")[1].split("\n## ")[0]
(STUDY,) = (yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", SECTION, re.DOTALL))
(HEADER,) = (text.splitlines()[0] for text in re.findall(r"```csv\n(.*?)```", SECTION, re.DOTALL))
PLACE = Path(STUDY["data"]["root"])
TABLES = ("results/tiny/tables/subsets.csv", "results/tiny/tables/duplicates.csv")


@pytest.fixture
def scans(tmp_path: Path) -> Project:
    """A project with 12 patients, 5 images each, of which two patients' are the same images."""
    project = copy_project(tmp_path / "project", {**STUDY, "study": "tiny"})
    random = np.random.default_rng(0)
    folder = project.path / PLACE.parent
    rows = []
    for patient in range(12):
        (folder / str(patient)).mkdir(parents=True)
        for number in range(5):
            tumour = number % 2 == 1
            path = folder / str(patient) / f"{number}.png"
            pixels = random.integers(0, 256, (32, 32), dtype=np.uint8)
            Image.fromarray(pixels).save(path)
            mask = ""
            if tumour:
                mask = f"{patient}/mask {number}.png"
                Image.fromarray(pixels > 128).save(folder / mask)
            label = "tumour" if tumour else "healthy"
            rows.append([f"{patient}/{number}.png", label, f"p{patient}", mask])
    with (project.path / PLACE).open("w", newline="") as file:
        csv.writer(file).writerows([HEADER.split(","), *rows])
    return project


def test_groups_stay_whole_and_what_is_copied_between_them_is_listed(scans: Project) -> None:
    run = scans.snakemake(*TABLES)
    assert run.returncode == 0, run.stdout
    split = pd.read_csv(scans.results / "split.csv")
    subset_of = split.groupby(split["index"] // 5)["subset"].agg(set)
    assert subset_of.map(len).eq(1).all() and set.union(*subset_of) == {
        "train",
        "validation",
        "test",
    }
    counts = pd.read_csv(scans.results / "tables" / "subsets.csv").set_index("class")
    assert counts.loc["all"].sum() == 60 and (counts["test"] == [6, 4, 10]).all()
    assert pd.read_csv(scans.results / "tables" / "duplicates.csv").empty
    assert "warning" not in run.stdout and scans.planned(*TABLES) == {}

    test, train = (subset_of.index[subset_of == {name}][0] for name in ("test", "train"))
    for number in range(4):
        folder = scans.path / PLACE.parent
        shutil.copy2(folder / f"{train}/{number}.png", folder / f"{test}/{number}.png")
    scans.edit(str(PLACE), lambda text: text + "\n")  # which reads the images again
    run = scans.snakemake(*TABLES)
    assert run.returncode == 0, run.stdout
    listed = pd.read_csv(scans.results / "tables" / "duplicates.csv")
    assert listed["index"].tolist() == [5 * test + number for number in range(4)]
    assert listed["other_index"].tolist() == [5 * train + number for number in range(4)]
    assert set(listed["subset"]) == {"test"} and set(listed["other_subset"]) == {"train"}
    assert set(listed["kind"]) == {"identical"}
    assert listed["file"].tolist() == [f"{test}/{number}.png" for number in range(4)]
    assert listed["other_file"].tolist() == [f"{train}/{number}.png" for number in range(4)]
    assert "warning: 4 test image(s) equal in every pixel to training images" in run.stdout
    assert f"({test}/0.png = {train}/0.png, " in run.stdout
    assert scans.undescribed() == []

    scans.edit(str(PLACE), lambda text: text.replace("0/1.png,tumour", "0/1.png,"))
    run = scans.snakemake(*TABLES)
    assert run.returncode != 0
    assert f"error: {PLACE}, line 3: label: empty" in run.stdout and "Traceback" not in run.stdout


def test_a_study_of_a_manifest_has_all_parts_of_others(scans: Project) -> None:
    planned = scans.planned("all", "localisation")
    assert planned["measure_localisation"] == planned["train"] == 1 + 3
    assert planned["tabulate_images"] == planned["make_split"] == planned["load_data"] == 1
