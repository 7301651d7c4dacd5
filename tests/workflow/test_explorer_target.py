"""The explorer of the tiny study: its numbers are those of the tables."""

from __future__ import annotations

import base64
import gzip
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from browser import CHROMIUM, Browser
from tiny import TINY, Project

pytestmark = pytest.mark.workflow


def block(page: str, name: str) -> str:
    found = re.search(rf'id="(?:block-)?{name}">(.*?)</script>', page, re.S)
    assert found
    return found[1]


def test_metrics_are_those_of_the_aggregate(finished: Project) -> None:
    page = (finished.results / "explorer.html").read_text(encoding="utf-8")
    about = json.loads(block(page, "about"))
    assert about["count"] == TINY["split"]["subset"]["test"]
    entries = about["values"]
    assert [entry["name"] for entry in entries] == TINY["similarity"]["metrics"]
    content = gzip.decompress(base64.b64decode(block(page, "values")))
    values = np.frombuffer(content, np.uint16).reshape(about["arrays"]["values"]["shape"])
    assert "tables/performance.html" in about["tables"]
    assert all((finished.results / file).exists() for file in about["tables"])
    data = (finished.results / "explorer_data").iterdir()
    assert {path.name for path in data} <= {".snakemake_timestamp"}  # all data are in the page
    table = pd.read_parquet(finished.results / "tables" / "aggregate.parquet")
    for group in about["groups"]:
        if group["kind"] != "augmentation":
            continue
        own = table[table["augmentation"] == group["name"]].sort_values("index")
        for entry, coded in zip(entries, values[:, group["models"]], strict=True):
            scale = entry["scale"]
            numbers = np.where(coded == 65535, np.nan, scale["low"] + scale["step"] * coded)
            np.testing.assert_allclose(
                np.nanmean(numbers, axis=0), own[entry["name"]], atol=scale["step"]
            )


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_the_page_opens_from_a_file(finished: Project, tmp_path: Path) -> None:
    table = pd.read_parquet(finished.results / "tables" / "aggregate.parquet")
    own = table[table["augmentation"] == "affine"].set_index("index")["mad"]
    with Browser(tmp_path) as browser:
        browser.open((finished.results / "explorer.html").as_uri())
        browser.state("#view=images&sort=mad&of=affine")
        shown = browser.run("+document.querySelector('.rows .number[data-sort]').textContent")
        assert shown == pytest.approx(own.max(), abs=0.0011)
        assert browser.errors == []


def test_another_script_of_the_page_makes_the_page_again_and_nothing_else(
    project: Project,
) -> None:
    project.edit("workflow/explorer/images.js", lambda text: text + "\n// another line\n")
    assert set(project.planned()) == {"make_explorer", "all"}


def test_a_second_run_gives_the_same_bytes(project: Project) -> None:
    path = project.results / "explorer.html"
    before = path.read_bytes()
    path.unlink()
    run = project.snakemake("results/tiny/explorer.html")
    assert run.returncode == 0, run.stdout
    assert path.read_bytes() == before
