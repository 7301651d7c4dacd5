"""The workflow on a real SLURM cluster: the bytes of a local run, few submissions, GPUs shared."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from toy import Run, facts, files, slurm

from tiny import TINY, Project, copy_project


def test_study_has_the_bytes_of_a_local_run(cluster: Path, tmp_path: Path, seen: list[str]) -> None:
    there = Run(copy_project(tmp_path / "there", TINY))
    there.finish()
    here = copy_project(tmp_path / "here", TINY)
    run = here.snakemake()
    assert run.returncode == 0, run.stdout
    assert files(there.project) == files(here)
    # The data; 7 models; the maps of baseline and 3 augmentations; the report.
    assert there.submissions() == {"prepare": 1, "train": 7, "look": 4, "report": 1}
    seen.append(f"tiny study: {there.submissions()}, {len(files(here))} files as a local run's")


def test_what_a_job_refuses_is_tried_once_and_said_at_the_end(
    cluster: Path, tmp_path: Path, seen: list[str]
) -> None:
    run = Run(copy_project(tmp_path / "project", TINY | {"cam": {"target_layer": "nowhere"}}))
    assert run.process.wait(timeout=300) == 1
    *_, said, source = [
        line for line in run.output().splitlines() if "nowhere" in line or "from" in line
    ]
    assert said.startswith("error: cam.target_layer: no layer 'nowhere'")
    assert source.strip().startswith("(from results/tiny/logs/train/")
    names = [line.split()[1] for line in run.output().splitlines() if "has been submitted" in line]
    assert len(names) == len(set(names)) == 8  # the data and each model, once
    seen.append("refused target layer: every training submitted once, its message at the end")


@pytest.fixture
def gpu_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An nvidia-smi, so that `device: auto` asks for a GPU; torch then finds none and goes on."""
    tool = tmp_path / "bin" / "nvidia-smi"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")


MODELS = [f"results/tiny/models/{name}/1.safetensors" for name in ("affine", "cutmix")]
SLOW = TINY | {"training": {"epochs": 60}}


def test_two_gpu_jobs_run_at_once_on_two_nodes(
    cluster: Path, gpu_everywhere: None, tmp_path: Path, seen: list[str]
) -> None:
    run = Run(copy_project(tmp_path / "project", SLOW), *MODELS)
    together = set()
    while run.process.poll() is None:
        running = slurm("squeue", "--noheader", "--states=RUNNING", "--format=%i").split()
        if len(running) == 2:
            asked = (f"{facts(job)['TresPerJob']} on {facts(job)['NodeList']}" for job in running)
            together.add(" and ".join(sorted(asked)))
    run.finish()
    assert together == {"gres:gpu:1 on node1 and gres:gpu:1 on node2"}
    seen.append(f"two GPU trainings at once: {together.pop()}")


def test_on_one_machine_with_one_gpu_they_queue(
    gpu_everywhere: None, tmp_path: Path, seen: list[str]
) -> None:
    project = copy_project(tmp_path / "project", SLOW)
    assert most_at_once(project, "--cores", "2") == 1
    for model in MODELS:
        (project.path / model).unlink()
    assert most_at_once(project, "--cores", "2", "--resources", "gpu=2") == 2
    seen.append("on one machine: one training at a time with one GPU, two with --resources gpu=2")


def most_at_once(project: Project, *options: str) -> int:
    """How many trainings ran at the same time, by Snakemake's own account."""
    run = project.snakemake(*MODELS, *options)
    assert run.returncode == 0, run.stdout
    running = most = 0
    for line in run.stdout.splitlines():
        running += line in ("rule train:", "localrule train:")
        running -= line.startswith("Finished jobid") and "(Rule: train)" in line
        most = max(most, running)
    return most
