"""What is done to jobs and nodes of the toy cluster, and what they are seen to do.

A fault hits a training in the middle: it is frozen (SIGSTOP) until the fault has come, since the
trainings of small studies take seconds.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import yaml

from tiny import Project

PATIENCE = 300  # seconds that anything may take
IMPATIENT = [sys.executable, str(Path(__file__).with_name("impatient.py"))]

Seen = TypeVar("Seen")


def await_(what: str, look: Callable[[], Seen], pause: float = 0.02) -> Seen:
    """Wait until something has happened; what was seen then."""
    deadline = time.monotonic() + PATIENCE
    while not (seen := look()):
        assert time.monotonic() < deadline, f"in {PATIENCE} s not: {what}"
        time.sleep(pause)
    return seen


def slurm(*command: str) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def facts(job: str) -> dict[str, str]:
    """What SLURM says of a job."""
    words = slurm("scontrol", "--oneliner", "show", "job", job).split()
    return dict(word.partition("=")[::2] for word in words)


def state(job: str) -> str:
    return facts(job)["JobState"]


@dataclass(frozen=True)
class Training:
    """A model on its way, as its checkpoint shows it."""

    results: Path
    name: str  # augmentation/seed

    @property
    def checkpoint(self) -> Path:
        augmentation, seed = self.name.split("/")
        return self.results / "models" / augmentation / f".{seed}.checkpoint"

    @property
    def weights(self) -> Path:
        return self.results / "models" / f"{self.name}.safetensors"

    @property
    def log(self) -> str:
        path = self.results / "logs" / "train" / f"{self.name}.log"
        return path.read_text() if path.exists() else ""

    def state(self) -> tuple[int, int]:
        """Process that owns the checkpoint, and epochs finished; (0, 0) before there is one."""
        try:
            with self.checkpoint.open("rb") as file:
                header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        except FileNotFoundError:
            return 0, 0
        about = json.loads(header["__metadata__"]["campare"])
        return int(about["owner"].split()[1]), len(about["history"])


@dataclass(frozen=True)
class Frozen:
    """A training that was stopped (SIGSTOP) in the middle, for a fault that takes its time."""

    training: Training
    process: int
    facts: dict[str, str]  # of its job, as SLURM says

    @property
    def job(self) -> str:
        return self.facts["JobId"]

    @property
    def node(self) -> str:
        return self.facts["NodeList"]

    def go_on(self) -> None:
        os.kill(self.process, signal.SIGCONT)

    def ended(self) -> bool:
        return not Path(f"/proc/{self.process}").exists()


def freeze(training: Training, epochs: int, other_than: int = 0) -> Frozen | None:
    """Stop a training if so many epochs are finished, by another process than a given one."""
    process, finished = training.state()
    if finished < epochs or process == other_than:
        return None
    os.kill(process, signal.SIGSTOP)
    return Frozen(training, process, facts(job_of(process)))


def job_of(process: int) -> str:
    """The SLURM job that a process belongs to."""
    variables = Path(f"/proc/{process}/environ").read_bytes().decode().split("\0")
    return dict(v.partition("=")[::2] for v in variables)["SLURM_JOB_ID"]


def processes_of(job: str) -> list[int]:
    """The processes of a job, SLURM's own that watch over it included."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            theirs = f"SLURM_JOB_ID={job}\0".encode() in (folder / "environ").read_bytes()
            watcher = f"slurmstepd: [{job}." in (folder / "cmdline").read_text()
        except OSError:
            continue
        if theirs or watcher:
            found.append(int(folder.name))
    return found


def kill_slurmd(cluster: Path, node: str) -> None:
    """End a node's daemon, as a crash does; its jobs run on."""
    os.kill(int((cluster / f"slurmd.{node}.pid").read_text()), signal.SIGKILL)


def kill_job(job: str) -> None:
    """End a job as if its node were gone."""
    for process in processes_of(job):
        os.kill(process, signal.SIGKILL)


def files(project: Project) -> dict[str, bytes]:
    """What a study makes, but for what holds clock times."""
    made = {}
    for path in sorted(project.results.rglob("*")):
        name = path.relative_to(project.results)
        history = name.parts[0] == "models" and name.suffix == ".csv"
        if path.is_file() and name.parts[0] not in ("logs", "benchmarks") and not history:
            made[str(name)] = path.read_bytes()
    return made


class Run:
    """`snakemake --profile slurm` at work on a project, its output in the file `output`.

    With `patient`, it polls the queue as the profile says, and not every second.
    """

    def __init__(self, project: Project, *targets: str, patient: bool = False) -> None:
        self.project = project
        link = project.path / "slurm"
        if not link.is_symlink():
            link.symlink_to("profiles/slurm")
        command = ["snakemake"] if patient else IMPATIENT
        command = [
            *command,
            *("--profile", "slurm", *targets, "--configfile", "config/tiny.yaml"),
        ]
        with (project.path / "output").open("a") as output:
            self.process = subprocess.Popen(
                command, cwd=project.path, stdout=output, stderr=subprocess.STDOUT, text=True
            )

    def output(self) -> str:
        return (self.project.path / "output").read_text()

    def finish(self) -> None:
        """Wait for the end, which must be a good one."""
        assert self.process.wait(timeout=3600) == 0, self.output()

    def submissions(self) -> dict[str, int]:
        """How many of each kind, a group's kind being what stands before its first `_`."""
        logs = re.findall(
            r"has been submitted .*?/slurm_logs/(?:rule|group)_([a-z]+)", self.output()
        )
        return dict(Counter(logs))

    def times(self) -> tuple[list[float], list[float]]:
        """Seconds that the submission of each training took, by SLURM; and its job, by itself."""
        spent, worked = [], []
        for name, job in re.findall(r"/rule_train/(\w+)/(\d+)\.log", self.output()):
            start, end = (
                datetime.fromisoformat(facts(job)[f"{key}Time"]) for key in ("Start", "End")
            )
            spent.append((end - start).total_seconds())
            augmentation, _, seed = name.rpartition("_")
            file = self.project.results / "benchmarks" / "train" / augmentation / f"{seed}.tsv"
            worked.append(float(file.read_text().splitlines()[-1].split("\t")[0]))
        return spent, worked


@dataclass(frozen=True)
class Drill:
    """A finished study, and which training each fault hit."""

    run: Run
    hit: dict[str, Frozen]


def disturb(project: Project, cluster: Path, *, patient: bool) -> Drill:
    """Run the study from nothing through every fault."""
    study = yaml.safe_load((project.path / "config" / "tiny.yaml").read_text())
    twice = Training(project.results, f"{next(iter(study['augmentations']))}/{study['seeds'][0]}")
    first = Run(project, str(twice.weights.relative_to(project.path)), patient=patient)
    older = await_(f"{twice.name} at epoch 2", lambda: freeze(twice, epochs=2))
    first.process.kill()
    first.process.wait()
    unlock = ["snakemake", "--unlock", "--configfile", "config/tiny.yaml"]
    subprocess.run(unlock, cwd=project.path, check=True, capture_output=True)

    run = Run(project, patient=patient)
    try:
        newer, (killed, orphaned, cancelled, late, preempted) = catch(project.results, older)
        older.go_on()  # two writers
        newer.go_on()
        await_("the first run's job ends", older.ended)
        await_("the second run's job ends well", lambda: state(newer.job) == "COMPLETED", 0.5)

        slurm("scancel", cancelled.job)
        # SLURM looks for jobs out of time every half minute.
        slurm("scontrol", "update", f"JobId={late.job}", "EndTime=now+1")
        urgent = ["--partition=urgent", f"--nodelist={preempted.node}", "--exclusive"]
        slurm("sbatch", *urgent, "--output=/dev/null", "--wrap=true")
        kill_slurmd(cluster, killed.node)
        kill_job(killed.job)
        try:
            for frozen in (preempted, killed, orphaned):
                await_(
                    f"{frozen.training.name} requeued",
                    lambda job=frozen.job: facts(job).get("Restarts") == "1",
                    pause=0.5,
                )
            successor = await_(
                "a requeued job goes on",
                lambda: freeze(orphaned.training, epochs=4, other_than=orphaned.process),
            )
            orphaned.go_on()  # two writers
            successor.go_on()
            await_("the orphan ends", orphaned.ended)
            await_("time limit", lambda: state(late.job) == "TIMEOUT", 0.5)
        finally:
            slurm("slurmd", "-N", killed.node)
        run.finish()
    finally:
        run.process.kill()
    hit = {
        "time limit": late,
        "scancel": cancelled,
        "preemption": preempted,
        "lost node": killed,
        "orphan": orphaned,
        "snakemake killed": older,
    }
    return Drill(run, hit)


def catch(results: Path, older: Frozen) -> tuple[Frozen, list[Frozen]]:
    """Freeze the second process of a training, and five others: two on a node, two, and one."""
    newer: list[Frozen] = []
    others: dict[str, list[Frozen]] = defaultdict(list)  # of each node
    tried = set()

    def enough() -> bool:
        for path in results.glob("models/*/.[0-9]*.checkpoint"):
            training = Training(results, f"{path.parent.name}/{path.name.split('.')[1]}")
            again = training == older.training
            found = training not in tried and freeze(training, 4 if again else 2, older.process)
            if not found:
                continue
            tried.add(training)
            if again:
                newer.append(found)
            elif len(others[found.node]) < 2:
                others[found.node].append(found)
            else:
                found.go_on()  # its place is needed
        return bool(newer) and sum(map(len, others.values())) >= 5

    await_("trainings on every node", enough)
    pairs = sorted(others.values(), key=len, reverse=True)
    return newer[0], [frozen for pair in pairs for frozen in pair][:5]
