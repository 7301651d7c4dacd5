"""The workflow as others start it: as a module, from another folder, into another folder."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from tiny import ENVIRONMENT, ROOT, TINY, announced, copy_project

IMPORTER = """
configfile: "mine.yaml"

module campare:
    snakefile: {snakefile!r}
    config: config["augmentation_study"]
    prefix: "campare"

use rule * from campare as campare_*

rule mine:
    default_target: True
    input: "campare/results/tiny/similarity/affine/1.parquet"
    output: "mine.txt"
    log: "mine.log"
    shell: "echo $MPLBACKEND > {{output}}"
"""


def snakemake(folder: Path, *arguments: str) -> str:
    """What a run in a folder prints; it must succeed."""
    run = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "2", *arguments],
        cwd=folder,
        env=os.environ | ENVIRONMENT | {"PYTHONPATH": str(ROOT / "workflow" / "logger")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout + run.stderr


@pytest.mark.parametrize("snakefile", ["Snakefile", "workflow/Snakefile"])
def test_a_module_plans_the_study_that_its_importer_gives(tmp_path: Path, snakefile: str) -> None:
    (tmp_path / "Snakefile").write_text(IMPORTER.format(snakefile=str(ROOT / snakefile)))
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump({"augmentation_study": TINY}))
    plan = announced(snakemake(tmp_path, "campare_all", "--dry-run"))
    own = announced(copy_project(tmp_path / "own").snakemake("--dry-run").stdout)
    assert plan == {f"campare_{name}" if name != "total" else name: n for name, n in own.items()}


def test_a_module_finds_functions_of_the_user_in_the_working_directory(tmp_path: Path) -> None:
    (tmp_path / "Snakefile").write_text(IMPORTER.format(snakefile=str(ROOT / "Snakefile")))
    study = TINY | {"augmentations": {"mine": {"use": "own/mine.py:f"}, "affine": {}}}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump({"augmentation_study": study}))
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "mine.py").write_text("def f(batch, draw):\n    return batch\n")
    plan = announced(snakemake(tmp_path, "campare_all", "--dry-run"))
    assert plan["campare_train"] == 1 + 2 * len(TINY["seeds"])


def test_a_module_runs_and_an_edit_of_no_consequence_runs_nothing_again(tmp_path: Path) -> None:
    """Without profiles/default, which an importer does not have."""
    project = copy_project(tmp_path / "campare")
    folder = tmp_path / "other"
    folder.mkdir()
    snakefile = project.path / "workflow" / "Snakefile"
    (folder / "Snakefile").write_text(IMPORTER.format(snakefile=str(snakefile)))
    (folder / "mine.yaml").write_text(yaml.safe_dump({"augmentation_study": TINY}))
    snakemake(folder)
    assert (folder / "mine.txt").read_text() == "agg\n"
    assert not (folder / "results").exists()
    for script in (project.path / "workflow" / "scripts").glob("*.py"):
        os.utime(script, (time.time() + 10, time.time() + 10))
    assert "Nothing to be done" in snakemake(folder, "--dry-run")
    module = "workflow/scripts/campare/augment/geometry.py"
    project.edit(module, lambda text: text.replace("degrees", "deg"))
    again = snakemake(folder, "--dry-run")
    assert (
        announced(again)["campare_train"] == len(TINY["seeds"])
        and "augment.geometry.affine" in again
    )


def test_the_working_directory_may_be_any(tmp_path: Path) -> None:
    """The default study is found beside the workflow, and results go where Snakemake runs."""
    jobs = announced(snakemake(ROOT, "--dry-run", "--directory", str(tmp_path)))
    (tmp_path / "below").mkdir()
    below = snakemake(tmp_path / "below", "--dry-run", "--snakefile", str(ROOT / "Snakefile"))
    assert jobs == announced(below) and jobs["train"] > 1


def test_a_module_without_a_config_has_the_default_study(tmp_path: Path) -> None:
    text = f"module campare:\n    snakefile: {str(ROOT / 'Snakefile')!r}\n\n"
    text += "use rule * from campare\n"
    (tmp_path / "Snakefile").write_text(text)
    assert announced(snakemake(tmp_path, "all", "--dry-run"))["train"] > 1
