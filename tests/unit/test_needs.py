"""What jobs ask for: bounds measured work from above, and grows with the study."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from campare import needs, registry


def test_sizes_of_the_subsets_are_read_anew_when_the_split_changes(tmp_path: Path) -> None:
    split = tmp_path / "split.csv"
    assert needs.sizes(split) == needs.USUAL
    split.write_text("index,label,subset\n0,1,train\n1,1,test\n2,0,train\n")
    assert needs.sizes(split)["train"] == 2
    split.write_text("index,label,subset\n0,1,train\n1,1,test\n")
    os.utime(split, ns=(1, 1))
    assert needs.sizes(split)["train"] == 1


@pytest.mark.parametrize(
    ("images", "epochs", "architecture", "input_size", "threads", "measured"),
    [
        # benchmarks of the default study and of docs/cifar10.md, one thread
        (2_156, 10, "small_cnn", 32, 1, 7 / 60),
        (10_800, 30, "small_cnn_wide", 32, 1, 6),
    ],
)
def test_training_ends_within_the_time_asked_for(
    images: int, epochs: int, architecture: str, input_size: int, threads: int, measured: float
) -> None:
    cost = registry.gmacs(architecture, input_size)
    assert measured < needs.training_minutes(images, epochs, cost, threads, 0) < 90


def test_more_images_epochs_and_a_larger_network_ask_for_more_and_a_gpu_for_less() -> None:
    small, large = (registry.gmacs(name, 224) for name in ("efficientnet_b0", "efficientnet_b7"))
    asked = needs.training_minutes(90_000, 30, small, 4, 1)
    assert asked < needs.training_minutes(180_000, 30, small, 4, 1)
    assert asked < needs.training_minutes(90_000, 60, small, 4, 1)
    assert asked < needs.training_minutes(90_000, 30, large, 4, 1)
    assert asked < needs.training_minutes(90_000, 30, small, 4, 0)
    assert asked > needs.explaining_minutes(10_000, 3, small, 4, 1)


def test_memory_covers_what_was_measured(tmp_path: Path) -> None:
    data = tmp_path / "data.h5"
    data.write_bytes(bytes(1_000_000))
    few = needs.network_memory(data, 0, 32, 32, 0)
    assert 800 < few < 2_000
    assert few < needs.network_memory(data, 60_000, 32, 32, 0)
    assert few < needs.network_memory(data, 0, 32, 224, 0)
    assert needs.table_memory(10_000) < needs.table_memory(10_000_000)
