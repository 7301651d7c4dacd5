"""Sweeps: one arm per strength, named, checked and ordered."""

from __future__ import annotations

from typing import Any

import pytest

from campare import config
from campare.design import Design, Sweep
from campare.errors import CampareError
from campare.plots import style

STUDY: dict[str, Any] = {
    "study": "s",
    "data": {"name": "digits"},
    "model": {"architecture": "small_cnn"},
    "augmentations": {"affine": {}},
}


def complete(**changes: Any) -> config.Config:
    return config.complete({**STUDY, **changes}, "study.yaml")


def test_each_strength_is_an_arm_after_the_augmentations_listed() -> None:
    study = complete(sweep={"gaussian_blur": {"sigma": [0.5, 1, 2.0, [0.1, 4]]}})
    assert list(study["augmentations"]) == [
        "affine",
        "gaussian_blur_sigma_0p5",
        "gaussian_blur_sigma_1",
        "gaussian_blur_sigma_2",
        "gaussian_blur_sigma_0p1_to_4",
    ]
    steps = {name: entry[0] for name, entry in study["augmentations"].items()}
    assert steps["gaussian_blur_sigma_0p5"] == [
        "gaussian_blur",
        {"kernel_size": 5, "sigma": [0.5, 0.5]},
    ]
    assert steps["gaussian_blur_sigma_0p1_to_4"][1]["sigma"] == [0.1, 4]
    assert Design(study).sweeps == [
        Sweep(
            "gaussian_blur",
            "sigma",
            {
                "gaussian_blur_sigma_0p5": 0.5,
                "gaussian_blur_sigma_1": 1,
                "gaussian_blur_sigma_2": 2.0,
                "gaussian_blur_sigma_0p1_to_4": [0.1, 4],
            },
            "pixels",
        )
    ]


def test_an_arm_keeps_the_other_parameters_of_the_entry_that_is_swept() -> None:
    augmentations = {"strong": {"use": "gaussian_blur", "kernel_size": 9}, "affine": None}
    study = complete(
        augmentations=augmentations,
        sweep={
            "strong": {"sigma": [3, 1], "kernel_size": [3]},
            "affine": {"interpolation": ["bilinear"], "degrees": [0.00001]},
        },
    )
    steps = {name: entry[0] for name, entry in study["augmentations"].items()}
    assert steps["strong_sigma_3"] == ["gaussian_blur", {"kernel_size": 9, "sigma": [3, 3]}]
    assert steps["strong_kernel_size_3"][1] == {"kernel_size": 3, "sigma": [0.1, 2.0]}
    assert steps["affine_interpolation_bilinear"][1]["interpolation"] == "bilinear"
    assert steps["affine_degrees_0p00001"][1]["degrees"] == 0.00001
    sweeps = Design(study).sweeps
    assert [(sweep.base, sweep.parameter, len(sweep.arms)) for sweep in sweeps] == [
        ("strong", "sigma", 2),
        ("strong", "kernel_size", 1),
        ("affine", "interpolation", 1),
        ("affine", "degrees", 1),
    ]
    assert list(sweeps[0].arms.values()) == [3, 1]  # as listed


def test_negative_and_true_values_have_names() -> None:
    study = complete(
        sweep={"gaussian_noise": {"mean": [-0.5]}, "horizontal_flip": {"alternate": [True]}}
    )
    assert list(study["augmentations"])[1:] == [
        "gaussian_noise_mean_m0p5",
        "horizontal_flip_alternate_true",
    ]


def test_a_study_without_sweeps_has_none() -> None:
    study = complete()
    assert "sweep" not in study
    assert Design(study).sweeps == []
    assert Design(complete(sweep={})).sweeps == []


def test_arms_count_as_augmentations_of_the_study() -> None:
    study = complete(
        augmentations={},
        sweep={"cutout": {"size": [2, 4, 6]}},
        published={"cutout_size_4": {"test": 0.5}},
    )
    assert Design(study).augmentations == ["cutout_size_2", "cutout_size_4", "cutout_size_6"]


def test_figures_write_the_decimal_point() -> None:
    assert style.title("gaussian_blur_sigma_0p5") == "Gaussian blur sigma 0.5"
    assert style.title("gaussian_blur_sigma_0p1_to_2p25") == "Gaussian blur sigma 0.1 to 2.25"
    assert style.title("crop_2pm") == "Crop 2pm"


@pytest.mark.parametrize(
    ("sweep", "parts"),
    [
        ({"gaussian_blurr": {"sigma": [1]}}, ["sweep.gaussian_blurr", "mean 'gaussian_blur'"]),
        ({"gaussian_blur": {"sgma": [1]}}, ["sweep.gaussian_blur.sgma", "mean 'sigma'"]),
        ({"gaussian_blur": {"sigma": 2}}, ["sweep.gaussian_blur.sigma: 2; must be a list"]),
        ({"gaussian_blur": {"sigma": []}}, ["sweep.gaussian_blur.sigma: []; must be a list"]),
        ({"gaussian_blur": [1, 2]}, ["sweep.gaussian_blur: [1, 2]; must be a mapping"]),
        ({"gaussian_blur": {}}, ["sweep.gaussian_blur: {}; must be a mapping"]),
        ({"gaussian_blur": {"sigma": [1, 2, 1.0]}}, ["gaussian_blur.sigma: 1.0 is given twice"]),
        ({"gaussian_blur": {"sigma": ["1e0"]}}, ["sweep.gaussian_blur.sigma: '1e0'", "write 1"]),
        ({"gaussian_blur": {"sigma": [0]}}, ["sweep.gaussian_blur.sigma: 0; must be", "> 0"]),
        ({"gaussian_blur": {"sigma": [[2, 1]]}}, ["sweep.gaussian_blur", "write [1, 2]"]),
        ({"gaussian_blur": {"sigma": [[1, 2, 3]]}}, ["sweep.gaussian_blur.sigma"]),
        ({"gaussian_blur": {"kernel_size": [4]}}, ["sweep.gaussian_blur", "write 5"]),
        ({"gaussian_blur": {"kernel_size": [3.5]}}, ["sweep.gaussian_blur.kernel_size: 3.5"]),
        ({"affine": {"interpolation": ["Near"]}}, ["affine_interpolation_Near", "small letters"]),
        ({"affine": {"interpolation": ["near"]}}, ["sweep.affine.interpolation: 'near' is not"]),
        ({"both": {"sigma": [1]}}, ["sweep.both: augmentations.both is a composition"]),
        (
            {"affine": {"degrees": [7]}},
            ["sweep.affine.degrees: 7 makes the name affine_degrees_7, which", "affine_degrees_7"],
        ),
        ([1], ["sweep: [1]; must be a mapping"]),
    ],
)
def test_mistakes_have_one_message(sweep: Any, parts: list[str]) -> None:
    augmentations = {
        "affine": {},
        "both": {"compose": ["affine", "equalize"]},
        "affine_degrees_7": {"use": "affine", "degrees": 7},
    }
    with pytest.raises(CampareError) as caught:
        complete(augmentations=augmentations, sweep=sweep)
    message = str(caught.value)
    assert message.startswith("study.yaml: sweep")
    assert message.count("study.yaml") == 1
    for part in parts:
        assert part in message, message


def test_mistakes_of_the_entry_that_is_swept_are_still_told() -> None:
    with pytest.raises(CampareError, match=r"sweep\.x|augmentations\.x"):
        complete(augmentations={"x": {"use": "blurr"}}, sweep={"x": {"sigma": [1]}})
