"""The environments name the same versions, and no registry."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ENVS = Path(__file__).parents[2] / "envs"
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
    pins = dict(line.split("==") for line in environment["dependencies"][-1]["pip"])
    assert {name.lower(): version for name, version in pins.items()} == {
        name: locked()[name] for name in wanted()
    }


@pytest.mark.parametrize("path", sorted(ENVS.iterdir()), ids=lambda path: path.name)
def test_no_registry_is_named(path: Path) -> None:
    assert "://" not in path.read_text()
