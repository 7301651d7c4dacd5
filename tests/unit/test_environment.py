"""The environments name the same versions, and no registry."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ENVS = Path(__file__).parents[2] / "envs"
FIND = """
import inspect
from snakemake_interface_logger_plugins.registry import LoggerPluginRegistry
print(inspect.getfile(LoggerPluginRegistry().get_plugin("campare").log_handler))
"""
PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)(?: ; (.*?))? \\$", re.MULTILINE)


def wanted() -> list[str]:
    """The packages asked for by name, without versions."""
    lines = (ENVS / "requirements.in").read_text().splitlines()
    return [re.split(r"[=<>]", line)[0].lower() for line in lines if line and line[0] != "#"]


def locked() -> dict[str, str]:
    """Package → version in the lock file, for Python 3.12."""
    pins = PIN.findall((ENVS / "requirements.lock").read_text())
    return {name: version for name, version, marker in pins if "< '3.12'" not in marker}


def test_lock_holds_everything_asked_for_with_hashes() -> None:
    assert set(wanted()) <= set(locked())
    blocks = re.split(r"\n(?=\S)", (ENVS / "requirements.lock").read_text().strip())
    assert all("--hash=sha256:" in block for block in blocks)


def test_conda_environment_has_the_pins_of_the_lock() -> None:
    environment = yaml.safe_load((ENVS / "campare.yaml").read_text())
    *listed, logger = environment["dependencies"][-1]["pip"]
    assert (ENVS / logger / "pyproject.toml").exists()
    pins = dict(line.split("==") for line in listed)
    assert {name.lower(): version for name, version in pins.items()} == {
        name: locked()[name] for name in wanted()
    }


def test_the_logger_is_found_without_the_checkout_it_was_installed_from(tmp_path: Path) -> None:
    source, target = tmp_path / "logger", tmp_path / "installed"
    shutil.copytree(ENVS.parent / "workflow" / "logger", source)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", target]
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", "--no-index", source], check=True)
    shutil.rmtree(source)
    found = subprocess.run(
        [sys.executable, "-c", FIND],
        env=os.environ | {"PYTHONPATH": str(target)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert Path(found.stdout.strip()).is_relative_to(target)


@pytest.mark.parametrize("path", sorted(ENVS.iterdir()), ids=lambda path: path.name)
def test_no_registry_is_named(path: Path) -> None:
    assert "://" not in path.read_text()
