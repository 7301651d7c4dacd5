"""A study is checked, completed, and its mistakes are named."""

from __future__ import annotations

import copy
import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from campare import config, registry, user_code
from campare.errors import CampareError

STUDY: dict[str, Any] = {
    "study": "tiny",
    "data": {"name": "digits"},
    "model": {"architecture": "small_cnn"},
    "augmentations": {"affine": {}},
}


def complete(**changes: Any) -> dict[str, Any]:
    return config.complete({**copy.deepcopy(STUDY), **changes}, "study.yaml")


def test_schema_is_a_valid_schema() -> None:
    Draft202012Validator.check_schema(config.schema())


def test_every_key_has_a_description() -> None:
    def check(part: dict[str, Any], path: str) -> None:
        for key, value in part.get("properties", {}).items():
            assert value.get("description"), f"{path}.{key}"
            check(value, f"{path}.{key}")

    check(config.schema(), "")


def shipped(file: str) -> dict[str, Any]:
    path = Path(__file__).parents[2] / "config" / f"{file}.yaml"
    user_code.use(path.parent)
    study = yaml.safe_load(path.read_text())
    study["model"].pop("weights", None)  # a file that the user downloads
    try:
        return config.complete(study, path.name)
    finally:
        user_code.use("")


def test_the_posters_study_is_the_posters() -> None:
    study = shipped("mnist100")
    assert [steps[0][0] for steps in study["augmentations"].values()] == [
        *("scaling", "random_crop", "elastic", "gaussian_blur", "random_erasing"),
    ]
    assert study["augmenting"]["copies"] == 10
    assert study["augmenting"]["resample"] == "once"
    assert (study["training"]["epochs"], study["training"]["steps_per_epoch"]) == (30, 10)
    assert study["split"]["subset"]["train"] == 100
    assert len(study["seeds"]) == 10
    assert set(study["published"]) == {"baseline", *study["augmentations"]}


@pytest.mark.parametrize("file", ["config", "thesis", "cifar10-evidence"])
def test_shipped_studies_are_valid(file: str) -> None:
    study = shipped(file)
    assert set(study["augmentations"]) == {
        *("affine", "cutmix", "color_jitter", "elastic", "equalize"),
        *("gaussian_blur", "random_crop"),
    }


def test_fashion_study_is_valid_and_has_every_stage() -> None:
    path = Path(__file__).parents[2] / "config" / "fashion.yaml"
    study = config.complete(yaml.safe_load(path.read_text()), path.name)
    assert study["augmentations"] == {}
    assert {"sheets", "hybrid", "masking", "occlusion", "own_images"} <= set(study)
    own = {"epochs": 10, "batch_size": 64, "weight_decay": 0}
    assert study["training"] | {"seed": 0} == complete()["training"] | own


def test_stages_are_off_unless_named_and_have_defaults_where_they_are() -> None:
    assert not {"sheets", "hybrid", "masking", "occlusion", "own_images"} & set(complete())
    study = complete(hybrid={"network": "fashion_cnn_deep"}, masking={}, sheets={})
    assert study["sheets"] == {"threshold": 0.95, "spline": None, "mistakes": 20}
    assert study["masking"]["keep"] == {"top": 50}
    assert study["masking"]["svm"] == study["hybrid"]["svm"]
    assert study["masking"]["svm"]["kernels"] == ["linear", "rbf"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hybrid": {"network": "fashion_cnn_dep"}}, r"hybrid\.network: unknown .*did you mean"),
        ({"hybrid": {}}, r"hybrid: 'network' is required, but missing"),
        ({"hybrid": {"network": "small_cnn", "svm": {"c": [0]}}}, r"hybrid\.svm\.c\.0: 0"),
        ({"masking": {"keep": {"top": 50, "above": 0.5}}}, r"masking\.keep"),
        ({"masking": {"keep": {"top": 100}}}, r"masking\.keep\.top: 100"),
        (
            {"masking": {}, "cam": {"class": "true"}},
            r"cam\.class: with 'true' the mask .* predicted",
        ),
        ({"occlusion": {"sizes": []}}, r"occlusion\.sizes"),
        ({"sheets": {"spline": 7}}, r"sheets\.spline: 7"),
        ({"own_images": {}}, r"own_images: 'folder' is required"),
    ],
)
def test_mistakes_in_a_stage_are_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(CampareError, match=rf"study\.yaml: {message}"):
        complete(**changes)


def test_defaults_are_the_thesis() -> None:
    study = complete()
    assert study["training"] == {
        "epochs": 30,
        "batch_size": 32,
        "shuffle": "once",
        "sampling": "all",
        "steps_per_epoch": None,
        "learning_rate": 1e-3,
        "weight_decay": 1e-5,
        "precision": "float32",
        "cuda_graph": False,
        "optimizer": "adam",
        "momentum": 0.9,
        "nesterov": False,
        "schedule": "constant",
        "warmup": None,
        "milestones": [],
        "decay": 0.1,
        "loss": "cross_entropy",
        "label_smoothing": 0,
        "class_weights": None,
        "gradient_clip": None,
        "ema": None,
        "early_stopping": None,
        "head_learning_rate": None,
        "bias_learning_rate": None,
        "recalibrate_batch_norm": None,
        "keep": "best",
        "seed": 0,
    }
    assert study["seeds"] == [1, 2, 3]
    assert study["vary"] == ["augmentation"]
    assert study["reference"] == "one"
    assert study["split"]["validation"] == 0.1
    assert study["cam"]["method"] == "gradcam"
    assert study["cam"]["class"] == "predicted"
    assert study["analysis"]["top_pairs"] == 4


def test_steps_per_epoch_take_the_place_of_the_batch_size() -> None:
    training = complete(training={"steps_per_epoch": 10})["training"]
    assert (training["steps_per_epoch"], training["batch_size"]) == (10, None)


def test_argument_is_left_as_it_is() -> None:
    study = copy.deepcopy(STUDY)
    config.complete(study, "study.yaml")
    assert study == STUDY


def test_augmentations_become_steps_with_all_parameters() -> None:
    study = complete(
        augmentations={
            "affine": {"degrees": 5},
            "blur_strong": {"use": "gaussian_blur", "kernel_size": 9},
            "both": {"compose": ["equalize", {"affine": {"degrees": 1}}]},
            "equalize": None,
        }
    )["augmentations"]
    (name, parameters), *rest = study["affine"]
    assert not rest
    assert name == "affine"
    assert parameters["degrees"] == 5
    assert set(parameters) == set(registry.AUGMENTATIONS["affine"].parameters)
    assert study["blur_strong"][0][0] == "gaussian_blur"
    assert study["blur_strong"][0][1]["kernel_size"] == 9
    assert [step for step, _ in study["both"]] == ["equalize", "affine"]
    assert study["equalize"] == [["equalize", {"probability": 0.5}]]


def test_parameters_added_later_are_complete_only_if_they_are_set() -> None:
    """At their defaults, settings of finished models stay as they were."""
    study = complete(
        augmentations={
            "cutmix": {},
            "cutmix_kept": {"use": "cutmix", "labels": "kept"},
            "cutmix_labels": {"use": "cutmix", "labels": "mixed"},
            "horizontal_flip": {"alternate": False},
            "alternating": {"use": "horizontal_flip", "alternate": True},
        }
    )["augmentations"]
    assert study["cutmix"] == study["cutmix_kept"] == [["cutmix", {"alpha": 1.0}]]
    assert study["cutmix_labels"] == [["cutmix", {"alpha": 1.0, "labels": "mixed"}]]
    assert study["horizontal_flip"] == [["horizontal_flip", {"probability": 0.5}]]
    assert study["alternating"][0][1] == {"probability": 0.5, "alternate": True}


def test_the_order_of_keys_in_the_file_makes_no_other_study() -> None:
    def turned(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {key: turned(item) for key, item in reversed(value.items())}

    study = STUDY | {"split": {"subset": {"train": 300, "test": 60}}, "vary": ["order", "init"]}
    one, other = (config.complete(each, "s.yaml") for each in (study, turned(study)))
    assert json.dumps(one) == json.dumps(other)


def test_defaults_are_not_shared_between_studies() -> None:
    first = complete()
    first["augmentations"]["affine"][0][1]["scale"].append(7)
    assert complete()["augmentations"]["affine"][0][1]["scale"] == [0.9, 1.1]


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"trainig": {}}, ["trainig", "unknown key", "did you mean 'training'"]),
        ({"training": {"epoch": 3}}, ["training.epoch", "did you mean 'epochs'"]),
        ({"training": {"epochs": 0}}, ["training.epochs: 0; must be a whole number ≥ 1"]),
        ({"training": {"learning_rate": "1e-3"}}, ["training.learning_rate", "0.001"]),
        ({"data": {"name": "cifar"}}, ["data.name", "'cifar'", "did you mean 'cifar10'"]),
        ({"data": {}}, ["data", "'name'", "missing"]),
        ({"augmentations": {"afine": {}}}, ["augmentations.afine", "did you mean 'affine'"]),
        ({"augmentations": {"x": {"use": "blurr"}}}, ["augmentations.x", "'blurr'"]),
        ({"augmentations": {"affine": {"degree": 3}}}, ["augmentations.affine.degree", "degrees"]),
        ({"augmentations": {"affine": {"degrees": 999}}}, ["augmentations.affine.degrees", "180"]),
        ({"augmentations": {"x": {"compose": []}}}, ["augmentations.x", "compose"]),
        ({"augmentations": {"x": {"compose": ["nope"]}}}, ["augmentations.x", "'nope'"]),
        ({"augmentations": {"affine": 3}}, ["augmentations.affine", "mapping"]),
        ({"augmentations": {"baseline": {}}}, ["augmentations", "baseline"]),
        ({"augmentations": {"gaussian_blur": {"kernel_size": 4}}}, ["gaussian_blur", "write 5"]),
        ({"augmentations": {"affine": {"scale": [2, 1]}}}, ["augmentations.affine", "scale"]),
        (
            {"augmentations": {"cutmix": {"labels": "mix"}}},
            ["augmentations.cutmix.labels: 'mix' is not allowed; did you mean 'mixed'"],
        ),
        (
            {"augmentations": {"cutout": {"fill": "mean"}}},
            ["augmentations.cutout.fill: 'mean'; must be a whole number ≥ 0, ≤ 255, or null"],
        ),
        (
            {"augmentations": {"jpeg": {"quality": [50, 99.5]}}},
            ["augmentations.jpeg.quality.1: 99.5; must be a whole number"],
        ),
        (
            {"augmentations": {"horizontal_flip": {"alternate": True, "probability": 1}}},
            ["augmentations.horizontal_flip: horizontal_flip.probability: 1, but with alternate"],
        ),
        ({"seeds": []}, ["seeds"]),
        ({"seeds": [1, 1]}, ["seeds: 1 is given twice; remove one"]),
        ({"seeds": [-1]}, ["seeds.0", "-1"]),
        ({"similarity": {"metrics": ["overlap"]}}, ["similarity.metrics", "overlap_<Y>"]),
        ({"similarity": {"metrics": ["overlap_0"]}}, ["similarity.metrics", "overlap_0"]),
        ({"similarity": {"metrics": ["pearsn"]}}, ["similarity.metrics", "'pearsn'", "pearson"]),
        ({"model": {"architecture": "resnet81"}}, ["model.architecture", "did you mean"]),
        ({"architectures": ["vgg99"]}, ["architectures", "'vgg99'"]),
        ({"cam": {"method": "gradcamm"}}, ["cam.method", "did you mean 'gradcam'"]),
        (
            {"cam": {"variants": {"again": {"method": "gradcam"}}}},
            ["cam.variants.again", "same as cam itself", "target_layer"],
        ),
        (
            {"cam": {"variants": {"a": {"class": "true"}, "b": {"class": "true"}}}},
            ["cam.variants.b", "same as cam.variants.a"],
        ),
        ({"cam": {"variants": {"Eigen": {}}}}, ["cam.variants", "'Eigen'", "lower-case"]),
        ({"cam": {"variants": {"eigen": {}}}}, ["cam.variants.eigen"]),
        (
            {"cam": {"variants": {"s": {"method": "saliency"}}}},
            ["cam.variants.s.method", "'saliency'", "input_gradient"],
        ),
        (
            {"training": {"steps_per_epoch": 10, "batch_size": 32}},
            ["training.steps_per_epoch: 10", "training.batch_size: 32", "remove one of them"],
        ),
        (
            {"training": {"momentum": 0.8}},
            [
                "training.momentum: has no effect with training.optimizer: adam; set",
                "to sgd or muon, or",
            ],
        ),
        (
            {"training": {"optimizer": "adamw", "nesterov": False}},
            ["training.nesterov", "training.optimizer: adamw", "remove the key"],
        ),
        (
            {"training": {"schedule": "cosine", "milestones": [2]}},
            ["training.milestones: has no effect with training.schedule: cosine", "to steps, or"],
        ),
        ({"training": {"decay": 0.5}}, ["training.decay", "training.schedule: constant"]),
        (
            {"training": {"optimizer": "sgd", "momentum": 0, "nesterov": True}},
            ["training.nesterov: needs training.momentum > 0"],
        ),
        (
            {"training": {"schedule": "steps"}},
            ["training.schedule: steps needs training.milestones", "add it"],
        ),
        (
            {"training": {"schedule": "steps", "milestones": [9, 3]}},
            ["training.milestones: [9, 3]", "ascending"],
        ),
        (
            {"training": {"schedule": "steps", "milestones": [3, 3]}},
            ["training.milestones: [3, 3]", "once"],
        ),
        (
            {"training": {"schedule": "steps", "milestones": [30]}},
            ["training.milestones: 30, but training.epochs is 30", "fewer"],
        ),
        ({"training": {"warmup": 4, "epochs": 4}}, ["training.warmup: 4, but training.epochs"]),
        ({"training": {"early_stopping": 30}}, ["training.early_stopping: 30, but"]),
        (
            {"training": {"early_stopping": 3}, "controls": {"longer_training": True}},
            ["controls.longer_training", "training.early_stopping", "remove one of them"],
        ),
        (
            {
                "model": {"architecture": "small_cnn", "freeze_batch_norm": True},
                "training": {"recalibrate_batch_norm": 3},
            },
            ["training.recalibrate_batch_norm", "model.freeze_batch_norm", "remove one of them"],
        ),
        ({"model": {"architecture": "small_cnn", "freeze": []}}, ["model.freeze: []", "one or"]),
        (
            {"training": {"schedule": "exponential"}},
            ["training.schedule: 'exponential'", "one_cycle"],
        ),
        ({"training": {"label_smoothing": 1}}, ["training.label_smoothing: 1; must", "< 1"]),
        ({"training": {"class_weights": "equal"}}, ["class_weights: 'equal'", "balanced"]),
        ({"training": {"steps_per_epoch": 0}}, ["training.steps_per_epoch: 0", "≥ 1, or null"]),
        (
            {"augmenting": {"mode": "in_place", "copies": 2}},
            ["augmenting.copies: 2 and augmenting.mode: in_place exclude each other; remove one"],
        ),
        (
            {"augmenting": {"probability": 0.5}},
            ["augmenting.probability", "set augmenting.mode to in_place, or remove the key"],
        ),
        ({"augmenting": {"mode": "in_place", "probability": 0}}, ["augmenting.probability: 0"]),
        (
            {"augmenting": {"mode": "in_place"}, "controls": {"duplicated_originals": True}},
            ["controls.duplicated_originals", "as many steps as the baseline already; remove it"],
        ),
        (
            {"augmenting": {"mode": "in_place"}, "controls": {"longer_training": True}},
            ["controls.longer_training", "as many steps as the baseline already; remove it"],
        ),
        ({"reference": "paired"}, ["reference: paired", "vary", "init, order or subset"]),
        ({"reference": "each"}, ["reference", "'each'", "one, paired"]),
        ({"published": {"afine": {"test": 1}}}, ["published.afine", "did you mean 'affine'"]),
        ({"published": {"affine": {"tset": 1}}}, ["published.affine.tset", "'test'"]),
        (
            {"published": {"affine": {"test": 78}}},
            ["published.affine.test: 78; must be a number ≥ 0, ≤ 1"],
        ),
        ({"cam": {"class": "any"}}, ["cam.class", "predicted, true, baseline"]),
        ({"compute": {"device": "gpu"}}, ["compute.device", "cuda"]),
        ({"study": "../up"}, ["study: '../up'; must be letters, digits"]),
        ({"study": "s\n"}, ["study: 's\\n'", "a line break", "remove it"]),
        ({"study": 2024}, ["study: 2024", "put it in quotes"]),
        ({"study": date(2024, 5, 1)}, ["study: YAML reads 2024-05-01 as a date; put it in quotes"]),
        ({"study": "s" * 101}, ["study", "100 at most"]),
        ({"study": None}, ["study: empty (null)"]),
        (
            {"augmentations": {90: {}}},
            ["augmentations: YAML reads the key 90 as a number", "in quotes"],
        ),
        ({"augmentations": {False: {}}}, ["the key false as true or false, as it does yes, no"]),
        ({"augmentations": {None: {}}}, ["augmentations: YAML reads the key null as null"]),
        ({"augmentations": {"MyBlur": {}}}, ["'MyBlur'; a name must be small letters"]),
        ({"augmentations": {"a/b": {}}}, ["'a/b'; a name must be small letters"]),
        ({"augmentations": {"a" * 61: {}}}, ["60 at most"]),
        ({"augmentations": ["affine", "cutmix"]}, ["write {affine: {}, cutmix: {}}"]),
        ({"augmentations": None}, ["augmentations: empty (null)", "{} for none"]),
        ({"augmentations": {"affine": False}}, ["augmentations.affine: false", "remove the"]),
        ({"augmentations": {"x": {"compose": [{"affine": False}]}}}, ["augmentations.x.compose"]),
        ({"training": None}, ["training: empty (null)", "write {} for its defaults"]),
        ({"training": {"epochs": 2.0}}, ["training.epochs: 2.0", "whole number ≥ 1; write 2"]),
        ({"training": {"epochs": "2"}}, ["YAML reads it as text: write 2"]),
        ({"training": {"learning_rate": float("nan")}}, ["learning_rate: nan", "finite"]),
        ({"training": {"learning_rate": float("inf")}}, ["learning_rate: inf", "finite"]),
        ({"training": {"epochs": 10**30}}, ["training.epochs", "at most 18 digits"]),
        ({"seeds": 3}, ["seeds: 3; must be a list of one or more, such as [1, 2, 3]; write [3]"]),
        ({"seeds": "1-3"}, ["seeds: '1-3'; must be a list of one or more, such as [1, 2, 3]"]),
        ({"seeds": [1.0]}, ["seeds.0: 1.0", "write 1"]),
        ({"data": {"name": "digits", "channels": 3.0}}, ["data.channels: 3.0", "write 3"]),
        ({"data": {"name": "digits", "root": ""}}, ["data.root: ''", "not empty"]),
        ({"cam": {"class": True}}, ["cam.class: true is not allowed", "put it in quotes"]),
        (
            {"augmentations": {"gaussian_blur": {"kernel_size": 5.0}}},
            ["kernel_size: 5.0", "write 5"],
        ),
        ({"occlusion": {"sizes": [4, 9]}}, ["occlusion.sizes: 9", "8×8 pixels"]),
        ({"single_deletion": {"cells": 1}}, ["single_deletion.cells: 1", "2"]),
        (
            {
                "single_deletion": {"cells": 16},
                "model": {"architecture": "small_cnn", "input_size": 8},
            },
            ["single_deletion.cells: 16", "8 or fewer"],
        ),
        (
            {"sanity": {}, "similarity": {"metrics": ["class_kld"]}},
            ["sanity: none of the similarity.metrics class_kld", "pearson"],
        ),
        (
            {"sanity": {"permuted_labels": 3}, "augmentations": {"permuted_labels": "affine"}},
            ["augmentations.permuted_labels", "choose another name"],
        ),
        ({"representations": {}}, ["representations: compares pairs", "add controls.baselines"]),
        (
            {"representations": {"images": 20, "neighbours": 19}, "controls": {}},
            ["representations.neighbours: 19 of 20 images", "18 or fewer"],
        ),
        (
            {"occlusion": {"sizes": [17]}, "data": {"name": "image_folder", "size": 16}},
            ["occlusion.sizes: 17", "16×16 pixels"],
        ),
        (
            {"analysis": {"top_pairs": 2}, "augmentations": {"affine": {}, "cutmix": {}}},
            ["analysis.top_pairs: 2, but 2 augmentation(s) have 1 pair(s)", "remove the key"],
        ),
        ({"hybrid": {"network": "small_cnn", "method": "cam"}}, ["hybrid.method: cam", "gradcam"]),
        ({"figures": {"font": ["no/Font.ttf"]}}, ["figures.font", "no file no/Font.ttf", "name"]),
    ],
)
def test_mistake_is_one_message_that_names_file_key_and_remedy(
    changes: dict[str, Any], parts: list[str]
) -> None:
    with pytest.raises(CampareError) as caught:
        complete(**changes)
    message = str(caught.value)
    assert message.startswith("study.yaml: ")
    assert "\n" not in message
    for part in parts:
        assert part in message


# What a value is to YAML; a key that is of another kind must refuse it.
VALUES: list[tuple[Any, str]] = [
    (None, "null"),
    (True, "boolean"),
    (0, "integer"),
    (-1, "integer"),
    (2.0, "number"),
    (2.5, "number"),
    ("", "string"),
    ("x", "string"),
    ("2", "string"),
    ("1e-3", "string"),
    ("../x", "string"),
    ([], "array"),
    ([1, 1], "array"),
    ([None], "array"),
    ({}, "object"),
    ({"a": 1}, "object"),
    ({1: 2}, "no key has it"),
    (float("nan"), "no key has it"),
    (float("-inf"), "no key has it"),
    (10**30, "no key has it"),
    ("a\nb", "no key has it"),
    (date(2024, 5, 1), "no key has it"),
]
REMEDIES = ("must be", "known: ", "remove ", "quotes", "missing", "write ")


def keys(part: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in part.get("properties", {}).items():
        yield (*path, key)
        yield from keys(value, (*path, key))


def kinds_of(path: tuple[str, ...]) -> set[str]:
    """What the schema says that a key is."""
    part = config.schema()
    for key in path:
        part = part["properties"][key]
    if "$ref" in part or "type" not in part:
        return {"string"}
    kinds = part["type"]
    kinds = {kinds} if isinstance(kinds, str) else set(kinds)
    return kinds | ({"integer"} if "number" in kinds else set())


@pytest.mark.parametrize("path", [*keys(config.schema())], ids=".".join)
def test_every_key_refuses_in_words_what_it_cannot_mean(path: tuple[str, ...]) -> None:
    needed: dict[str, Any] = {
        "data": {"name": "shapes"},
        "model": {"architecture": "small_cnn"},
        "hybrid": {"network": "small_cnn"},
        "normalise": {"mean": [0.5], "std": [0.5]},
        "occlusion": {"sizes": [2]},
        "own_images": {"folder": "x"},
        "controls": {"baselines": {"seeds": [11], "vary": ["order"]}},
    }
    for value, kind in VALUES:
        study = {**copy.deepcopy(STUDY), "data": {"name": "shapes"}}
        if path[0] in ("representations", "known_changes"):
            study["controls"] = {"baselines": {"seeds": [11, 12, 13], "vary": ["order"]}}
        if path[0] == "known_changes" and path[1:]:
            study["known_changes"] = {"untrained_layers": [1], "label_noise": [0.2]}
        inner = study
        for key in path[:-1]:
            inner = inner.setdefault(key, copy.deepcopy(needed.get(key, {})))
        inner[path[-1]] = value
        try:
            config.complete(study, "study.yaml")
        except CampareError as error:
            assert str(error).startswith(f"study.yaml: {'.'.join(path)}"), error
            assert any(words in str(error) for words in REMEDIES), error
            assert "\n" not in str(error)
        else:
            assert kind in kinds_of(path), value


def test_any_torchvision_classifier_is_an_architecture() -> None:
    assert complete(model={"architecture": "mobilenet_v2"})["model"]["input_size"] == 32


def test_torchvision_names_are_torchvisions_own() -> None:
    models = pytest.importorskip("torchvision").models
    found = registry.torchvision_classifiers()
    assert list(found) == sorted(models.list_models(module=models))
    for name, cost in found.items():
        assert cost in [weights.meta["_ops"] for weights in models.get_model_weights(name)]


def test_without_torchvision_its_names_are_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "torchvision_classifiers", dict)
    assert complete(model={"architecture": "mobilenet_v2"})["model"]["input_size"] == 32


def test_timms_names_and_tags_are_timms_own() -> None:
    import timm

    found = registry.timm_classifiers()
    assert list(found) == sorted(timm.list_models())
    listed = {f"{name}.{tag}" for name, tags in found.items() for tag in tags}
    published = set(timm.list_pretrained())
    assert len(published - listed) < 0.05 * len(published)
    # Where tags are listed, all are.
    assert not [name for name in published - listed if found[name.partition(".")[0]]]


def test_timm_is_not_imported_to_check_names() -> None:
    code = (
        "import sys; from campare import registry;"
        "registry.check_architecture('timm:resnet50.a1_in1k'); registry.gmacs('timm:resnet50', 32);"
        "assert not {'timm', 'torch', 'torchvision'} & set(sys.modules)"
    )
    scripts = Path(config.__file__).parents[1]
    environment = os.environ | {"PYTHONPATH": str(scripts)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("timm:resnet5", r"architecture: unknown .*did you mean 'timm:resnet50'.*in timm resnet50"),
        ("timm:resnet50.a1", r"architecture: 'timm:resnet50\.a1' has an unknown tag.*a1_in1k"),
        ("timm:resnet50.a1_in1k", r"architecture: .*names weights by a tag; write model\.weights"),
        ("timm:", r"architecture: unknown architecture 'timm:'"),
    ],
)
def test_names_of_timm_are_checked(name: str, message: str) -> None:
    with pytest.raises(CampareError, match=rf"model\.{message}"):
        complete(model={"architecture": name})
    complete(model={"architecture": "timm:resnet50"})
    complete(model={"architecture": "timm:resnet50.a1_in1k", "weights": "published"})


def test_without_timm_its_names_are_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "timm_classifiers", dict)
    complete(model={"architecture": "timm:unknown"})


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"weights": "nowhere.pth"}, r"weights: there is no file nowhere\.pth; write"),
        ({"weights": "published"}, r"weights: there are no published weights of small_cnn; write"),
        ({"weights": "{folder}/keras.h5"}, r"weights: .*keras\.h5 is neither a safetensors"),
        ({"weights": "{folder}"}, r"weights: there is no file"),
        ({"normalise": "image"}, r"normalise: 'image'; must be training, imagenet, or"),
        ({"normalise": {"mean": [0.5]}}, r"normalise: 'std' is required, but missing"),
        (
            {"normalise": {"mean": [0.5, 0.5], "std": [1, 1]}},
            r"normalise\.mean: 2 value.*write 1 or 3",
        ),
        ({"normalise": {"mean": [0.5], "std": [1, 1, 1]}}, r"normalise\.std: 3 value.*write 1,"),
        ({"normalise": {"mean": [0.5], "std": [0]}}, r"normalise\.std\.0: 0; must be .*> 0"),
        ({"batch_norm_momentum": 0}, r"batch_norm_momentum: 0; must be a number > 0"),
    ],
)
def test_weights_and_normalisation_are_checked(
    model: dict[str, Any], message: str, tmp_path: Path
) -> None:
    (tmp_path / "keras.h5").write_bytes(b"\x89HDF\r\n\x1a\n and more")
    if isinstance(path := model.get("weights"), str):
        model = {"weights": path.replace("{folder}", str(tmp_path))}
    with pytest.raises(CampareError, match=rf"model\.{message}"):
        complete(model={"architecture": "small_cnn", **model})


def test_files_of_weights_are_recognised_by_their_content(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    tensors = {"weight": torch.zeros(2)}
    torch.save(tensors, tmp_path / "zip")
    torch.save(tensors, tmp_path / "old", _use_new_zipfile_serialization=False)
    save_file(tensors, tmp_path / "safe")
    for name in ("zip", "old", "safe"):
        complete(model={"architecture": "small_cnn", "weights": str(tmp_path / name)})


def test_normalisation_has_a_number_for_each_channel_of_the_data() -> None:
    grey = {"mean": [0.5], "std": [0.5]}
    complete(
        model={"architecture": "small_cnn", "normalise": grey},
        data={"name": "digits", "channels": 1},
    )
    with pytest.raises(CampareError, match=r"model\.normalise\.mean: 1 value.*write 3,"):
        complete(
            model={"architecture": "small_cnn", "normalise": grey},
            data={"name": "digits", "channels": 3},
        )


FURTHER = {"baselines": {"seeds": [11, 12], "vary": ["order"]}}


def test_controls_are_left_out_by_default_and_completed_where_they_are_not() -> None:
    assert "controls" not in complete()
    found = complete(controls=FURTHER)["controls"]
    defaults = {
        "duplicated_originals": False,
        "longer_training": False,
        "matched_seeds": None,
        "uninformative": False,
    }
    assert found == FURTHER | defaults


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"controls": {"baselines": {"seeds": [2], "vary": ["init"]}}}, "2 is one of `seeds`"),
        ({"controls": {"baselines": {"seeds": [0], "vary": ["init"]}}}, "0 is model.seed, "),
        ({"controls": {"baselines": {"seeds": [0], "vary": ["order"]}}}, "0 is training.seed, "),
        (
            {"controls": {"baselines": {"seeds": [11], "vary": ["init", "subset"]}}},
            "list it in both or in neither",
        ),
        ({"reference": "all"}, "needs 1 or more controls.baselines.seeds; add 1"),
        (
            {"reference": "disjoint", "controls": FURTHER,
             "augmentations": {"affine": {}, "cutmix": {}, "equalize": {}}},
            "needs 3 or more controls.baselines.seeds; add 1",
        ),
        *(
            (
                {"reference": policy, "vary": ["augmentation", "init", "order"],
                 "controls": {"baselines": {"seeds": [11, 12, 13], "vary": ["init"]}}},
                "controls.baselines.vary: order is missing.*models of seed 1.*reference: ",
            )
            for policy in ("all", "disjoint")
        ),
        ({"reference": "none"}, "set two or more"),
        (
            {
                "controls": {"longer_training": True},
                "augmentations": {"longer_training": {"use": "affine"}},
            },
            "augmentations.longer_training: controls.longer_training trains models of that name",
        ),
        (
            {
                "controls": {"uninformative": True},
                "augmentations": {"untrained": {"use": "affine"}},
            },
            "augmentations.untrained: controls.uninformative",
        ),
        (
            {"controls": {"longer_training": True}, "training": {"steps_per_epoch": 10}},
            "same number of steps already",
        ),
        ({"analysis": {"summary": "entropy"}}, "analysis.summary: 'entropy' is not one of"),
        ({"analysis": {"summary": "kl"}}, "analysis.summary: 'kl' is not one of"),
        (
            {"controls": {}, "similarity": {"metrics": ["entropy"]}},
            "similarity.metrics: none of entropy compares two maps.*add one that does, such as",
        ),
    ],
)  # fmt: skip
def test_controls_that_do_not_go_together_are_refused(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(CampareError, match=message):
        complete(**changes)


def test_a_further_baseline_may_have_any_seed_where_the_seed_of_the_first_decides() -> None:
    further = {"seeds": [0], "vary": ["init"]}
    assert complete(vary=["init", "order"], controls={"baselines": further})


def test_the_summary_is_of_the_first_metric_that_compares_maps() -> None:
    metrics = ["class_kld", "entropy", "mad", "pearson"]
    chosen = complete(similarity={"metrics": metrics})["analysis"]["summary"]
    assert chosen == "mad"
    asked = complete(similarity={"metrics": metrics}, analysis={"summary": "class_kld"})
    assert asked["analysis"]["summary"] == "class_kld"
    assert complete(similarity={"metrics": ["entropy"]})["analysis"]["summary"] == "entropy"


def test_the_study_for_reviewers_has_every_control_and_can_be_tested() -> None:
    study = shipped("evidence")
    assert all(
        study["controls"][name]
        for name in ("duplicated_originals", "longer_training", "uninformative")
    )
    further = study["controls"]["baselines"]
    assert set(further["vary"]) == set(study["vary"]) - {"augmentation"}
    assert len(study["seeds"]) >= 6 and len(further["seeds"]) >= len(study["augmentations"])


def test_parameters_of_a_data_set_are_completed() -> None:
    given = {"name": "shapes", "parameters": {"noise": 0.3}}
    parameters = complete(data=given)["data"]["parameters"]
    defaults = {key: entry.default for key, entry in registry.DATASETS["shapes"].parameters.items()}
    assert parameters == defaults | {"noise": 0.3}
    assert complete(data={"name": "shapes"})["data"]["parameters"] == defaults
    assert "parameters" not in complete()["data"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"name": "digits", "parameters": {}}, "data.parameters: digits has no parameters; remove"),
        (
            {"name": "shapes", "parameters": {"nose": 0.3}},
            "data.parameters.nose: unknown key; did you mean 'noise'",
        ),
        (
            {"name": "shapes", "parameters": {"contrast": 0}},
            "data.parameters.contrast: 0; must be a number > 0, ≤ 1",
        ),
        (
            {"name": "shapes", "parameters": {"scale": [0.4, 0.3]}},
            r"data.parameters: shapes.scale: \[0.4, 0.3\] is no",
        ),
    ],
)
def test_wrong_parameters_of_a_data_set_are_named(data: dict[str, Any], message: str) -> None:
    with pytest.raises(CampareError, match=message):
        complete(data=data)


def test_localisation_needs_images_with_masks(tmp_path: Path) -> None:
    own = {"name": "image_folder", "root": str(tmp_path)}
    for given in ({"name": "digits"}, own):
        with pytest.raises(CampareError, match=r"localisation: needs masks of the test images"):
            complete(data=given, localisation={})
    (tmp_path / "masks" / "train").mkdir(parents=True)
    assert complete(data=own, localisation={})["localisation"] == {"spurious": None}
    assert complete(data={"name": "shapes"}, localisation={"spurious": "cue"})


def test_the_shapes_study_asks_its_question() -> None:
    study = shipped("shapes")
    assert set(study["augmentations"]) == {"cutmix", "random_erasing", "random_crop"}
    assert 0 < study["data"]["parameters"]["cue_share"] < 1
    assert study["localisation"]["spurious"] == "cue"
    assert len(study["seeds"]) >= 3


@pytest.mark.parametrize("name", ["cifar10", "cifar10-small"])
def test_in_place_and_added_differ_in_nothing_else(name: str) -> None:
    in_place, added = shipped(name), shipped(f"{name}-added")
    for key in ("data", "split", "model", "training", "seeds", "vary", "similarity"):
        assert in_place[key] == added[key], key
    for augmentation, steps in added["augmentations"].items():
        assert in_place["augmentations"][augmentation] == steps


def test_copies_are_added_for_the_augmentations_of_the_thesis() -> None:
    assert shipped("cifar10-small-added")["augmentations"] == shipped("thesis")["augmentations"]


def test_the_small_studies_of_cifar10_differ_in_their_training_images() -> None:
    small, full = shipped("cifar10-small"), shipped("cifar10")
    for key in ("data", "model", "training", "seeds", "vary", "similarity"):
        assert small[key] == full[key], key
    small["split"]["subset"]["train"] = full["split"]["subset"]["train"]
    assert small["split"] == full["split"]
    for augmentation, steps in small["augmentations"].items():
        assert full["augmentations"][augmentation] == steps


@pytest.mark.parametrize(
    "name", ["cifar10", "cifar10-added", "cifar10-small", "cifar10-small-added", "finetune"]
)
def test_the_large_studies_can_be_tested(name: str) -> None:
    """p of the exact test can be below 0.05 after Holm's correction."""
    study = shipped(name)
    models, arms = len(study["seeds"]), len(study["augmentations"])
    baselines = 1 + len(study["controls"]["baselines"]["seeds"])
    assert arms / math.comb(models + baselines, models) < 0.05
