"""The files for a paper about the tiny study, and when they are made again."""

from __future__ import annotations

import re
import shutil
import subprocess

import pandas as pd
import pytest

from campare.paper import references
from tiny import Project

pytestmark = pytest.mark.workflow


@pytest.fixture(scope="module")
def paper(
    finished: Project, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Project, dict[str, int]]:
    """A copy of the finished study with its paper, and the jobs that this took."""
    target = tmp_path_factory.mktemp("paper") / "project"
    shutil.copytree(finished.path, target, copy_function=shutil.copy2)
    project = Project(target)
    planned = project.planned("paper")
    run = project.snakemake("paper")
    assert run.returncode == 0, run.stdout
    return project, planned


def test_only_the_paper_is_made_and_only_on_request(
    paper: tuple[Project, dict[str, int]], finished: Project
) -> None:
    project, planned = paper
    assert all(name.startswith(("print_", "write_", "paper")) for name in planned)
    assert not (finished.results / "paper").exists()
    assert project.planned("all") == {} and project.planned("paper") == {}


def test_tables_figures_and_texts_belong_together(
    paper: tuple[Project, dict[str, int]],
) -> None:
    folder = paper[0].results / "paper"
    document = (folder / "paper.tex").read_text(encoding="utf-8")
    included = re.findall(r"\\(?:input|includegraphics)\{([^}]+)\}", document)
    assert included and all((folder / name).exists() for name in included)
    drawn = {str(path.relative_to(folder)) for path in folder.rglob("*.pdf")}
    assert drawn == {name for name in included if name.endswith(".pdf")}
    assert {
        "figures/boxplot/overlap_20_one_column.pdf",
        "figures/sets/sets_two_columns.pdf",
    } <= drawn
    for path in folder.rglob("*.pdf"):
        content = path.read_bytes()
        assert b"/FontFile2" in content and b"/Type3" not in content

    methods = (folder / "methods.md").read_text(encoding="utf-8")
    bibliography = (folder / "references.bib").read_text(encoding="utf-8")
    keys = re.findall(r"^@\w+\{(\w+),", bibliography, re.MULTILINE)
    assert keys == references.cited(methods)
    assert {"selvaraju2017", "yun2019", "kingma2015", "campare"} <= set(keys)
    assert "270 images for training, 30 for validation and 60 for the test" in methods
    assert "Two networks were trained with each of three augmentations (seeds 1 and 2)" in methods
    assert re.search(r"The \d+ jobs of the study took [\d.]+ (seconds|minutes)", methods)

    scores = pd.read_csv(folder.parent / "tables" / "performance_summary.csv")
    accuracy = scores.query("augmentation == 'cutmix' and score == 'accuracy'")["mean"].iloc[0]
    table = (folder / "tables" / "performance.md").read_text(encoding="utf-8")
    assert re.search(rf"^\| CutMix \| 2 \| {100 * accuracy:.1f} ± ", table, re.MULTILINE)


def test_the_document_compiles(paper: tuple[Project, dict[str, int]]) -> None:
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed")
    folder = paper[0].results / "paper"
    run = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"],
        cwd=folder,
        capture_output=True,
        text=True,
        errors="replace",
    )
    assert run.returncode == 0, run.stdout[-3000:]
    for end in ("pdf", "aux", "log"):
        (folder / f"paper.{end}").unlink()


def test_another_power_writes_the_texts_again_and_draws_nothing(
    paper: tuple[Project, dict[str, int]],
) -> None:
    project, _ = paper
    config = project.path / "config" / "tiny.yaml"
    before = config.read_text()
    config.write_text(before + "paper: {core_power: 20}\n")
    try:
        assert set(project.planned("paper")) == {"write_methods", "write_tables", "paper"}
        assert project.planned("all") == {}
    finally:
        config.write_text(before)
