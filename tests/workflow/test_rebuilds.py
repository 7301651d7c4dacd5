"""An edit rebuilds what depends on it and nothing else."""

from __future__ import annotations

import ast
import os
import re
import time
from dataclasses import replace
from itertools import product

import pytest

from tiny import Project, announced

pytestmark = pytest.mark.workflow

PACKAGE = "workflow/scripts/campare"
MODELS = [("baseline", 1), *product(("affine", "cutmix", "blur_crop"), (1, 2))]


def add_comment(text: str) -> str:
    return f"# a comment\n{text}"


def edit_function(text: str, name: str) -> str:
    """Append a harmless statement to the start of a function's body."""
    tree = ast.parse(text)
    function = next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == name)
    first = function.body[1] if ast.get_docstring(function) else function.body[0]
    lines = text.splitlines(keepends=True)
    lines.insert(first.lineno - 1, " " * first.col_offset + "edited = True\n")
    return "".join(lines)


def test_finished_study_has_nothing_to_do_and_planning_does_not_import_torch(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every job of a cluster reads the workflow files again."""
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")
    plan = replace(project, forked=False).snakemake("--dry-run")
    assert plan.returncode == 0 and announced(plan.stdout) == {}
    imported = {line.rpartition("|")[2].strip() for line in plan.stdout.splitlines()}
    assert "campare.registry" in imported
    assert not imported & {"torch", "torchvision", "pytorch_grad_cam", "h5py", "matplotlib"}


def test_touch_and_comments_rebuild_nothing_and_a_figures_code_its_kind(project: Project) -> None:
    later = time.time() + 60
    for file in (project.path / "workflow").rglob("*.py"):
        os.utime(file, (later, later))
    project.edit(f"{PACKAGE}/train.py", add_comment)
    project.edit("workflow/scripts/plot_boxplots.py", lambda text: f"{text}\nEDITED = True\n")
    assert {rule for rule in project.planned() if rule != "all"} == {"plot_boxplots"}


def test_results_copied_without_their_times_are_touched_and_not_made_again(
    project: Project,
) -> None:
    weights = project.results / "models" / "affine" / "1.safetensors"
    before = weights.read_bytes()
    copied = time.time() - 1000
    for place, file in enumerate(sorted(project.results.rglob("*.*"), reverse=True)):
        os.utime(file, (copied + place, copied + place))
    large = ["--max-checksum-file-size", "0"]  # as if all had more than 1 MB
    assert project.planned(*large, "tables")["train"] == len(MODELS)
    touched = project.snakemake("--touch", *large)
    assert touched.returncode == 0, touched.stdout
    assert project.planned(*large) == {}
    assert weights.read_bytes() == before


def test_deleted_figure_is_redrawn_alone(project: Project) -> None:
    figure = project.results / "figures" / "boxplot" / "mad.png"
    before = figure.read_bytes()
    figure.unlink()
    run = project.snakemake(str(figure.relative_to(project.path)))
    assert run.returncode == 0, run.stdout
    assert announced(run.stdout) == {"plot_boxplots": 1}
    assert figure.read_bytes() == before


def test_a_new_seed_and_edits_of_an_augmentation_and_a_metric_retrain_what_they_must(
    project: Project,
) -> None:
    project.edit("config/tiny.yaml", lambda text: text.replace("- 2\n", "- 2\n- 3\n", 1))
    project.edit(f"{PACKAGE}/augment/occlusion.py", lambda text: edit_function(text, "cutmix"))
    project.edit(f"{PACKAGE}/similarity.py", lambda text: edit_function(text, "mad"))
    jobs = project.planned()
    # Seed 3 of each of three augmentations, and CutMix's of the two other seeds.
    assert jobs["train"] == jobs["extract_cams"] == 5
    assert jobs["measure_similarity"] == 3


def test_config_change_rebuilds_what_it_reaches(project: Project) -> None:
    project.edit("config/tiny.yaml", lambda text: text.replace("dpi: 60", "dpi: 50"))
    shown = "name: digits\n  shown: [0]"
    project.edit("config/tiny.yaml", lambda text: text.replace("name: digits", shown))
    jobs = {rule for rule in project.planned() if not rule.startswith("plot_")}
    assert jobs == {"all", "make_explorer"}


def test_another_target_layer_maps_anew_and_trains_nothing(project: Project) -> None:
    project.edit("config/tiny.yaml", lambda text: f"{text}cam: {{target_layer: features.3}}\n")
    jobs = project.planned()
    assert "train" not in jobs
    assert jobs["extract_cams"] == 7


def reasons(plan: str) -> set[str]:
    """The reasons of jobs that a dry run gives, of changed params."""
    return {
        line.partition("output: ")[2].strip()
        for line in plan.splitlines()
        if "reason: Params have changed" in line
    }


def test_a_dry_run_says_what_changed_in_one_line(project: Project) -> None:
    project.edit(f"{PACKAGE}/augment/geometry.py", lambda text: edit_function(text, "affine"))
    (reason,) = reasons(project.snakemake("--dry-run").stdout) or [""]
    digest = "'augment.geometry.affine [0-9a-f]{12}'"
    assert re.fullmatch(f"before: {digest} now: {digest}", reason)


def test_settings_that_change_places_rebuild(project: Project) -> None:
    """Snakemake alone compares the values of params as a set, without their names."""
    project.edit(
        "config/tiny.yaml",
        lambda text: text.replace("split:\n", "split:\n  validation: 0.2\n  test: 0.1\n"),
    )
    plan = project.snakemake("--dry-run")
    assert announced(plan.stdout)["make_split"] == 1
    assert any("'validation: 0.1'" in reason for reason in reasons(plan.stdout))


def test_a_new_label_of_a_column_makes_the_pages_of_tables_alone(project: Project) -> None:
    project.edit(
        f"{PACKAGE}/columns.py", lambda text: text.replace('"Accuracy"', '"Share correct"')
    )
    assert set(project.planned()) == {"make_pages", "all"}


def test_a_new_label_of_a_metric_redraws_the_figures_that_show_it(project: Project) -> None:
    project.edit(
        f"{PACKAGE}/registry.py", lambda text: text.replace('"Mean absolute difference"', '"MAD"')
    )
    jobs = project.planned()
    assert {"plot_boxplots", "plot_segments"} <= set(jobs)
    others = {rule for rule in jobs if not rule.startswith("plot_")}
    assert others == {"make_explorer", "make_pages", "all"}
    assert not {"plot_history", "plot_performance", "plot_examples"} & set(jobs)
