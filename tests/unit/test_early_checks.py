"""Requirements of a study on its networks and images are checked before any training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import early_checks
from campare import config, data, split
from campare.design import Design
from campare.errors import CampareError
from campare.settings import Settings

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


def network(architecture: str, size: int = 28) -> Settings:
    study = STUDY | {"model": {"architecture": architecture, "input_size": size}}
    return Settings(**Design(config.complete(study, "the study")).training(("baseline", 1)))


def test_a_network_has_the_layers_that_get_new_weights() -> None:
    further = {"seeds": [11, 12, 13], "vary": ["init"]}
    study = STUDY | {"controls": {"baselines": further}}
    study["known_changes"] = {"untrained_layers": [1, 4]}
    early_checks.check_maps(dataset(), network("small_cnn"), study)
    study["known_changes"] = {"untrained_layers": [1, 5]}
    with pytest.raises(CampareError, match="untrained_layers: 5, but the network has 4"):
        early_checks.check_maps(dataset(), network("small_cnn"), study)


@pytest.mark.parametrize(
    "cam", [{"method": "cam"}, {"variants": {"class_weights": {"method": "cam"}}}]
)
def test_method_cam_needs_class_weights(cam: dict[str, Any]) -> None:
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
def test_the_network_of_a_hybrid_must_allow_an_svm(hybrid: dict[str, Any], message: str) -> None:
    settings = {"network": "fashion_cnn_deep"} | hybrid
    early_checks.check_network(
        dataset(), network("small_cnn"), STUDY | {"hybrid": settings}
    )  # another
    early_checks.check_network(
        dataset(), network("fashion_cnn_deep"), STUDY | {"hybrid": {"network": "fashion_cnn_deep"}}
    )
    with pytest.raises(CampareError, match=message):
        early_checks.check_network(
            dataset(), network(settings["network"]), STUDY | {"hybrid": settings}
        )


def test_images_smaller_than_a_patch_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.h5"
    images = dataset()
    data.write(images, path)
    frame = split.stratified(
        images.labels, images.part, validation=0.1, test=0.2, subset={}, seed=0
    )
    early_checks.check_images(str(path), images, frame, STUDY | {"occlusion": {"sizes": [16]}})
    with pytest.raises(CampareError, match=r"occlusion\.sizes: 17 is larger .* 16×16"):
        early_checks.check_images(str(path), images, frame, STUDY | {"occlusion": {"sizes": [17]}})


def check(architecture: str, size: int, explained: bool, **keys: Any) -> None:
    settings = network(architecture, size)
    check_study = early_checks.check_maps if explained else early_checks.check_network
    check_study(dataset(), settings, STUDY | keys)


@pytest.mark.parametrize("explained", [True, False])
def test_a_network_that_does_not_accept_the_images_is_refused(explained: bool) -> None:
    with pytest.raises(CampareError, match=r"^model\.input_size: .* 8 px .*set it to 16"):
        check("fashion_cnn", 8, explained)
    check("fashion_cnn", 16, explained)


def test_only_explained_networks_need_a_map() -> None:
    with pytest.raises(CampareError, match=r"^model\.input_size: .*single pixel"):
        check("fashion_cnn_deep", 28, explained=True)
    check("fashion_cnn_deep", 28, explained=True, cam={"target_layer": "features.10"})
    check("fashion_cnn_deep", 28, explained=False)


def test_the_class_token_of_a_transformer_allows_gradcam_but_not_cam() -> None:
    check("timm:vit_tiny_patch16_224", 224, explained=True)
    with pytest.raises(CampareError, match=r"^cam\.method: cam needs global average pooling"):
        check("timm:vit_tiny_patch16_224", 224, explained=True, cam={"method": "cam"})
    with pytest.raises(CampareError, match=r"^cam\.target_layer: the class scores do not depend"):
        check("timm:vit_tiny_patch16_224", 224, explained=True, cam={"target_layer": "norm"})
