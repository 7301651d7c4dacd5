"""What a study asks of its networks and images is judged before any training."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import early_checks
from campare import data, split
from campare.errors import CampareError

STUDY: dict[str, Any] = {
    "study": "small",
    "data": {"name": "image_folder"},
    "model": {"architecture": "small_cnn"},
    "augmentations": {},
}


def dataset(side: int = 16) -> data.Dataset:
    labels = np.repeat(np.arange(2), 6)
    images = np.zeros((12, side, side, 3), np.uint8)
    return data.Dataset(images, labels, ("cat", "dog"), np.full(12, "", "U5"))


def network(architecture: str) -> Any:
    return SimpleNamespace(architecture=architecture, input_size=28)


@pytest.mark.parametrize(
    "cam", [{"method": "cam"}, {"variants": {"class_weights": {"method": "cam"}}}]
)
def test_cam_needs_a_head_that_it_can_read(cam: dict[str, Any]) -> None:
    early_checks.check_maps(dataset(), network("small_cnn"), STUDY | {"cam": cam})
    early_checks.check_maps(dataset(), network("two_conv"), STUDY)
    with pytest.raises(CampareError, match=r"cam\.method: cam needs .*; choose gradcam"):
        early_checks.check_maps(dataset(), network("two_conv"), STUDY | {"cam": cam})


@pytest.mark.parametrize(
    ("hybrid", "message"),
    [
        ({"target_layer": "nowhere"}, r"hybrid\.target_layer: no layer 'nowhere'"),
        ({"network": "squeezenet1_1"}, r"hybrid\.network: has no linear layer"),
    ],
)
def test_the_network_of_a_hybrid_must_bear_an_svm(hybrid: dict[str, Any], message: str) -> None:
    wanted = {"network": "fashion_cnn_deep"} | hybrid
    early_checks.check_network(
        dataset(), network("small_cnn"), STUDY | {"hybrid": wanted}
    )  # another
    early_checks.check_network(
        dataset(), network("fashion_cnn_deep"), STUDY | {"hybrid": {"network": "fashion_cnn_deep"}}
    )
    with pytest.raises(CampareError, match=message):
        early_checks.check_network(
            dataset(), network(wanted["network"]), STUDY | {"hybrid": wanted}
        )


def test_pictures_smaller_than_a_patch_are_found_once_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "data.h5"
    pictures = dataset()
    data.write(pictures, path)
    frame = split.stratified(
        pictures.labels, pictures.part, validation=0.1, test=0.2, subset={}, seed=0
    )
    early_checks.check_images(str(path), pictures, frame, STUDY | {"occlusion": {"sizes": [16]}})
    with pytest.raises(CampareError, match=r"occlusion\.sizes: 17 is larger .* 16×16"):
        early_checks.check_images(
            str(path), pictures, frame, STUDY | {"occlusion": {"sizes": [17]}}
        )


def asked(architecture: str, size: int, explained: bool, **keys: Any) -> None:
    settings = SimpleNamespace(architecture=architecture, input_size=size)
    insist = early_checks.check_maps if explained else early_checks.check_network
    insist(dataset(), settings, STUDY | keys)


@pytest.mark.parametrize("explained", [True, False])
def test_a_network_that_does_not_take_the_images_is_refused(explained: bool) -> None:
    with pytest.raises(CampareError, match=r"^model\.input_size: .* 8 px .*set it to 16"):
        asked("fashion_cnn", 8, explained)
    asked("fashion_cnn", 16, explained)


def test_only_what_is_explained_needs_a_map() -> None:
    with pytest.raises(CampareError, match=r"^model\.input_size: .*single pixel"):
        asked("fashion_cnn_deep", 28, explained=True)
    asked("fashion_cnn_deep", 28, explained=True, cam={"target_layer": "features.10"})
    asked("fashion_cnn_deep", 28, explained=False)
