"""A copy of the project with a tiny study, which tests may run and edit."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import forking
from campare import columns, similarity
from campare.store import Store

ROOT = Path(__file__).parents[1]
SOURCES = ["Snakefile", "workflow", "profiles", "config"]
# The project's own logger, and the warning that pyproject.toml makes an error of tests.
ENVIRONMENT = {
    "PYTHONPATH": ":".join(filter(None, ["workflow/logger", os.environ.get("PYTHONPATH")])),
    "PYTHONWARNINGS": "error:The given NumPy array is not writable",
    "PYTHONDONTWRITEBYTECODE": "",  # compiled modules are written, as usual, where this is set, too
}

TINY = {
    "study": "tiny",
    "data": {"name": "digits"},
    "split": {"subset": {"train": 300, "test": 60}},
    "model": {"architecture": "small_cnn", "input_size": 16},
    "seeds": [1, 2],
    "augmenting": {"at": "input"},
    "augmentations": {
        "affine": {},
        "cutmix": {},
        "blur_crop": {"compose": ["gaussian_blur", {"random_crop": {"scale": [0.6, 1.0]}}]},
    },
    "training": {"epochs": 2},
    "similarity": {"metrics": ["overlap_20", "pearson", "mad", "class_kld"]},
    "figures": {"dpi": 60},
    "architectures": ["small_cnn", "resnet18_cifar"],
}


@dataclass(frozen=True)
class Project:
    """A copy of the project with a tiny study in config/tiny.yaml.

    Snakemake and its jobs are forked from a Python that has imported their libraries, if `forked`.
    """

    path: Path
    forked: bool = True

    @property
    def results(self) -> Path:
        return self.path / "results" / "tiny"

    def snakemake(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run snakemake on the tiny study; stdout and stderr come together in stdout."""
        process = self.start(*arguments)
        output, _ = process.communicate()
        return subprocess.CompletedProcess(process.args, process.returncode, output)

    def interrupted(self, sign: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The same, until `sign` is printed and somebody presses Ctrl-C."""
        process = replace(self, forked=False).start(*arguments, start_new_session=True)
        assert process.stdout
        output = ""
        while sign not in output:
            line = process.stdout.readline()
            assert line, output
            output += line
        os.killpg(process.pid, signal.SIGINT)
        output += process.communicate()[0]
        return subprocess.CompletedProcess(process.args, process.returncode, output)

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        python = forking.python() if self.forked else sys.executable
        command = [python, "-m", "snakemake", "--cores", "2", *arguments]
        return subprocess.Popen(
            [*command, "--configfile", "config/tiny.yaml"],  # last: it takes all that follows
            cwd=self.path,
            env=os.environ | ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=heed_ctrl_c,
            **options,
        )

    def planned(self, *arguments: str) -> dict[str, int]:
        """Rule → number of jobs that a dry run announces."""
        plan = self.snakemake("--dry-run", *arguments)
        assert plan.returncode == 0, plan.stdout
        return announced(plan.stdout)

    def undescribed(self) -> list[str]:
        """Tables whose columns are not exactly those of the data dictionary."""
        folders = [self.results / "tables", *self.results.glob("variants/*/tables")]
        files = {file.stem: file for folder in folders for file in folder.glob("*.csv")}
        assert files
        return [
            f"{name}: {found}, not {described}"
            for name, file in files.items()
            if (found := header(name, file)) != (described := [*columns.TABLES[name].columns])
        ]

    def edit(self, file: str, change: Callable[[str], str]) -> None:
        """Rewrite a source file; the change must change it."""
        path = self.path / file
        before = path.read_text()
        after = change(before)
        assert after != before
        path.write_text(after)


def header(table: str, file: Path) -> list[str]:
    """The columns of a table, without those of metrics."""
    names = file.read_text(encoding="utf-8").splitlines()[0].split(",")
    about = columns.TABLES[table]
    of_metrics = {name for name in names if about.metrics and columns.metric_column(name)}
    return [name for name in names if name in about.columns or name not in of_metrics]


def heed_ctrl_c() -> None:
    """In a new process, which else ignores Ctrl-C where the tests run in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def announced(output: str) -> dict[str, int]:
    """Rule → number of jobs, from the table that opens Snakemake's output."""
    jobs: dict[str, int] = {}
    lines = output.splitlines()
    if any(line.startswith("job ") for line in lines):
        start = next(i for i, line in enumerate(lines) if line.startswith("job ")) + 2
        for line in lines[start:]:
            if not line.strip() or line.startswith("total"):
                break
            rule, count = line.split()
            jobs[rule] = int(count)
    return jobs


def copy_project(target: Path, study: dict | None = None) -> Project:
    compile_kernels()
    target.mkdir(parents=True)
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            # With compiled kernels, which numba uses while their source has the same time.
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("*.pyc"))
        else:
            shutil.copy2(source, target / name)
    if (kept := ROOT / ".snakemake" / "campare").is_dir():  # by the linter, before the tests
        shutil.copytree(kept, target / ".snakemake" / "campare")
    (target / "config" / "tiny.yaml").write_text(yaml.safe_dump(study or TINY, sort_keys=False))
    return Project(target)


@cache
def compile_kernels() -> None:
    """Compile the kernels of metrics once, beside their source, not in each copy: 4 s."""
    one = np.ones(4, np.int64)
    maps = np.random.default_rng(0).standard_normal((4, 5, 5)).astype(np.float32)
    logit = np.eye(4, dtype=np.float32)
    attributes = {"study": "", "augmentation": "", "seed": 1, "split_sha256": "", "input_size": 9}
    store = Store(maps, logit, logit, one, one, one, attributes)
    metrics = ["overlap_20", "overlap_20_ties", "pearson", "spearman", "mad", "msd", "kl"]
    similarity.table(store, store, metrics, (9, 9), 1e-16)


def pretend_gpu(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """An nvidia-smi, so that `device: auto` asks for a GPU; torch then finds none and goes on."""
    folder.mkdir(parents=True)
    tool = folder / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'GPU 0: pretended (UUID: GPU-0)'\n")
    tool.chmod(0o755)
    patch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
