"""What a training job asks of its network before it trains."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from campare.data import Dataset
from campare.errors import CampareError
from campare.train import Settings
from early import insist_on_a_map


def asked(architecture: str, size: int, explained: bool, **config: Any) -> None:
    pictures = np.zeros((2, 28, 28, 1), np.uint8)
    dataset = Dataset(pictures, np.arange(2), ["a", "b"], None)
    settings = Settings(
        architecture, size, 1, 4, 1e-3, 0, "float32", "cpu", 1, 1, "once", "native", 0, 0, 0
    )
    insist_on_a_map(dataset, settings, config, explained=explained)


@pytest.mark.parametrize("explained", [True, False])
def test_a_network_that_does_not_take_the_pictures(explained: bool) -> None:
    with pytest.raises(CampareError, match=r"^model\.input_size: .* 8 px .*set it to 16"):
        asked("fashion_cnn", 8, explained)
    asked("fashion_cnn", 16, explained)


def test_only_what_is_explained_needs_a_map() -> None:
    with pytest.raises(CampareError, match=r"^model\.input_size: .*single pixel"):
        asked("fashion_cnn_deep", 28, explained=True)
    asked("fashion_cnn_deep", 28, explained=True, cam={"target_layer": "features.10"})
    asked("fashion_cnn_deep", 28, explained=False)


def test_the_network_of_the_hybrid_is_asked_for_the_hybrids_layer() -> None:
    wrong = {"target_layer": "nowhere"}
    asked("small_cnn", 16, explained=False, hybrid={"network": "fashion_cnn_deep"} | wrong)
    asked("fashion_cnn_deep", 28, explained=False, hybrid={"network": "fashion_cnn_deep"})
    with pytest.raises(CampareError, match=r"^hybrid\.target_layer: no layer 'nowhere'"):
        asked("small_cnn", 16, explained=False, hybrid={"network": "small_cnn"} | wrong)


def test_the_network_of_the_hybrid_has_a_linear_layer() -> None:
    with pytest.raises(CampareError, match=r"^hybrid\.network: .*no linear layer"):
        asked("squeezenet1_1", 64, explained=False, hybrid={"network": "squeezenet1_1"})
