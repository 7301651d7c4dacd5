"""The environments name the same versions, and no registry."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ENVS = ROOT / "envs"
FIND = """
import inspect
from snakemake_interface_logger_plugins.registry import LoggerPluginRegistry
print(inspect.getfile(LoggerPluginRegistry().get_plugin("campare").log_handler))
"""
PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)(?: ; (.*?))? \\$", re.MULTILINE)


def required(file: str) -> list[str]:
    """The packages asked for by name, without versions."""
    lines = (ENVS / f"{file}.in").read_text().splitlines()
    return [re.split(r"[=<>]", line)[0].lower() for line in lines if line and line[0] != "#"]


def locked(file: str) -> dict[str, str]:
    """Package → version in a lock file, for Python 3.12."""
    pins = PIN.findall((ENVS / f"{file}.lock").read_text())
    return {name: version for name, version, marker in pins if "< '3.12'" not in marker}


@pytest.mark.parametrize("file", ["requirements", "test"])
def test_a_lock_holds_everything_asked_for_with_hashes(file: str) -> None:
    assert set(required(file)) <= set(locked(file))
    blocks = re.split(r"\n(?=\S)", (ENVS / f"{file}.lock").read_text().strip())
    assert all("--hash=sha256:" in block for block in blocks)


def test_tools_of_tests_are_not_installed_to_run_a_study() -> None:
    assert not set(locked("requirements")) & set(locked("test"))
    assert not {"pytest", "mypy", "ruff", "captum", "triton"} & set(locked("requirements"))


def test_conda_environment_has_the_pins_of_the_lock() -> None:
    environment = yaml.safe_load((ENVS / "campare.yaml").read_text())
    *listed, logger, package = environment["dependencies"][-1]["pip"]
    assert (ENVS / logger / "pyproject.toml").exists()
    assert (ENVS / package / "pyproject.toml").samefile(ROOT / "pyproject.toml")
    pins = dict(line.split("==") for line in listed)
    assert {name.lower(): version for name, version in pins.items()} == {
        name: locked("requirements")[name] for name in required("requirements")
    }


# In the place of Python in an environment: what pip is told to install, names alone of a file.
PIP = r"""#!/bin/sh
[ "$3" = install ] || exit 0
shift 3
while [ $# -gt 0 ]; do
    case $1 in
        -r) echo locked $(sed -n 's/^\([^ =]*\)==.*/\1/p' "$2"); shift ;;
        -*) ;;
        *) echo "$1" ;;
    esac
    shift
done >> LOG
"""


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., list[str]]:
    """`make` with these arguments, in an environment that only writes down: its lines."""
    python, log = tmp_path / "venv" / "bin" / "python", tmp_path / "log"
    python.parent.mkdir(parents=True)
    python.write_text(PIP.replace("LOG", str(log)))
    python.chmod(0o755)
    # A copy: other tests may run make in the checkout, and the build is tidied away there.
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ENVS, tmp_path / "envs")
    for folder in ("schemas", "logger", "scripts/campare"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "workflow" / folder, tmp_path / "workflow" / folder, ignore=ignored)
    # Without the variables of the `make` that runs the tests.
    ours = ("MAKE", "TORCH")
    clean = {key: value for key, value in os.environ.items() if not key.startswith(ours)}

    def run(*arguments: str) -> list[str]:
        log.write_text("")
        command = ["make", "VENV=venv", f"PYTHON={sys.executable}", *arguments]
        subprocess.run(command, cwd=tmp_path, env=clean, check=True, capture_output=True)
        return log.read_text().splitlines()

    return run


def test_make_installs_once_and_the_package_again_when_it_changes(
    make: Callable[..., list[str]], tmp_path: Path
) -> None:
    first, *built = make("environment")
    assert {"torch", "nvidia-cublas", "snakemake"} <= set(first.split())
    assert built == ["./workflow/logger", "."]
    assert make("environment") == []
    (tools,) = make("testing")
    assert tools.split()[0] == "locked"
    assert set(required("test")) <= set(tools.split())
    assert make("testing") == []
    for changed in ("scripts/campare/results.py", "schemas/config.schema.yaml"):
        path = tmp_path / "workflow" / changed
        later = time.time() + 60
        os.utime(path, (later, later))
        assert make("testing") == ["."]
        os.utime(path, (0, 0))
        (tmp_path / "venv" / ".package").touch()


def test_another_torch_takes_the_place_of_the_locked_one_and_of_cuda(
    make: Callable[..., list[str]],
) -> None:
    locked, torch, vision, *built = make(
        "environment", "TORCH=--pre torch==9+cpu ./torchvision-9.whl"
    )
    names = set(locked.split())
    assert {"snakemake", "numpy", "grad-cam"} <= names
    assert not [name for name in names if re.match("torch|nvidia|cuda", name)]
    assert (torch, vision) == ("torch==9+cpu", "./torchvision-9.whl")
    assert built == ["./workflow/logger", "."]
    # It is remembered, until another is asked for.
    assert make("environment") == []
    locked, torch, *_ = make("environment", "TORCH=torch==8")
    assert torch == "torch==8"
    assert "torchvision" in locked.split()
    assert "torch" in make("environment", "TORCH=")[0].split()


def test_the_wheel_holds_the_package_alone(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "installed"
    scripts = Path("workflow", "scripts")
    shutil.copytree(ROOT / scripts, source / scripts, symlinks=False)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    (source / "envs").mkdir()
    shutil.copy(ENVS / "requirements.in", source / "envs")
    (source / scripts / "campare" / "inner").mkdir()
    (source / scripts / "campare" / "inner" / "__init__.py").touch()
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", target]
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", "--no-index", source], check=True)
    names = {path.name for path in target.iterdir() if not path.name.endswith(".dist-info")}
    assert names == {"campare"}
    assert (target / "campare" / "inner" / "__init__.py").exists()
    for path in (ROOT / "workflow" / "schemas").rglob("*.yaml"):
        assert (target / "campare" / path.relative_to(ROOT / "workflow")).exists()
    shutil.rmtree(source)
    found = subprocess.run(
        [sys.executable, "-c", "import campare.config as c; c.schema(); print(c.__file__)"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(target)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert Path(found.stdout.strip()).is_relative_to(target)


def test_what_the_package_asks_for_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(project["dependencies"]) <= set(required("requirements"))


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
