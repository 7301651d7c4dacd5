"""Ctrl-C in a terminal: the run says that it stopped, and the same command goes on."""

from __future__ import annotations

import pytest

from tiny import Project

pytestmark = pytest.mark.workflow


def test_a_run_that_ctrl_c_stops_goes_on_by_the_same_command_to_the_same_bytes(
    project: Project,
) -> None:
    # So many that some are left when the first has finished an epoch.
    weights = [
        project.results / "models" / name / f"{seed}.safetensors"
        for name in ("affine", "cutmix")
        for seed in (1, 2)
    ]
    undisturbed = [path.read_bytes() for path in weights]
    for path in weights:
        path.unlink()
    command = [*(str(path.relative_to(project.path)) for path in weights), "--logger", "campare"]

    stopped = project.interrupted("epoch 1/2", *command)
    assert stopped.returncode != 0
    assert stopped.stdout.splitlines()[-1] == "stopped; run the same command to go on"
    assert not any(word in stopped.stdout for word in ("Error", "Exception", "Traceback"))

    run = project.snakemake(*command)
    assert run.returncode == 0, run.stdout
    assert [path.read_bytes() for path in weights] == undisturbed
