"""The workflow on a real SLURM cluster gives the bytes of a local run, also after a fault."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from tiny import TINY, Project, copy_project

TRAINING = {**TINY, "training": {"epochs": 150}}  # long enough to be cancelled in the middle
MODEL = "results/tiny/models/affine/1.safetensors"


def on_cluster(path: Path, study: dict) -> Project:
    project = copy_project(path, study)
    (project.path / "slurm").symlink_to("profiles/slurm")
    return project


def submit(project: Project, *targets: str) -> subprocess.Popen[str]:
    """`snakemake --profile slurm` in the background, its output in the file `output`."""
    command = ["snakemake", "--profile", "slurm", *targets, "--configfile", "config/tiny.yaml"]
    with (project.path / "output").open("w") as output:
        return subprocess.Popen(
            command, cwd=project.path, stdout=output, stderr=subprocess.STDOUT, text=True
        )


def finish(project: Project, run: subprocess.Popen[str]) -> str:
    """Wait for the end, which must be a good one; what snakemake printed."""
    code = run.wait(timeout=600)
    output = (project.path / "output").read_text()
    assert code == 0, output
    return output


def files(project: Project) -> dict[str, bytes]:
    """What a study makes, but for what holds clock times."""
    folders = ("models/*/*.safetensors", "cams/*/*", "similarity/*/*", "tables/*", "figures/*/*")
    paths = [path for pattern in folders for path in sorted(project.results.glob(pattern))]
    return {str(path.relative_to(project.results)): path.read_bytes() for path in paths}


def test_study_has_the_bytes_of_a_local_run(cluster: Path, tmp_path: Path) -> None:
    there = on_cluster(tmp_path / "there", TINY)
    output = finish(there, submit(there))
    assert output.count("has been submitted with SLURM jobid") == 34
    here = copy_project(tmp_path / "here", TINY)
    run = here.snakemake()
    assert run.returncode == 0, run.stdout
    assert files(there) == files(here)


def test_cancelled_training_goes_on_and_ends_with_the_same_bytes(
    cluster: Path, tmp_path: Path
) -> None:
    there = on_cluster(tmp_path / "there", TRAINING)
    run = submit(there, MODEL)
    log = there.results / "logs" / "train" / "affine" / "1.log"
    deadline = time.monotonic() + 120
    while "epoch 20/150" not in (log.read_text() if log.exists() else ""):
        assert time.monotonic() < deadline, (there.path / "output").read_text()
        time.sleep(0.1)
    subprocess.run(["scancel", "--state=RUNNING", "--user=root"], check=True)
    finish(there, run)
    assert "goes on after epoch" in log.read_text()
    here = copy_project(tmp_path / "here", TRAINING)
    alone = here.snakemake(MODEL)
    assert alone.returncode == 0, alone.stdout
    assert (there.path / MODEL).read_bytes() == (here.path / MODEL).read_bytes()
