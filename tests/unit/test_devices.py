"""Which GPU a process takes when there are several."""

from __future__ import annotations

import multiprocessing
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
import torch

from campare import devices


def hold(folder: Path, gpus: list[str], pipe: Connection) -> None:
    pipe.send(devices.claim(gpus, folder))
    pipe.recv()


def test_each_process_has_its_own_gpu_and_a_dead_one_frees_it(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    gpus = ["GPU-a", "GPU-b"]
    held = []

    def another() -> int:
        ours, theirs = context.Pipe()
        process = context.Process(target=hold, args=(tmp_path, gpus, theirs))
        process.start()
        gpu: int = ours.recv()
        held.append((process, ours))
        return gpu

    assert [another(), another()] == [0, 1]
    # More jobs than GPUs: they are shared evenly.
    assert [another(), another(), another()] == [0, 1, 0]
    for process, _ in held[1::2]:  # both that hold the second
        process.kill()
        process.join()
    assert another() == 1
    for process, _ in held:
        process.kill()
        process.join()


def test_a_machine_with_several_gpus_gives_the_one_claimed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken: list[int] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(
        torch.cuda, "get_device_properties", lambda i: type("Properties", (), {"uuid": f"GPU-{i}"})
    )
    monkeypatch.setattr(torch.cuda, "set_device", taken.append)
    monkeypatch.setattr(devices, "claim", lambda gpus: gpus.index("GPU-1"))
    assert devices.choose("cuda") == torch.device("cuda", 1)
    assert taken == [1]
