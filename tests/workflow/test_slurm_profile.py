"""The SLURM profile as docs/cluster.md describes it; jobs on a cluster are in tests/slurm."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tiny import ENVIRONMENT, ROOT, announced, copy_project


def test_a_site_with_a_gpu_partition_plans_the_default_study(tmp_path: Path) -> None:
    """With all lines that the profile has for it; jobs of a submission need one partition."""
    copy_project(tmp_path / "project")
    profile = tmp_path / "project" / "profiles" / "slurm" / "config.yaml"
    text = profile.read_text().replace("# slurm_partition: main", "slurm_partition: main")
    text = re.sub(r"^# (set-resources:|  \w+: \{slurm_partition)", r"\1", text, flags=re.MULTILINE)
    assert "\n  extract_cams: {slurm_partition: gpu" in text
    profile.write_text(text)
    (tmp_path / "project" / "slurm").symlink_to("profiles/slurm")
    run = subprocess.run(
        [sys.executable, "-m", "snakemake", "--profile", "slurm", "--dry-run"],
        cwd=tmp_path / "project",
        env=os.environ | ENVIRONMENT,
        text=True,
        capture_output=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    jobs = announced(run.stdout + run.stderr)
    page = (ROOT / "docs" / "cluster.md").read_text()
    assert f"The default study has {sum(jobs.values()) - 1} jobs" in page  # without `all`
