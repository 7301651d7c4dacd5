"""Jobs run wherever Snakemake was started, within the memory of the machine, on its GPUs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
from snakemake.exceptions import WorkflowError

import startup
from campare import hardware

SCRIPTS = Path(startup.__file__).parent
SNAKEFILE = f"""
import sys

sys.path.insert(0, {str(SCRIPTS)!r})
import startup

startup.hardware.memory = lambda: 1000
startup.find_python(workflow)
startup.limit(workflow)
shell.prefix(startup.PREFIX)


rule all:
    input:
        "600",
        "700",
        "9000",


rule report:
    output:
        "{{mb}}",
    resources:
        mem_mb=lambda wildcards: int(wildcards.mb),
    script:
        "report.py"
"""
REPORT = """
import json, os, sys, time
from pathlib import Path

import matplotlib.pyplot as plt

start = time.time()
plt.figure()
time.sleep(0.2)
settings = {
    "backend": plt.get_backend(),
    "utf8": sys.flags.utf8_mode,
    "inherited": sorted(set(os.environ) & {"OMP_THREAD_LIMIT", "OMP_DYNAMIC", "NUMBA_DISABLE_JIT"}),
    "at": [start, time.time()],
}
print("×")
Path(snakemake.output[0]).write_text(json.dumps(settings))
"""
HOSTILE = {
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "OMP_THREAD_LIMIT": "1",
    "OMP_DYNAMIC": "TRUE",
    "NUMBA_DISABLE_JIT": "1",
    "PYTHONIOENCODING": "ascii",
    "PYTHONUTF8": "0",
}


def test_jobs_run_from_a_notebook_in_any_folder_and_share_the_memory(tmp_path: Path) -> None:
    project = tmp_path / """it's "my" (own) [study] & $HOME `x` {mb}; проект"""
    project.mkdir()
    (project / ".venv").symlink_to(sys.prefix)
    (project / "Snakefile").write_text(SNAKEFILE, encoding="utf-8")
    (project / "report.py").write_text(REPORT, encoding="utf-8")
    run = subprocess.run(
        [project / ".venv/bin/python", "-m", "snakemake", "--cores", "3"],
        cwd=project,
        env=os.environ | HOSTILE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    jobs = [json.loads((project / name).read_text()) for name in ("600", "700", "9000")]
    for job in jobs:
        assert (job["backend"], job["utf8"], job["inherited"]) == ("agg", 1, [])
    # 600 and 700 of 1,000 MB do not fit together; a request of 9,000 MB runs alone.
    for before, after in pairwise(sorted(job["at"] for job in jobs)):
        assert before[1] <= after[0]


def workflow(main: bool = True, nodes: int | None = None, **resources: int) -> SimpleNamespace:
    return SimpleNamespace(is_main_process=main, nodes=nodes, global_resources=resources)


@pytest.mark.parametrize("character", '"$`%\\')
def test_paths_that_a_submission_cannot_quote_are_refused(character: str, tmp_path: Path) -> None:
    project = SimpleNamespace(basedir=tmp_path / f"a{character}b", nodes=100)
    with pytest.raises(WorkflowError, match=r"cannot be submitted .* in its name; rename it"):
        startup.find_python(project)
    project.nodes = None
    startup.find_python(project)


def test_limits_are_those_of_the_machine_unless_the_user_sets_others() -> None:
    plain = workflow()
    startup.limit(plain)
    assert plain.global_resources == {"gpu": 1, "share": 100, "mem_mb": hardware.memory()}
    named = workflow(mem_mb=5000)
    startup.limit(named)
    assert named.global_resources == {"gpu": 1, "share": 100, "mem_mb": 5000}
    for elsewhere in (workflow(nodes=100), workflow(main=False)):  # SLURM; its job
        startup.limit(elsewhere)
        assert elsewhere.global_resources == {"gpu": 1, "share": 100}


def test_the_presence_of_a_gpu_is_checked_once_and_jobs_inherit_the_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    warnings: list[str] = []
    monkeypatch.setattr(startup.logger, "warning", warnings.append)
    monkeypatch.setenv(startup.ANSWER, "1")  # from a run that started this one
    monkeypatch.setattr(hardware, "gpu", lambda: (False, "nvidia-smi: no driver"))
    assert not startup.has_gpu(workflow(), "auto")
    assert not startup.has_gpu(workflow(main=False), "auto")
    assert len(warnings) == 1 and "no driver" in warnings[0]
    monkeypatch.setattr(hardware, "gpu", lambda: (True, ""))
    assert not startup.has_gpu(workflow(main=False), "auto")
    assert startup.has_gpu(workflow(), "auto")
    monkeypatch.setattr(hardware, "gpu", lambda: (False, ""))
    assert startup.has_gpu(workflow(main=False), "auto")
    assert startup.has_gpu(workflow(), "cuda") and not startup.has_gpu(workflow(), "cpu")
