"""What the workflow catalog, citations and releases read, says what the project says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml

from tiny import ENVIRONMENT, TINY, copy_project

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def loaded(name: str) -> dict:
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def test_the_catalog_runs_the_study_of_the_tests() -> None:
    assert loaded(".test/config/config.yaml") == TINY


def test_the_catalog_can_draw_the_rules(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    shutil.copytree(ROOT / ".test" / "config", project.path / ".test" / "config")
    command = [sys.executable, "-m", "snakemake", "--directory", ".test", "--rulegraph"]
    run = subprocess.run(
        command, cwd=project.path, env=os.environ | ENVIRONMENT, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    assert {"train", "extract_cams", "plot_boxplots"} <= set(re.findall(r'"(\w+)"', run.stdout))


def test_the_catalog_says_what_deployment_there_is() -> None:
    usage = loaded(".snakemake-workflow-catalog.yml")["usage"]
    assert set(usage) == {"mandatory-flags", "software-stack-deployment", "report"}
    rules = "".join(path.read_text() for path in (ROOT / "workflow" / "rules").glob("*.smk"))
    assert usage["software-stack-deployment"]["conda"] == ("conda:" in rules)
    assert (ROOT / "config" / "README.md").is_file()


def test_the_citation_names_the_sources_of_the_readme() -> None:
    citation = loaded("CITATION.cff")
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]
    sources = (ROOT / "README.md").read_text(encoding="utf-8").split("## Sources")[1]
    plain = " ".join(sources.split()).lower()
    for reference in citation["references"]:
        title = " ".join(reference["title"].split()).lower()
        assert title.replace("fashion mnist", "fashion-mnist") in plain
        assert all(author["family-names"].lower() in plain for author in reference["authors"])


def test_the_changelog_opens_with_this_version() -> None:
    log = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    heading = re.search(r"^## (.*)$", log, re.MULTILINE)
    assert heading
    assert PROJECT["version"] in heading[1]


def test_hooks_and_workflows_call_targets_that_are_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    hooks = loaded(".pre-commit-config.yaml")["repos"]
    assert [each["repo"] for each in hooks] == ["local"]
    text = (ROOT / ".pre-commit-config.yaml").read_text()
    text += (ROOT / ".github" / "workflows" / "tests.yml").read_text()
    for target in re.findall(r"make ([a-z-]+)", text):
        assert re.search(rf"^{target}\b.*:", makefile, re.MULTILINE), target
