"""What is done to jobs and nodes of the toy cluster, and what they are seen to do."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tiny import Project

PATIENCE = 300  # seconds that anything may take


def await_(what: str, happened: Callable[[], bool], pause: float = 0.02) -> None:
    """Wait until something has happened."""
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, f"in {PATIENCE} s not: {what}"
        time.sleep(pause)


def slurm(*command: str) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def facts(job: str) -> dict[str, str]:
    """What SLURM says of a job."""
    words = slurm("scontrol", "--oneliner", "show", "job", job).split()
    return dict(word.partition("=")[::2] for word in words)


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

    def reach(self, epochs: int, other_than: int = 0) -> int:
        """Wait until so many epochs are finished, by another process than a given one; its id."""
        await_(
            f"{self.name} at epoch {epochs}",
            lambda: self.state()[0] != other_than and self.state()[1] >= epochs,
        )
        return self.state()[0]


def freeze(trainings: Sequence[Training], epochs: int) -> list[int]:
    """Stop each process once so many epochs are finished, for a fault that takes its time."""
    frozen: dict[str, int] = {}

    def all_frozen() -> bool:
        for training in trainings:
            process, finished = training.state()
            if finished >= epochs and training.name not in frozen:
                os.kill(process, signal.SIGSTOP)
                frozen[training.name] = process
        return len(frozen) == len(trainings)

    await_(f"{len(trainings)} trainings at epoch {epochs}", all_frozen)
    return [frozen[training.name] for training in trainings]


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


def return_node(node: str) -> None:
    """A lost node comes back."""
    slurm("slurmd", "-N", node)


def files(project: Project) -> dict[str, bytes]:
    """What a study makes, but for what holds clock times."""
    folders = ("models/*/*.safetensors", "cams/*/*", "similarity/*/*", "tables/*", "figures/*/*")
    paths = [path for pattern in folders for path in sorted(project.results.glob(pattern))]
    return {str(path.relative_to(project.results)): path.read_bytes() for path in paths}


class Run:
    """`snakemake --profile slurm` at work on a project, its output in the file `output`."""

    def __init__(self, project: Project, *targets: str) -> None:
        self.project = project
        link = project.path / "slurm"
        if not link.is_symlink():
            link.symlink_to("profiles/slurm")
        command = ["snakemake", "--profile", "slurm", *targets, "--configfile", "config/tiny.yaml"]
        with (project.path / "output").open("a") as output:
            self.process = subprocess.Popen(
                command, cwd=project.path, stdout=output, stderr=subprocess.STDOUT, text=True
            )

    def output(self) -> str:
        return (self.project.path / "output").read_text()

    def finish(self) -> None:
        """Wait for the end, which must be a good one."""
        assert self.process.wait(timeout=3 * PATIENCE) == 0, self.output()

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
