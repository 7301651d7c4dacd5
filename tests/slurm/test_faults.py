"""The default study on the cluster, disturbed in every way that happens there: the same bytes.

Each fault hits trainings in the middle. Where it takes its time, the training is frozen (SIGSTOP)
until the fault has come, since the default study's trainings take seconds.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median

import pytest
from toy import (
    Run,
    Training,
    await_,
    facts,
    files,
    freeze,
    job_of,
    kill_job,
    kill_slurmd,
    return_node,
    slurm,
)

from tiny import Project

Begin = Callable[[Sequence[str]], tuple[Run, list[Training]]]


@pytest.fixture
def begin(undisturbed: Project, cluster: Path, tmp_path: Path) -> Iterator[Begin]:
    """Start the study with models yet to be trained, and with all that depends on them."""
    runs: list[Run] = []

    def start(missing: Sequence[str]) -> tuple[Run, list[Training]]:
        path = tmp_path / "project"
        shutil.copytree(undisturbed.path, path, copy_function=shutil.copy2)
        project = Project(path)
        trainings = [Training(project.results, name) for name in missing]
        for training in trainings:
            augmentation = training.name.split("/")[0]
            for output in project.results.glob(f"models/{training.name}.*"):
                output.unlink()
            for folder in (f"cams/{augmentation}", f"similarity/{augmentation}"):
                shutil.rmtree(project.results / folder, ignore_errors=True)
        for folder in ("tables", "figures"):
            shutil.rmtree(project.results / folder)
        runs.append(Run(project))
        return runs[-1], trainings

    yield start
    for run in runs:
        run.process.kill()


def went_on(training: Training, epochs: int) -> str:
    """Where the last attempt went on; at least so many epochs were kept."""
    where = re.search(r"goes on after (?:epoch (\d+)|[\d,]+ images of epoch (\d+)).*", training.log)
    assert where, training.log
    finished = int(where[1]) if where[1] else int(where[2]) - 1
    assert finished >= epochs, training.log
    return where[0]


def same(run: Run, undisturbed: Project) -> str:
    """Compare every weight file, store, table and figure."""
    run.finish()
    expected, made = files(undisturbed), files(run.project)
    assert made.keys() == expected.keys()
    assert [name for name in expected if made[name] != expected[name]] == []
    assert not list(run.project.results.glob("models/*/.*")), "left behind"
    return f"{len(made)} files, {sum(map(len, made.values())):,} bytes as undisturbed"


def test_the_whole_study_in_at_most_40_submissions(
    cluster: Path, undisturbed: Project, tmp_path: Path, seen: list[str]
) -> None:
    path = tmp_path / "project"
    shutil.copytree(undisturbed.path, path, ignore=shutil.ignore_patterns("results", ".snakemake"))
    run = Run(Project(path))
    compared = same(run, undisturbed)
    submissions = run.submissions()
    assert submissions == {"prepare": 1, "train": 24, "look": 8, "report": 1}
    total = sum(submissions.values())
    seen.append(f"default study from nothing: {submissions}, {total} submissions; {compared}")
    spent, worked = run.times()
    seen.append(
        f"a training's submission takes {median(spent):.1f} s on its node (of {len(spent)}, "
        f"median), of which the job {median(worked):.1f} s"
    )


def test_cancelled_preempted_or_out_of_time(
    begin: Begin, undisturbed: Project, seen: list[str]
) -> None:
    run, trainings = begin(["affine/1", "elastic/2", "cutmix/3"])
    slow, cancelled, preempted = trainings

    late, doomed, victim = (job_of(process) for process in freeze(trainings, epochs=2))
    slurm("scancel", doomed)
    # SLURM looks for jobs out of time every half minute.
    slurm("scontrol", "update", f"JobId={late}", "TimeLimit=1")
    await_("time limit", lambda: facts(late)["JobState"] == "TIMEOUT", pause=0.5)

    node = facts(victim)["NodeList"]
    slurm(
        "sbatch",
        "--partition=urgent",
        f"--nodelist={node}",
        "--exclusive",
        "--output=/dev/null",
        "--wrap=sleep 5",
    )
    await_("preemption", lambda: facts(victim).get("Restarts") == "1", pause=0.5)

    compared = same(run, undisturbed)
    output = run.output()
    assert "TIMEOUT" in output
    assert "CANCELLED" in output
    assert run.submissions()["train"] == 3 + 2  # the preempted job kept its number
    for what, training in [
        ("time limit", slow),
        ("scancel", cancelled),
        (f"preempted by a job of higher priority on {node}", preempted),
    ]:
        seen.append(f"{what}, {training.name}: {went_on(training, 2)}; {compared}")


def test_a_node_is_lost_and_an_orphan_writes_on(
    begin: Begin, cluster: Path, undisturbed: Project, seen: list[str]
) -> None:
    run, (killed, orphaned) = begin(["gaussian_blur/2", "random_crop/3"])
    processes = freeze([killed, orphaned], epochs=2)
    orphan = processes[1]
    jobs = dict(zip((killed.name, orphaned.name), map(job_of, processes), strict=True))
    nodes = {facts(job)["NodeList"] for job in jobs.values()}
    assert len(nodes) == 1, "SLURM fills one node first"
    (node,) = nodes
    kill_slurmd(cluster, node)
    kill_job(jobs[killed.name])
    try:
        for job in jobs.values():
            await_("requeue", lambda job=job: facts(job).get("Restarts") == "1", pause=0.5)
        orphaned.reach(epochs=4, other_than=orphan)
        os.kill(orphan, signal.SIGCONT)  # two writers
        compared = same(run, undisturbed)
    finally:
        return_node(node)
    await_("the orphan ends", lambda: not Path(f"/proc/{orphan}").exists())
    assert run.submissions()["train"] == 2  # the requeued jobs kept their numbers
    seen.append(
        f"{node} lost with its job, {killed.name}: requeued by SLURM on the other node; "
        f"{went_on(killed, 2)}; {compared}"
    )
    seen.append(
        f"slurmd of {node} lost, {orphaned.name} runs on beside the requeued one: "
        f"{went_on(orphaned, 2)}, the orphan stopped; {compared}"
    )


def test_snakemake_is_killed_and_started_again(
    begin: Begin, undisturbed: Project, seen: list[str]
) -> None:
    run, trainings = begin(["color_jitter/1", "equalize/3"])
    first = freeze(trainings, epochs=2)
    run.process.kill()
    run.process.wait()
    unlock = ["snakemake", "--unlock", "--configfile", "config/tiny.yaml"]
    subprocess.run(unlock, cwd=run.project.path, check=True, capture_output=True)
    again = Run(run.project)
    for training, process in zip(trainings, first, strict=True):
        training.reach(epochs=4, other_than=process)
        os.kill(process, signal.SIGCONT)  # the first run's job, still there: two writers
    compared = same(again, undisturbed)
    for training, process in zip(trainings, first, strict=True):
        await_(
            "the first run's job ends",
            lambda process=process: not Path(f"/proc/{process}").exists(),
        )
        seen.append(
            f"snakemake killed and started again, {training.name} runs twice: "
            f"{went_on(training, 2)}, the older one stopped; {compared}"
        )
