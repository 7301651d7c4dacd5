"""What a study asks of its images is judged once they are counted; defaults are not."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from campare import config, feasibility
from campare.errors import CampareError

# Twelve images of two classes, as a split divides them.
SMALL = feasibility.Images(
    {
        (k, subset): n
        for k in (0, 1)
        for subset, n in [("train", 4), ("validation", 1), ("test", 1)]
    },
    size=16,
    regions=("object",),
)
STAGES: dict[str, Any] = {
    "hybrid": {"network": "small_cnn"},
    "masking": {},
    "occlusion": {"sizes": [16]},
    "faithfulness": {},
}


def judged(images: feasibility.Images = SMALL, **changes: Any) -> None:
    study = {
        "study": "small",
        "data": {"name": "image_folder"},
        "model": {"architecture": "small_cnn"},
        "augmentations": {"affine": {}},
        **copy.deepcopy(STAGES),
        **changes,
    }
    feasibility.check(config.complete(study, "study.yaml"), study, images)


@pytest.mark.parametrize(
    ("classes", "of_class", "remedy"),
    [(1000, 5, "remove the key hybrid"), (200, 600, "set it to 46051 or fewer")],
)
def test_an_svm_of_many_classes_has_coefficients_for_every_two_of_them(
    classes: int, of_class: int, remedy: str
) -> None:
    counts = {(k, "train"): of_class for k in range(classes)}
    counts |= {(k, "test"): 4 for k in range(classes)}
    images = feasibility.Images(counts, 16, ("object",))
    message = rf"hybrid\.svm\.images: \d+, but an SVM of {classes} .* GB; {remedy}"
    with pytest.raises(CampareError, match=message):
        judged(images)


def test_defaults_fit_a_study_of_twelve_images() -> None:
    judged()


def svm(**set_by_the_study: int) -> dict[str, Any]:
    return {"masking": {"svm": set_by_the_study}}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (svm(search_images=6000), "svm.search_images: 6000; must lie between 2, .* and 8, .*null"),
        (svm(images=9), "masking.svm.images: 9; must lie between 2"),
        (svm(folds=6), "masking.svm.folds: 6, but a class has 5"),
        (svm(folds=4, search_images=6), "masking.svm.folds: 4, but a class has 3 .*among the 6"),
        (
            {"hybrid": {"network": "small_cnn", "svm": {"folds": 6}}},
            "hybrid.svm.folds: 6, but a class has 5",
        ),
        ({"faithfulness": {"images": 3}}, "faithfulness.images: 3, but there are 2 test images"),
        ({"sanity": {"images": 3}}, "sanity.images: 3, but there are 2 test images"),
        (
            {"representations": {"images": 20}, "controls": {}},
            "representations.images: 20, but there are 2 test images",
        ),
        (
            {"robustness": {"images": 20}},
            "robustness.images: 20, but there are 2 test images",
        ),
        (
            {"representations": {"neighbours": 5}, "controls": {}},
            "representations.neighbours: 5, but there are 2 test images",
        ),
        ({"occlusion": {"sizes": [4, 17]}}, "occlusion.sizes: 17 is larger .* 16×16"),
        (
            {"training": {"steps_per_epoch": 5}},
            "steps_per_epoch: 8 images cannot be divided into 5",
        ),
        # The 16 images of an augmented set can, the 8 of the baseline cannot.
        (
            {"training": {"steps_per_epoch": 6}},
            "steps_per_epoch: 8 images cannot be divided into 6",
        ),
    ],
)
def test_what_is_set_and_cannot_be_met_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(CampareError, match=message):
        judged(**changes)


def test_a_region_that_no_mask_has_is_refused() -> None:
    study = {
        "study": "small",
        "data": {"name": "shapes"},
        "model": {"architecture": "small_cnn"},
        "augmentations": {},
        "localisation": {"spurious": "cue"},
    }
    with pytest.raises(CampareError, match=r"localisation\.spurious: .*'cue'; they have: object"):
        feasibility.check(config.complete(study, "study.yaml"), study, SMALL)


def test_one_class_is_none_to_tell_apart() -> None:
    with pytest.raises(CampareError, match="all of one class"):
        judged(feasibility.Images({(0, "train"): 9, (0, "validation"): 2, (0, "test"): 3}, size=16))
