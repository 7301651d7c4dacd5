"""Bad input: one clear message, a non-zero exit, nothing lost and nothing half-written."""

from __future__ import annotations

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
    assert "seeds: stands there twice" in output


def test_a_second_study_of_the_name_is_refused(project: Project) -> None:
    shutil.copy2(project.path / "config/tiny.yaml", project.path / "config/a-first.yaml")
    record = project.results / ".config"
    assert record.read_text() == "config/tiny.yaml\n"  # by the run that made the results
    record.write_text("config/a-first.yaml\n")
    output = refused(project, "--dry-run")
    assert "config/tiny.yaml: study: tiny is also the name of the study in config/a-first" in output
    assert record.read_text() == "config/a-first.yaml\n"


def test_missing_data_offline_says_what_to_put_where(tmp_path: Path) -> None:
    project = fresh(tmp_path, data={"name": "image_folder", "root": "pictures"})
    assert "pictures" in refused(project)
    assert not (project.results / "data.h5").exists()


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


def test_cuda_asked_for_and_absent(project: Project) -> None:
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    output = refused(
        project,
        "results/tiny/models/baseline/1.safetensors",
        "--config",
        "compute={device: cuda, threads: 1}",
    )
    assert "compute.device" in output
    assert "cpu" in output


def test_unknown_target_layer_lists_candidates(project: Project) -> None:
    target = "results/tiny/cams/baseline/1.h5"
    output = refused(project, target, "--config", "cam={target_layer: nowhere}")
    assert "nowhere" in output
    assert "cam.target_layer" in output


def test_layer_without_extent_stops_before_training(tmp_path: Path) -> None:
    project = fresh(tmp_path, model={"architecture": "resnet18", "input_size": 32})
    output = refused(project)
    assert "single pixel" in output
    assert "resnet18_cifar" in output
    assert not list((project.results / "models").rglob("*.*"))


def test_truncated_store_is_named_and_kept(project: Project) -> None:
    store = project.results / "cams" / "affine" / "1.h5"
    half = store.read_bytes()[: store.stat().st_size // 2]
    store.write_bytes(half)
    output = refused(project, "results/tiny/similarity/affine/1.parquet")
    assert "cams/affine/1.h5" in output
    assert store.read_bytes() == half


def test_stores_of_different_images_are_refused(project: Project) -> None:
    with h5py.File(project.results / "cams" / "affine" / "1.h5", "r+") as store:
        store["index"][0] += 1
    output = refused(project, "results/tiny/similarity/affine/1.parquet")
    assert "cams/affine/1.h5" in output
    assert "cams/baseline/1.h5" in output


@pytest.mark.parametrize(
    ("file", "target"),
    [
        ("data.h5", "split.csv"),
        ("models/affine/1.safetensors", "cams/affine/1.h5"),
        ("similarity/affine/1.parquet", "tables/segments.csv"),
        ("tables/correlation.csv", "figures/correlation/mad.png"),
    ],
)
def test_truncated_file_is_named(project: Project, file: str, target: str) -> None:
    path = project.results / file
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert file in refused(project, f"results/tiny/{target}")


def test_truncated_checkpoint_is_named_and_kept(project: Project) -> None:
    shutil.rmtree(project.results / "models" / "affine")
    checkpoint = project.results / "models" / "affine" / ".1.checkpoint"
    checkpoint.parent.mkdir()
    checkpoint.write_bytes(b"half")
    output = refused(project, "results/tiny/models/affine/1.safetensors")
    assert "models/affine/.1.checkpoint" in output
    assert checkpoint.exists()


def test_class_too_small_to_split_is_named(tmp_path: Path) -> None:
    project = fresh(tmp_path, data={"name": "image_folder", "root": "pictures"}, split={})
    for name, count in (("cat", 20), ("rare", 1)):
        folder = project.path / "pictures" / name
        folder.mkdir(parents=True)
        for number in range(count):
            Image.new("L", (16, 16), number).save(folder / f"{number}.png")
    assert "'rare'" in refused(project)


def test_loss_that_turns_nan_stops_the_job(tmp_path: Path) -> None:
    study = yaml.safe_load(yaml.safe_dump(TINY))
    study["training"]["learning_rate"] = 1e30
    project = copy_project(tmp_path / "project", study)
    output = refused(project, "results/tiny/models/baseline/1.safetensors")
    assert "training.learning_rate" in output
    assert not (project.results / "models" / "baseline" / "1.safetensors").exists()


def test_what_a_job_refuses_is_not_tried_again_and_ends_the_output(project: Project) -> None:
    target = "results/tiny/models/affine/1.safetensors"
    (project.path / target).unlink()
    layer = ["--config", "cam={target_layer: nowhere}"]
    output = refused(project, target, "--retries", "2", *layer)
    assert "Trying to restart" not in output
    end = output.partition("Exiting because a job execution failed")[2].splitlines()
    assert end[1].startswith("error: cam.target_layer: no layer 'nowhere'")
    assert end[2] == "  (from results/tiny/logs/train/affine/1.log)"


def test_what_may_pass_is_tried_again(project: Project) -> None:
    """A job that dies without a word, as when its node is lost."""
    target = "results/tiny/models/affine/1.safetensors"
    (project.path / target).unlink()
    project.edit(
        "workflow/scripts/train_model.py",
        lambda text: text.replace(
            "asked_to_stop = Event()",
            "asked_to_stop = Event()\n"
            "marker = Path('died')\n"
            "if not marker.exists():\n"
            "    marker.touch()\n"
            "    signal.raise_signal(signal.SIGKILL)\n",
        ),
    )
    run = project.snakemake(target, "--retries", "2")
    assert run.returncode == 0, run.stdout
    assert run.stdout.count("Trying to restart") == 1
