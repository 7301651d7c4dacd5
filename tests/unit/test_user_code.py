"""Functions in files of the user: what a study may name, how mistakes are reported, what runs."""

from __future__ import annotations

import copy
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import early_checks
from campare import cams, config, data, models, registry, similarity, user_code
from campare.augment import Augmenter, Batch
from campare.design import Design
from campare.errors import CampareError
from campare.settings import Settings

SCRIPTS = Path(__file__).parents[2] / "workflow" / "scripts"
STUDY: dict[str, Any] = {
    "study": "tiny",
    "data": {"name": "digits"},
    "model": {"architecture": "small_cnn"},
    "augmentations": {"affine": {}},
}
MINE = '''
"""Functions of a study."""
from dataclasses import replace

import numpy as np
import torch
from torch import nn

import campare
from campare.data import Dataset, Regions


def darker(batch, draw, factor: float, kinds: list = (), name: str | None = None, *, whole=False):
    return replace(batch, images=(batch.images * factor).to(torch.uint8))


def wrong_shape(batch, draw):
    return replace(batch, images=batch.images[:, :, 1:])


def no_batch(batch, draw):
    return batch.images


def failing(batch, draw):
    size = 3
    return size / 0


def net(classes, channels, width: int = 4, deep: bool = False):
    return nn.Sequential(
        nn.Conv2d(channels, width, 3, padding=1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(width, classes),
    )


def no_net(classes, channels):
    return classes


def other_scores(classes, channels):
    return net(classes + 1, channels)


def cam(view):
    return view.activations.mean(1)


def flat_cam(view):
    return view.activations.mean((1, 2, 3))


@campare.metric(label="Largest difference", bounds=(0, 1), same=0)
def largest(pairs):
    return np.abs(pairs.p.shown - pairs.q.shown).max((1, 2))


@campare.metric(label="Mean", same=None)
def total_mean(pairs):
    return pairs.q.shown.mean()


@campare.metric(label="Area", same=None)
def area(pairs):
    return (pairs.q.shown > 0.5).mean((1, 2))


def unlabelled(pairs):
    return pairs


def images(root, number: int = 12, masked: bool = False):
    labels = np.arange(number) % 2
    grey = np.zeros((number, 8, 8, 1), np.uint8) + 90 * labels[:, None, None, None].astype(np.uint8)
    masks = np.zeros((number, 1, 8, 8), bool)
    masks[:, :, :4] = True
    regions = Regions(("object",), masks) if masked else None
    return Dataset(grey, labels, ("dark", "bright"), None, regions)


def floats(root):
    made = images(root)
    return Dataset(made.images / 255, made.labels, made.classes, None)


def far_labels(root):
    made = images(root)
    return Dataset(made.images, made.labels + 1, made.classes, None)
'''


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "mine.py").write_text(MINE)
    monkeypatch.setattr(sys, "path", list(sys.path))
    user_code.use(tmp_path)
    yield tmp_path
    user_code.use("")


def complete(**changes: Any) -> dict[str, Any]:
    return config.complete({**copy.deepcopy(STUDY), **changes}, "study.yaml")


# What a study may name


def test_a_study_takes_functions_wherever_it_takes_names() -> None:
    study = complete(
        data={"name": "mine.py:images", "parameters": {"number": 20}},
        model={"architecture": "mine.py:net", "parameters": {"width": 8}},
        augmentations={
            "dark": {"use": "mine.py:darker", "factor": 0.5},
            "both": {"compose": ["equalize", {"mine.py:darker": {"factor": 1, "name": None}}]},
        },
        cam={"method": "mine.py:cam", "variants": {"a": {"method": "gradcam"}}},
        similarity={"metrics": ["mine.py:largest", "mine.py:largest_native", "mad"]},
        analysis={"summary": "mine.py:largest"},
        architectures=["mine.py:net", "small_cnn"],
        hybrid={"network": "mine.py:net", "method": "mine.py:cam"},
    )
    assert study["augmentations"]["dark"] == [["mine.py:darker", {"factor": 0.5}]]
    assert study["augmentations"]["both"][1] == ["mine.py:darker", {"factor": 1, "name": None}]
    assert study["similarity"]["metrics"] == ["largest", "largest_native", "mad"]
    assert study["analysis"]["summary"] == "largest"
    assert set(user_code.functions()) == {
        *("mine.py:images", "mine.py:net", "mine.py:darker", "mine.py:cam", "mine.py:largest"),
    }
    design = Design(study)
    assert design.distances == design.metrics == ["largest", "largest_native", "mad"]
    training = design.training(design.augmented[0])
    assert training["architecture"] == "mine.py:net"
    assert training["architecture_parameters"] == {"width": 8}
    assert "localisation" not in study
    entry = registry.metric("largest_native")
    assert entry.label == "Largest difference, native resolution"
    assert (entry.same, entry.bounds, entry.symmetric) == (0, (0, 1), True)


def test_a_study_without_functions_is_as_before() -> None:
    study = complete()
    assert user_code.functions() == [] and user_code.state() is None
    assert "architecture_parameters" not in Design(study).training(("affine", 1))
    assert "parameters" not in study["model"]


def test_metrics_of_another_study_are_forgotten() -> None:
    complete(similarity={"metrics": ["mine.py:largest"]})
    complete()
    with pytest.raises(CampareError, match="unknown metric 'largest'"):
        registry.metric("largest")


def test_a_job_finds_what_the_rules_have_checked(folder: Path) -> None:
    complete(similarity={"metrics": ["mine.py:area"]})
    state = user_code.state()
    assert state == {"folder": str(folder), "functions": [["metric", "mine.py:area"]]}
    user_code.use("elsewhere")
    user_code.use(**state)
    assert registry.metric("area").same is None


def test_checks_run_nothing_and_import_no_torch(folder: Path) -> None:
    (folder / "loud.py").write_text("print('run')\n1 / 0\ndef f(batch, draw): ...\n")
    code = f"""
        import sys; sys.path.insert(0, {str(SCRIPTS)!r})
        from campare import config, user_code
        user_code.use({str(folder)!r})
        study = {STUDY!r} | {{
            "augmentations": {{"a": {{"use": "loud.py:f"}}}},
            "model": {{"architecture": "mine.py:net"}},
            "similarity": {{"metrics": ["mine.py:area"]}},
        }}
        config.complete(study, "study.yaml")
        print(*sys.modules)
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True
    )
    assert not {"run", "torch"} & set(run.stdout.split())


# Mistakes, before the first job


def augmented(use: str, **parameters: Any) -> dict[str, Any]:
    return {"augmentations": {"mine": {"use": use, **parameters}}}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (augmented("mine.py:darker"), r"augmentations\.mine: .*mine\.py, line \d+: darker needs"),
        (augmented("mine.py:darker", factr=1), r"has no parameter 'factr'; did you mean 'factor'"),
        (
            augmented("mine.py:darker", factor="a"),
            r"parameter factor of mine\.py:darker: 'a'; must be a number",
        ),
        (augmented("mine.py:darker", factor=True), r"factor of .*: true; must be a number"),
        (augmented("mine.py:darker", factor=1, kinds=2), r"kinds of .*: 2; must be a list"),
        (augmented("mine.py:darker", factor=1, name=2), r"name of .*: 2; must be text"),
        (augmented("mine.py:darkr", factor=1), r"mine\.py: has no function 'darkr'.*'darker'"),
        (augmented("mine.py"), r"'mine\.py': write file\.py:function"),
        (augmented("mine.py:"), r"write file\.py:function"),
        (augmented("other.py:f"), r"there is no file .*other\.py; paths are relative to "),
        (
            {"augmentations": {"a": {"compose": [{"mine.py:darker": 2}]}}},
            r"augmentations\.a\.compose: mine\.py:darker: 2 is not a mapping of parameters",
        ),
        (augmented("/mine.py:f"), r"write the path relative to the folder of the config"),
        (augmented("mine.py:cam"), r"cam takes 1 argument.* cam\(batch, draw, …\)"),
        (
            {"model": {"architecture": "mine.py:net", "parameters": {"width": 1.5}}},
            r"study\.yaml: model\.architecture: parameter width of mine\.py:net: 1\.5; must",
        ),
        (
            {"model": {"architecture": "mine.py:net", "parameters": {"deep": 1}}},
            r"deep of mine\.py:net: 1; must be true or false",
        ),
        (
            {"model": {"architecture": "small_cnn", "parameters": {"width": 1}}},
            r"model\.parameters: small_cnn has no parameters; remove the key",
        ),
        ({"architectures": ["mine.py:nothing"]}, r"architectures: .*has no function 'nothing'"),
        ({"hybrid": {"network": "mine.py:nothing"}}, r"hybrid\.network: .*has no function"),
        ({"cam": {"method": "mine.py:cm"}}, r"cam\.method: .*has no function 'cm'"),
        (
            {"cam": {"variants": {"a": {"method": "mine.py:cm"}}}},
            r"cam\.variants\.a\.method: .*has no function 'cm'",
        ),
        ({"cam": {"method": "gradcm"}}, r"cam\.method: 'gradcm' is not allowed; did you mean"),
        ({"data": {"name": "mine.py:imges"}}, r"data\.name: .*has no function 'imges'"),
        ({"data": {"name": "digts"}}, r"data\.name: 'digts' is not allowed; did you mean"),
        (
            {"data": {"name": "mine.py:images", "parameters": {"number": "2"}}},
            r"data\.name: parameter number of mine\.py:images: '2'; must be a whole number",
        ),
        (
            {"similarity": {"metrics": ["mine.py:unlabelled"]}},
            r"similarity\.metrics: .*mine\.py, line \d+: unlabelled does not say .*write @campare",
        ),
    ],
)
def test_a_mistake_is_one_message(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(CampareError, match=message) as caught:
        complete(**changes)
    assert str(caught.value).startswith("study.yaml: ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def f(batch, draw):\n    return (\n", r"broken\.py, line 2: '\(' was never closed"),
        ("x = 1\ndef f(batch, draw)\n    return 1\n", r"broken\.py, line 2: expected ':'"),
        ("def f(batch, draw): ...\nx = '\0'\n", r"broken\.py"),
        ("from . import helpers\ndef f(batch, draw): ...\n", r"line 1: a relative import"),
        ("from helpers import *\ndef f(batch, draw): ...\n", r"line 1: from helpers import \*"),
        ("import json\ndef f(batch, draw): ...\n", r"import json: an installed module"),
        ("\nimport parts\ndef f(batch, draw): ...\n", r"line 2: import parts: a folder"),
        ("import worse\ndef f(batch, draw): ...\n", r"worse\.py, line 1: "),
    ],
)
def test_a_file_that_cannot_be_followed_is_refused(folder: Path, text: str, message: str) -> None:
    (folder / "parts").mkdir()
    for name in ("helpers", "json", "parts/a"):
        (folder / f"{name}.py").write_text("x = 1\n")
    (folder / "worse.py").write_text("x = \n")
    (folder / "broken.py").write_text(text)
    with pytest.raises(CampareError, match=message):
        complete(**augmented("broken.py:f"))


@pytest.mark.parametrize(
    ("decorator", "message"),
    [
        ("metric(same=1.0)", r"label: missing; must be text"),
        ('metric("Cosine")', r"name its arguments"),
        ('metric(label="a", bound=(0, 1))', r"unknown argument 'bound'; did you mean 'bounds'"),
        ('metric(label="a", bounds=(0,))', r"bounds: \(0,\); must be \(low, high\)"),
        ('metric(label="a", same=ONE)', r"same=ONE; write it as a number or text"),
        ('metric(label="a", same="1")', r"same: '1'; must be a number or None"),
        ('metric(label="a", of="maps, too")', r"of: 'maps, too'; must be"),
        ('metric(label="a", symmetric=1)', r"symmetric: 1; must be True or False"),
    ],
)
def test_what_a_metric_says_of_itself_is_checked(
    folder: Path, decorator: str, message: str
) -> None:
    text = f"from campare import metric\nONE = 1\n@{decorator}\ndef f(pairs):\n    return pairs\n"
    (folder / "other.py").write_text(text)
    with pytest.raises(
        CampareError, match=rf"similarity\.metrics: .*other\.py, line 3: .*{message}"
    ):
        complete(similarity={"metrics": ["other.py:f"]})


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("pearson", "pearson is the name of another metric"),
        ("overlap_20", "overlap_20 is the name of another metric"),
        ("label", "label is the name of a column"),
        ("Cosine", ".* small letters"),
        ("area", "area is the name of another metric"),
    ],
)
def test_a_metric_needs_a_name_of_its_own(folder: Path, name: str, message: str) -> None:
    text = f'import campare\n@campare.metric(label="a")\ndef {name}(pairs):\n    return pairs\n'
    (folder / "other.py").write_text(text)
    with pytest.raises(CampareError, match=rf"other\.py:{name}: {message}"):
        complete(similarity={"metrics": ["mine.py:area", "mad", f"other.py:{name}"]})


def test_two_architectures_need_two_names_in_files(folder: Path) -> None:
    (folder / "other.py").write_text("def net(classes, channels): ...\n")
    names = ["mine.py:net", "other.py:net"]
    with pytest.raises(CampareError, match=r"mine\.py:net and other\.py:net would have the"):
        complete(architectures=names)
    with pytest.raises(CampareError, match="the same name"):
        complete(architectures=names[:1], hybrid={"network": names[1]})


def test_a_function_with_any_parameters_takes_any(folder: Path) -> None:
    (folder / "other.py").write_text("def f(*args, **kwargs): ...\n")
    study = complete(**augmented("other.py:f", anything=[1, "a"]))
    assert study["augmentations"]["mine"] == [["other.py:f", {"anything": [1, "a"]}]]


# Running


def batch(size: int = 4) -> Batch:
    images = torch.full((3, 1, size, size), 100, dtype=torch.uint8)
    return Batch(images, torch.eye(3))


def augment(name: str, **parameters: Any) -> Batch:
    augmenter = Augmenter([(name, parameters)], 0, batch())
    keys = torch.arange(3)
    return augmenter(batch(), keys, torch.ones_like(keys), 1)


def test_an_augmentation_runs_with_its_parameters() -> None:
    assert (augment("mine.py:darker", factor=0.5).images == 50).all()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "wrong_shape",
            r"mine\.py:wrong_shape: returns images .*; must be torch\.uint8 \(3, 1, 4,",
        ),
        ("no_batch", r"mine\.py:no_batch: returns Tensor; return a Batch"),
    ],
)
def test_an_augmentation_must_return_a_batch_like_its_own(name: str, message: str) -> None:
    with pytest.raises(CampareError, match=message):
        augment(f"mine.py:{name}")


def test_an_error_within_a_function_has_the_lines_of_the_file_alone(folder: Path) -> None:
    with pytest.raises(CampareError) as caught:
        augment("mine.py:failing")
    line = MINE.splitlines().index("    return size / 0") + 1
    assert str(caught.value).splitlines() == [
        "mine.py:failing failed:",
        f"  {folder}/mine.py, line {line}, in failing",
        "    return size / 0",
        "ZeroDivisionError: division by zero",
    ]


@pytest.mark.parametrize("last", ["import nothing_at_all", "raise SystemExit(0)", "a = b"])
def test_a_file_that_fails_at_import_is_one_message(folder: Path, last: str) -> None:
    (folder / "beside_broken.py").write_text(f"def g(): ...\n\n{last}\n")
    (folder / "broken.py").write_text("import beside_broken\n\ndef f(batch, draw): ...\n")
    complete(**augmented("broken.py:f"))
    with pytest.raises(CampareError) as caught:
        early_checks.check_files()
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{folder}/broken.py cannot be imported:"
    assert lines[1:5] == [
        f"  {folder}/broken.py, line 1, in <module>",
        "    import beside_broken",
        f"  {folder}/beside_broken.py, line 3, in <module>",
        f"    {last}",
    ]
    assert len(lines) == 6


def test_a_file_is_imported_once_and_hides_no_module(folder: Path) -> None:
    (folder / "statistics.py").write_text("COUNT = []\ndef f(batch, draw):\n    return COUNT\n")
    first = user_code.load("statistics.py:f")(0, 0)
    assert user_code.load("statistics.py:f")(0, 0) is first
    import statistics

    assert statistics.mean([1, 3]) == 2


def test_an_architecture_is_built_and_loaded_with_its_parameters(tmp_path: Path) -> None:
    from campare.checkpoints import save

    network = models.build("mine.py:net", classes=2, channels=1, seed=3, parameters={"width": 6})
    again = models.build("mine.py:net", classes=2, channels=1, seed=3, parameters={"width": 6})
    assert network[0].weight.shape[0] == 6
    assert torch.equal(network[0].weight, again[0].weight)
    about = {"settings": {"architecture_parameters": {"width": 6}}}
    save(tmp_path / "net.safetensors", network.state_dict(), about)
    read, _ = models.load(tmp_path / "net.safetensors", "mine.py:net", classes=2, channels=1)
    assert torch.equal(read[3].weight, network[3].weight)
    with pytest.raises(CampareError, match=r"mine\.py:no_net: returns int; must return a torch"):
        models.build("mine.py:no_net", classes=2, channels=1, seed=0)


def settings(architecture: str = "small_cnn", **parameters: Any) -> Settings:
    study = complete(model={"architecture": architecture, "input_size": 16})
    training = Design(study).training(("baseline", 1))
    return Settings(**training, architecture_parameters=parameters)


def test_parameters_are_of_the_models_architecture_alone() -> None:
    model = {"architecture": "mine.py:net", "parameters": {"width": 5}}
    design = Design(complete(model=model, architectures=["mine.py:other_scores", "mine.py:net"]))
    assert "architecture_parameters" not in design.candidate("mine.py:other_scores")
    assert design.candidate("mine.py:net")["architecture_parameters"] == {"width": 5}


@pytest.mark.parametrize("values", [[0.5, 1], ["half"]])
def test_a_parameter_of_a_function_can_be_swept(values: list[Any]) -> None:
    changes = augmented("mine.py:darker", factor=0.1) | {"sweep": {"mine": {"factor": values}}}
    if values == ["half"]:
        with pytest.raises(CampareError, match=r"sweep\.mine: parameter factor .*'half'; must"):
            complete(**changes)
        return
    steps = complete(**changes)["augmentations"]
    assert steps["mine_factor_0p5"] == [["mine.py:darker", {"factor": 0.5}]]
    assert steps["mine"] == [["mine.py:darker", {"factor": 0.1}]]


def test_augmentations_are_tried_before_training() -> None:
    with pytest.raises(CampareError, match=r"augmentations\.mine: mine\.py:wrong_shape: returns"):
        early_checks.check_maps(small(), settings(), STUDY | augmented("mine.py:wrong_shape"))
    early_checks.check_maps(small(), settings(), STUDY | augmented("mine.py:darker", factor=1))


def small(number: int = 6) -> data.Dataset:
    images = np.random.default_rng(0).integers(0, 256, (number, 16, 16, 1), dtype=np.uint8)
    return data.Dataset(images, np.arange(number) % 2, ("a", "b"), np.full(number, ""))


def test_networks_and_cam_methods_are_tried_before_training() -> None:
    study = {**STUDY, "cam": {"method": "mine.py:cam"}}
    early_checks.check_maps(small(), settings("mine.py:net"), study)
    with pytest.raises(
        CampareError, match=r"mine\.py:flat_cam: returns a tensor \(2,\) for 2 imag"
    ):
        changed = {**STUDY, "cam": {"variants": {"a": {"method": "mine.py:flat_cam"}}}}
        early_checks.check_maps(small(), settings(), changed)
    for check in (early_checks.check_maps, early_checks.check_network):
        with pytest.raises(CampareError, match=r"other_scores: the network returns \(2, 3\) for 2"):
            check(small(), settings("mine.py:other_scores"), STUDY)


@pytest.mark.parametrize(
    ("hybrid", "message"),
    [
        ({"method": "mine.py:flat_cam"}, r"mine\.py:flat_cam: returns a tensor \(2,\) for 2 imag"),
        ({"network": "mine.py:other_scores"}, r"other_scores: the network returns \(2, 3\) for 2"),
    ],
)
def test_network_and_method_of_a_hybrid_are_tried_before_training(
    hybrid: dict[str, str], message: str
) -> None:
    usual = {"network": "fashion_cnn", "target_layer": "features.0"}
    network = settings(hybrid.get("network", usual["network"]))
    valid = {**STUDY, "hybrid": usual | {"method": "mine.py:cam"}}
    early_checks.check_maps(small(), settings(), valid)
    early_checks.check_network(small(), settings("fashion_cnn"), valid)
    changed = {**STUDY, "hybrid": usual | hybrid}
    with pytest.raises(CampareError, match=message):  # before the models with maps
        early_checks.check_maps(small(), settings(), changed)
    with pytest.raises(CampareError, match=message):  # before this network
        early_checks.check_network(small(), network, changed)


def test_candidate_architectures_are_tried_before_the_first_is_trained() -> None:
    study = {**STUDY, "architectures": ["small_cnn", "mine.py:other_scores"]}
    with pytest.raises(CampareError, match=r"other_scores: the network returns \(2, 3\) for 2"):
        early_checks.check_network(small(), settings(), study)


def test_metrics_are_tried_before_training() -> None:
    valid = {"metrics": ["mine.py:largest", "mine.py:area_native", "mad"]}
    early_checks.check_maps(small(), settings(), {**STUDY, "similarity": valid})
    broken = {**STUDY, "similarity": {"metrics": ["mine.py:total_mean"]}}
    with pytest.raises(CampareError, match=r"metric total_mean: returns an array of shape \(\)"):
        early_checks.check_maps(small(), settings(), broken)
    with pytest.raises(CampareError, match=r"metric total_mean"):  # networks trained elsewhere
        early_checks.check_metrics(("a", "b"))


def test_a_cam_method_makes_maps() -> None:
    network = models.build("small_cnn", classes=2, channels=1, seed=0)
    _, layer = models.target_layer(network, None, (1, 16, 16))
    head = models.head(network, layer, (1, 16, 16))
    (made,) = cams.compute(
        *(network, layer, head, small().images),
        mean=[0.5],
        std=[0.2],
        input_size=16,
        method="mine.py:cam",
    )
    assert made.maps.shape == (6, 4, 4)


def test_a_metric_is_measured_under_the_name_of_its_function() -> None:
    complete(similarity={"metrics": ["mine.py:largest", "mine.py:area_native"]})
    random = np.random.default_rng(0)
    maps = [random.random((5, 4, 4), dtype=np.float32) for _ in range(2)]
    grid = similarity.Grid.of((4, 4), (8, 8))
    p, q = (similarity.MapBatch(each, np.zeros((5, 2), np.float32), grid) for each in maps)
    pairs = similarity.Pairs(p, q, 1e-12)
    measured = similarity.measure("largest", pairs)
    np.testing.assert_allclose(measured["largest"], np.abs(p.shown - q.shown).max((1, 2)))
    assert set(similarity.measure("area_native", pairs)) == {"area_native"}


def load(name: str, **parameters: Any) -> data.Dataset:
    fixed = {"root": None, "size": None, "fit": "crop", "channels": None}
    own = {key: parameters.pop(key) for key in fixed if key in parameters}
    return data.load(name, **{**fixed, **own}, **parameters)


def test_a_data_set_has_the_size_and_channels_of_the_study() -> None:
    plain = load("mine.py:images", number=20)
    assert plain.images.shape == (20, 8, 8, 1) and set(plain.part) == {""}
    assert plain.labels.dtype == np.int64
    larger = load("mine.py:images", masked=True, size=16, channels=3)
    assert larger.images.shape == (12, 16, 16, 3)
    assert larger.regions is not None
    masks = larger.regions.masks
    assert masks.shape == (12, 1, 16, 16) and masks[:, :, :7].all() and not masks[:, :, 9:].any()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("floats", r"mine\.py:floats: returns images float64 \(12, 8, 8, 1\); must be a uint8"),
        ("far_labels", r"mine\.py:far_labels: returns labels int64 \(12,\); must be integers"),
        ("net", r"failed:"),
    ],
)
def test_a_data_set_is_checked(name: str, message: str) -> None:
    with pytest.raises(CampareError, match=message):
        load(f"mine.py:{name}")


def test_masks_of_a_data_set_are_used_if_the_study_asks_for_them() -> None:
    assert "localisation" not in complete(data={"name": "mine.py:images"})
    assert "localisation" in complete(data={"name": "mine.py:images"}, localisation={})


def test_resources_are_estimated_without_running_the_file() -> None:
    assert registry.gmacs("mine.py:net", 224) == registry.USUAL_GMACS
    assert registry.architecture_function("mine.py:net") == "mine.py:net"
