"""Bad input: one clear message, a non-zero exit, nothing lost and nothing half-written."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import h5py
import pytest
import yaml
from PIL import Image

from tiny import TINY, Project, copy_project

pytestmark = pytest.mark.workflow


def refused(project: Project, *arguments: str) -> str:
    """Run what must fail; return what the user sees. No traceback may be in it."""
    run = project.snakemake(*arguments)
    assert run.returncode != 0, run.stdout
    assert "Traceback" not in run.stdout
    return run.stdout


def fresh(tmp_path: Path, **changes: object) -> Project:
    return copy_project(tmp_path / "project", {**TINY, **changes})


def test_misspelt_key_stops_before_any_job(tmp_path: Path) -> None:
    project = fresh(tmp_path, trainig={"epochs": 1})
    output = refused(project)
    assert "config/tiny.yaml: trainig: unknown key; did you mean 'training'?" in output
    assert not project.results.exists()


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    project = fresh(tmp_path)
    project.edit("config/tiny.yaml", lambda text: f"{text}seeds: [7]\n")
    assert "config/tiny.yaml: line" in (output := refused(project))
    assert "seeds: given twice" in output


def test_a_second_study_of_the_name_is_refused(project: Project) -> None:
    shutil.copy2(project.path / "config/tiny.yaml", project.path / "config/a-first.yaml")
    record = project.results / ".config"
    assert record.read_text() == "config/tiny.yaml\n"  # by the run that made the results
    record.write_text("config/a-first.yaml\n")
    output = refused(project, "--dry-run")
    assert "config/tiny.yaml: study: tiny is also the name of the study in config/a-first" in output
    assert record.read_text() == "config/a-first.yaml\n"


def test_unreadable_picture_is_named(tmp_path: Path) -> None:
    project = fresh(tmp_path, data={"name": "image_folder", "root": "pictures"})
    for name in ("cat", "dog"):
        folder = project.path / "pictures" / name
        folder.mkdir(parents=True)
        for number in range(10):
            Image.new("RGB", (16, 16), (number, 9, 9)).save(folder / f"{number}.png")
    broken = project.path / "pictures" / "dog" / "3.png"
    broken.write_bytes(broken.read_bytes()[:40])
    assert "pictures/dog/3.png" in refused(project)


def test_unknown_target_layer_lists_candidates(project: Project) -> None:
    target = "results/tiny/cams/baseline/1.h5"
    output = refused(project, target, "--config", "cam={target_layer: nowhere}")
    assert "nowhere" in output
    assert "cam.target_layer" in output


def test_layer_without_extent_stops_before_training(project: Project) -> None:
    shutil.rmtree(project.results / "models")
    study = TINY | {"model": {"architecture": "resnet18", "input_size": 32}}
    (project.path / "config" / "tiny.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
    output = refused(project)
    assert "single pixel" in output
    assert "resnet18_cifar" in output
    assert not list((project.results / "models").rglob("*.*"))


# What is damaged → what is asked for, and the files that the message must name.
DAMAGED = {
    "cams/affine/1.h5": ("similarity/affine/1.parquet", []),
    "cams/cutmix/1.h5": ("similarity/cutmix/1.parquet", ["cams/baseline/1.h5"]),
    "models/blur_crop/1.safetensors": ("cams/blur_crop/1.h5", []),
    "models/affine/.3.checkpoint": ("models/affine/3.safetensors", []),
}


@pytest.fixture(scope="module")
def damaged(
    finished: Project, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Project, dict[str, bytes], str]:
    """A project with these files halved, but for a store of other images; they; and what is said.

    A job may be tried again twice.
    """
    project = Project(tmp_path_factory.mktemp("damaged") / "project")
    shutil.copytree(finished.path, project.path, copy_function=shutil.copy2)
    (project.results / "models" / "affine" / ".3.checkpoint").write_bytes(b"whole")
    for file in DAMAGED:
        path = project.results / file
        if file == "cams/cutmix/1.h5":
            with h5py.File(path, "r+") as store:
                store["index"][0] += 1
        else:
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    contents = {file: (project.results / file).read_bytes() for file in DAMAGED}
    targets = [f"results/tiny/{target}" for target, _ in DAMAGED.values()]
    return project, contents, refused(project, "--keep-going", "--retries", "2", *targets)


@pytest.mark.parametrize("file", DAMAGED)
def test_damaged_file_is_named_and_kept(
    damaged: tuple[Project, dict[str, bytes], str], file: str
) -> None:
    project, contents, output = damaged
    (message,) = {line for line in output.splitlines() if line[:7] == "error: " and file in line}
    assert all(other in message for other in DAMAGED[file][1])
    assert (project.results / file).read_bytes() == contents[file]


def test_what_a_job_refuses_is_not_tried_again_and_ends_the_output(
    damaged: tuple[Project, dict[str, bytes], str],
) -> None:
    *_, output = damaged
    assert "Trying to restart" not in output
    end = output.partition("Exiting because a job execution failed")[2].splitlines()[1:]
    messages, sources = (end[first : 2 * len(DAMAGED) : 2] for first in (0, 1))
    assert all(line.startswith("error: ") for line in messages)
    assert sorted(sources) == [
        "  (from results/tiny/logs/cams/blur_crop/1.log)",
        "  (from results/tiny/logs/similarity/affine.log)",
        "  (from results/tiny/logs/similarity/cutmix.log)",
        "  (from results/tiny/logs/train/affine/3.log)",
    ]


def test_damaged_tables_are_named(project: Project) -> None:
    """Their times are as before, so that nothing before them is made anew."""
    damaged = ("similarity/affine/1.parquet", "tables/correlation.csv")
    for file in damaged:
        path = project.results / file
        times = path.stat()
        path.write_bytes(path.read_bytes()[: times.st_size // 2])
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    targets = ["tables/segments.csv", "figures/correlation/mad.png"]
    for target in targets:
        (project.results / target).unlink()
    output = refused(project, "--keep-going", *(f"results/tiny/{target}" for target in targets))
    assert all(file in output for file in damaged)


def test_what_may_pass_is_tried_again(project: Project) -> None:
    """A job that dies without a word, as when its node is lost."""
    target = "results/tiny/models/affine/1.safetensors"
    (project.path / target).unlink()
    project.edit(
        "workflow/scripts/train_model.py",
        lambda text: text.replace(
            "    dataset, frame = training.inputs()\n",
            "    dataset, frame = training.inputs()\n"
            "    from pathlib import Path\n"
            "    marker = Path('died')\n"
            "    if not marker.exists():\n"
            "        import os, signal\n"
            "        marker.touch()\n"
            "        os.kill(os.getpid(), signal.SIGKILL)\n",
        ),
    )
    run = project.snakemake(target, "--retries", "2")
    assert run.returncode == 0, run.stdout
    assert run.stdout.count("Trying to restart") == 1
