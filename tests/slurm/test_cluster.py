"""A study on a real SLURM cluster, disturbed in every way that happens there: a local run's bytes.

Each fault hit another training in the middle; see `toy.disturb`.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from statistics import median
from typing import Any

import pytest
import yaml
from toy import Drill, Run, facts, files

from tiny import Project, pretend_gpu


def test_every_file_has_the_bytes_of_a_local_run(
    drill: Drill, undisturbed: Project, seen: list[str]
) -> None:
    expected, made = files(undisturbed), files(drill.run.project)
    assert made.keys() == expected.keys()
    assert [name for name in expected if made[name] != expected[name]] == []
    seen.append(f"{len(made)} files, {sum(map(len, made.values())):,} bytes as a local run's")


def test_small_jobs_share_submissions_and_little_is_tried_again(
    drill: Drill, undisturbed: Project, seen: list[str]
) -> None:
    models = len(list(undisturbed.results.glob("logs/train/*/*.log")))
    mapped = len(list(undisturbed.results.glob("cams/*")))
    submissions = drill.run.submissions()
    # Trained again under a new number: time limit, scancel, snakemake killed. A job that SLURM
    # starts again keeps its number.
    assert submissions == {"prepare": 1, "train": models + 3, "maps": mapped, "report": 1}
    seen.append(f"submissions, 3 of them again: {submissions}")
    spent, worked = drill.run.times()
    seen.append(
        f"a training's submission takes {median(spent):.1f} s on its node (of {len(spent)}, "
        f"median), of which the job {median(worked):.1f} s"
    )


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("time limit", "TIMEOUT"),
        ("scancel", "CANCELLED"),
        ("preemption", ""),
        ("lost node", ""),
        ("orphan", ""),
        ("snakemake killed", ""),
    ],
)
def test_training_goes_on_where_it_was(
    drill: Drill, fault: str, said: str, seen: list[str]
) -> None:
    assert said in drill.run.output()
    training = drill.hit[fault].training
    where = re.search(r"goes on after (?:epoch (\d+)|[\d,]+ images of epoch (\d+)).*", training.log)
    assert where, training.log
    assert (int(where[1]) if where[1] else int(where[2]) - 1) >= 2, "epochs were lost"
    seen.append(f"{fault}, {training.name}: {where[0]}")


@pytest.fixture(scope="module")
def refused(
    cluster: Path,
    undisturbed: Project,
    study: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Run:
    """Two trainings that ask for a GPU and find no layer to map."""
    folder = tmp_path_factory.mktemp("refused")
    project = Project(folder / "project")
    shutil.copytree(undisturbed.path, project.path, copy_function=shutil.copy2)
    text = yaml.safe_dump({**study, "cam": {"target_layer": "nowhere"}}, sort_keys=False)
    (project.path / "config" / "tiny.yaml").write_text(text)
    models = sorted(project.results.glob("models/*/*.safetensors"))[:2]
    for model in models:
        model.unlink()
    with pytest.MonkeyPatch.context() as patch:
        pretend_gpu(folder / "bin", patch)
        run = Run(project, *(str(model.relative_to(project.path)) for model in models))
        assert run.process.wait(timeout=300) == 1
    return run


def test_what_a_job_refuses_is_tried_once_and_said_at_the_end(
    refused: Run, seen: list[str]
) -> None:
    *_, said, source = [
        line for line in refused.output().splitlines() if "nowhere" in line or "from" in line
    ]
    assert said.startswith("error: cam.target_layer: no layer 'nowhere'")
    assert source.strip().startswith("(from results/tiny/logs/train/")
    assert refused.submissions() == {"train": 2}
    seen.append("refused target layer: every training submitted once, its message at the end")


def test_two_gpu_jobs_run_at_once_on_two_nodes(refused: Run, seen: list[str]) -> None:
    jobs = [facts(job) for job in re.findall(r"/rule_train/\w+/(\d+)\.log", refused.output())]
    together = {f"{job['TresPerJob']} on {job['NodeList']}" for job in jobs}
    assert together == {"gres:gpu:1 on node1", "gres:gpu:1 on node2"}
    assert max(job["StartTime"] for job in jobs) < min(job["EndTime"] for job in jobs)
    seen.append(f"at once: {' and '.join(sorted(together))}")
