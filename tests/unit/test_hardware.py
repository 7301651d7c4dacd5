"""What a machine has for a study: no more memory than it is allowed, no GPU that is dead."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from campare import hardware

LISTED = "GPU 0: NVIDIA H100 (UUID: GPU-5a7c)"


def test_memory_is_the_machines_where_nothing_limits_it(tmp_path: Path) -> None:
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1_000_000
    assert hardware.memory(tmp_path) == whole  # as on macOS


@pytest.mark.parametrize(
    ("groups", "limits", "expected"),
    [
        ("0::/", {"memory.max": "max"}, None),
        ("0::/", {"memory.max": "64000000"}, 64),
        ("0::/a/b", {"a/memory.max": "48000000", "a/b/memory.max": "max"}, 48),
        ("0::/host/name", {"memory.max": "64000000"}, 64),  # in a container
        ("5:cpu:/a\n4:memory:/a\n0::/", {"memory/a/memory.limit_in_bytes": "32000000"}, 32),
        ("4:memory:/host", {"memory/memory.limit_in_bytes": "32000000"}, 32),
        ("4:memory:/", {"memory/memory.limit_in_bytes": str(2**63 - 4096)}, None),  # none
    ],
)
def test_memory_is_what_a_container_or_an_allocation_leaves(
    groups: str, limits: dict[str, str], expected: int | None, tmp_path: Path
) -> None:
    (tmp_path / "proc" / "self").mkdir(parents=True)
    (tmp_path / "proc" / "self" / "cgroup").write_text(f"{groups}\n")
    for name, text in limits.items():
        file = tmp_path / "sys" / "fs" / "cgroup" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n")
    assert hardware.memory(tmp_path) == (expected or hardware.memory(tmp_path / "nowhere"))


@pytest.fixture
def nvidia_smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tool that lists one GPU; to be rewritten, or removed."""
    tool = tmp_path / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\necho '{LISTED}'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return tool


@pytest.mark.parametrize("visible", [None, "0", "1,0", " 2", "GPU-5a7c", "MIG-5a7c"])
def test_a_gpu_that_is_listed_and_visible_is_found(
    visible: str | None, nvidia_smi: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert hardware.gpu() == (True, "")


@pytest.mark.parametrize("visible", ["", "-1", "-1,0", "NoDevFiles"])
def test_what_is_hidden_from_cuda_is_not(
    visible: str, nvidia_smi: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert hardware.gpu() == (False, "")


@pytest.mark.parametrize(
    ("does", "reason"),
    [
        ("echo NVIDIA-SMI has failed: no driver. >&2; exit 9", "NVIDIA-SMI has failed: no driver."),
        (f"echo '{LISTED}'; exit 9", LISTED),
        ("echo No devices were found", "No devices were found"),
        ("true", "lists none"),
    ],
)
def test_a_tool_without_a_gpu_says_why(does: str, reason: str, nvidia_smi: Path) -> None:
    nvidia_smi.write_text(f"#!/bin/sh\n{does}\n")
    assert hardware.gpu() == (False, f"nvidia-smi: {reason}")


def test_one_that_hangs_is_not_waited_for(
    nvidia_smi: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nvidia_smi.write_text("#!/bin/sh\nexec /bin/sleep 60\n")
    monkeypatch.setattr(hardware, "PATIENCE", 0.2)
    start = time.monotonic()
    assert hardware.gpu() == (False, "nvidia-smi does not answer in 0.2 s")
    assert time.monotonic() - start < 30


def test_without_the_tool_there_is_nothing_to_say(nvidia_smi: Path) -> None:
    nvidia_smi.unlink()
    assert hardware.gpu() == (False, "")
    nvidia_smi.touch(0o644)
    assert hardware.gpu() == (False, "nvidia-smi: Permission denied")
