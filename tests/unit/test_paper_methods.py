"""The methods section and the checklist: a true sentence for every setting, for every study."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
import yaml

from campare import config, registry, user_code
from campare.design import Design
from campare.labels import title
from campare.paper import checklist, contents, document, facts, latex, methods, references
from campare.paper.facts import Facts, Maps, Usage

ROOT = Path(__file__).parents[2]
STUDY: dict[str, Any] = {
    "study": "tiny",
    "data": {"name": "digits"},
    "model": {"architecture": "small_cnn"},
    "augmentations": {"affine": {}},
}
FACTS = Facts(
    ["cat", "dog"],
    *(8, 1, 1797, False),
    {"train": 1200, "validation": 100, "test": 400},
    500,
    parameters=24058,
    epochs=(3, 3),
    maps={"": Maps("features", 7, 7)},
    versions={"torch": "2.11.0", "numpy": "2.4.6", "grad-cam": "1.5.7"},
    devices=["cpu"],
    trained_on="cpu",
    usage={"training": Usage(3, 7200, 3600), "maps": Usage(3, 60, 60)},
)


def design(**changes: Any) -> Design:
    return Design(config.complete({**STUDY, **changes}, "study.yaml"))


def text(facts: Facts = FACTS, **changes: Any) -> str:
    return methods.markdown(design(**changes), facts)


def shipped(name: str) -> Design:
    path = ROOT / "config" / name
    user_code.use(path.parent)
    return Design(config.complete(yaml.safe_load(path.read_text()), name))


def check(written: str) -> None:
    """No value that is not in words, no unfinished sentence, only known references."""
    prose = re.sub(r"`[^`]*`", "x", written)
    assert not re.search(r"\bNone\b|\bTrue\b|\bFalse\b|\{|\}|\[\]|\(\)|  | \.|\.\.", prose)
    for paragraph in written.split("\n\n"):
        assert paragraph.startswith("#") or paragraph.rstrip()[-1] in ".:?", paragraph
    references.bibliography(references.cited(written))
    latex.from_markdown(written)


CONFIGS = sorted(path.name for path in (ROOT / "config").glob("*.yaml"))


@pytest.mark.parametrize("name", CONFIGS)
def test_every_study_of_the_project_has_its_methods(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("campare.config._check_weights", lambda *_: None)
    monkeypatch.setattr("campare.imported._problems", lambda *_: iter(()))  # files are missing
    study = shipped(name)
    written = methods.markdown(study, FACTS)
    check(written)
    for augmentation in study.augmentations:
        assert (title(augmentation) if study.imported else f"**{title(augmentation)}**") in written
    used = references.of_registry(study)
    cited = set(references.cited(written))
    missing = {key for value in used.values() for key in references.keys(value)} - cited
    assert missing <= {"jordan2024"}  # only of flips that alternate
    check(checklist.markdown(study, FACTS).replace(".**\n", ".\n"))
    figures = [name for name in contents.figures(study) if name != "summary/summary"]
    captions = document.captions(study, FACTS, figures, None)
    assert all(caption.endswith(".") for caption in captions.values())


@pytest.mark.parametrize(
    ("changes", "said", "unsaid"),
    [
        ({}, "twice as many images", "replaced by an augmented version"),
        (
            {"augmenting": {"mode": "in_place", "probability": 0.5}},
            "each image, with probability 0.5, was replaced",
            "as many images as",
        ),
        (
            {"data": {"name": "torchvision:EMNIST", "parameters": {"split": "letters"}}},
            "We used EMNIST [@cohen2017]: 1,797 grey-level images of 8 × 8 pixels in two classes "
            "(cat and dog). Its parameters are split letters.",
            "to be added by the authors: name",
        ),
        (
            {"data": {"name": "torchvision:SVHN"}},
            "We used SVHN [@netzer2011]: 1,797",
            "Its parameters",
        ),
        ({"augmenting": {"copies": 3}}, "three augmented copies of it", "twice"),
        (
            {"similarity": {"metrics": ["overlap_20_ties"]}},
            "intersection over union of the pixels of each map that are among the top 20 % or",
            "the same for the top",
        ),
        (
            {"hybrid": {"network": "small_cnn"}},
            "trained, without those of the hybrid stage.",
            "None",
        ),
        ({"vary": ["subset", "init"]}, "were drawn for each seed", "is the same for all networks"),
        (
            {"training": {"optimizer": "sgd", "nesterov": True, "schedule": "cosine", "warmup": 2}},
            "fell to zero along half a cosine after a linear warm-up of 2 epochs [@loshchilov2017]",
            "Adam",
        ),
        (
            {"training": {"label_smoothing": 0.1, "ema": 0.99, "gradient_clip": 1}},
            "label smoothing 0.1 [@szegedy2016]",
            "None",
        ),
        ({"training": {"early_stopping": 3}}, "had not increased for three epochs", "None"),
        ({"model": {"architecture": "resnet18", "weights": "published"}}, "torchvision publishes",
         "random weights."),
        (
            {"model": {"architecture": "timm:resnet18", "freeze": "all_but_head"}},
            "resnet18 of the library timm [@wightman2019; @he2016]",
            "Small",
        ),
        (
            {
                "reference": "none",
                "controls": {},
                "augmentations": {"affine": {}, "cutmix": {}},
                "vary": ["init", "augmentation"],
            },
            "networks of two augmentations",
            "noise floor",
        ),
        (
            {"controls": {"baselines": {"seeds": [7, 8], "vary": ["init"]}}, "vary": ["init"]},
            "Three baselines were trained without augmentation (seeds 1, 7 and 8)",
            "step-matched control",
        ),
        (
            {"controls": {"longer_training": True}, "vary": ["init"], "reference": "paired"},
            "As a step-matched control, three networks were trained without augmentation",
            "In every epoch",
        ),
        ({"augmentations": {}}, "One baseline was trained", "The augmentations are"),
        (
            {"sweep": {"gaussian_blur": {"sigma": [0.5, 2]}}},
            "The parameter sigma (pixels) of Gaussian blur was varied: 0.5 and 2",
            "None",
        ),
        (
            {"cam": {"variants": {"other": {"method": "hirescam", "class": "true"}}}},
            "All measurements were repeated with other maps: HiResCAM [@draelos2020], explaining "
            "the true class (other)",
            "None",
        ),
        (
            {"split": {"subset": {"train": 300, "test": 60}}},
            "A stratified sample was used",
            "We used 1,200",
        ),
    ],
)  # fmt: skip
def test_sentences_depend_on_the_study(changes: dict[str, Any], said: str, unsaid: str) -> None:
    written = text(**changes)
    check(written)
    assert said in written
    assert unsaid not in written


@pytest.mark.parametrize("name", ["arrays", "parquet"])
def test_images_of_the_authors_are_to_be_cited_by_them(name: str, tmp_path: Path) -> None:
    root = tmp_path / {"arrays": "a.npz", "parquet": "a.parquet"}[name]
    root.touch()
    if name == "arrays":
        np.savez(root, images=np.zeros((4, 8, 8)), labels=np.arange(4) % 2)
    given = {"name": name, "root": str(root), "window": [-160, 240.5]}
    written = text(data=given)
    check(written)
    files = {"arrays": "arrays", "parquet": "Parquet files"}[name]
    assert "name and citation] has 1,797 grey-level images" in written
    assert f"which were read from {files}. Grey levels from -160 to 240.5 were mapped" in written
    assert "The data are files of the authors" in checklist.markdown(design(data=given), FACTS)


def test_images_with_other_numbers_of_channels_are_described(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=np.zeros((4, 8, 8, 2)), labels=np.arange(4) % 2)
    windows = [[0, 100], [-5, 0.5]]
    given = {"name": "arrays", "root": str(tmp_path / "a.npz"), "window": windows}
    written = text(replace(FACTS, channels=2), data=given)
    check(written)
    assert "has 1,797 2-channel images" in written
    assert "Grey levels from 0 to 100 and -5 to 0.5 in the channels, in their order," in written


def test_parameters_of_augmentations_have_names_values_and_units() -> None:
    words = methods.augmentation("mine", [["affine", design().steps_of("affine")[0][1]]])
    assert "largest rotation 15 degrees; largest shift 0.1 (share of the side)" in words
    for name, entry in registry.AUGMENTATIONS.items():
        values = {key: parameter.default for key, parameter in entry.parameters.items()}
        words = methods.augmentation(name, [[name, values]])
        assert words.startswith(f"**{title(name)}**: ") and words.endswith(".")
        assert not re.search(r"None|True|False|\{|\[(?!@)|this\b", words), words
    mixed = methods.augmentation("cutmix_mixed", [["cutmix_mixed", {"alpha": 0.5}]])
    assert "Beta(0.5, 0.5) of the kept share; labels are mixed as the images are" in mixed


def test_files_that_were_made_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.safetensors", "b.safetensors", "c.h5", "d.h5"):
        Path(name).write_bytes(b"")
    monkeypatch.setattr("campare.imported._problems", lambda *_: iter(()))
    trained = {key: STUDY[key] for key in ("study", "data", "model")}
    arms = {"baseline": ["a.safetensors"], "mine": ["b.safetensors"]}
    of_models = Design(config.complete({**trained, "trained": arms}, "study.yaml"))
    written = methods.markdown(of_models, FACTS)
    check(written)
    assert "this study uses 1 of the baseline and 1 of Mine" in written
    assert "## Augmentations" not in written and "was trained for" not in written
    assert "**To be answered by the authors.**" in checklist.markdown(of_models, FACTS)


def test_maps_that_were_made_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    arms = {"baseline": ["a.h5", "b.h5"], "mine": ["c.h5", "d.h5"]}
    for name in (name for names in arms.values() for name in names):
        with h5py.File(name, "w") as file:
            file["maps"], file["index"] = np.zeros((4, 7, 7), np.float32), np.arange(4)
    monkeypatch.setattr("campare.imported._problems", lambda *_: iter(()))
    study = {"study": "tiny", "data": {"name": "digits"}, "maps": arms, "controls": {}}
    of_maps = Design(config.complete(study, "study.yaml"))
    written = methods.markdown(of_maps, FACTS)
    check(written)
    check(checklist.markdown(of_maps, FACTS).replace(".**\n", ".\n"))
    assert "Maps of 7 × 7 values were made outside of this study" in written
    assert "A is a network of an arm and B one of the baseline" in written
    assert not re.search("accuracy|augmentation and B|was trained|Grad-CAM", written)
    assert "performance" not in contents.tables(of_maps)
    assert not {"sets/sets", "overlays/over_images"} & {*contents.figures(of_maps)}


# Facts


def test_hours_and_energy_are_those_of_the_benchmarks(tmp_path: Path) -> None:
    header = "s\th:m:s\tmax_rss\tcpu_time\n"
    files = {
        "train/affine/1": "100\t0\t1\t50",
        "train/affine/2": "200\t0\t1\t60",
        "variants/true/cams/affine/1": "30\t0\t1\t20",
        "explorer": "5\t0\t1\tNA",
        "variants/true/tables": "7\t0\t1\t6",
        "paper/tables": "9\t0\t1\t9",
    }
    for name, line in files.items():
        path = tmp_path / f"{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(header + line + "\n")
    found = facts.usage(tmp_path)
    assert found == {
        "training": Usage(2, 300, 110),
        "maps": Usage(1, 30, 20),
        facts.REST: Usage(2, 12, 11),
    }
    own = Facts(["a"], (8, 8), 1, 1, False, {"train": 1}, 1, usage=found, trained_on="cuda:0")
    cores, gpus = facts.energy(own, 10, 400)
    assert cores == pytest.approx(141 * 10 / 3.6e6)
    assert gpus == pytest.approx(300 * 400 / 3.6e6)
    assert facts.energy(FACTS, 10, 400)[1] == 0


def test_the_power_is_stated_with_the_energy() -> None:
    study = design(paper={"core_power": 20})
    written = methods.markdown(study, FACTS)
    assert "At an assumed 20 W per busy CPU core, this is about 20 Wh of electrical" in written


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(35.2, "35 seconds"), (754, "13 minutes"), (11160, "3.1 hours"), (444444, "120 hours")],
)
def test_times_in_words(seconds: float, words: str) -> None:
    assert methods.hours(seconds) == words


def test_facts_are_read_from_files(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    save_file(
        {"a.weight": np.zeros((3, 4)), "n.running_mean": np.zeros(9), "n.bias": np.zeros(2)},
        tmp_path / "w.safetensors",
        {"campare": '{"device": "cuda:0"}'},
    )
    assert facts.parameters(tmp_path / "w.safetensors") == 14
    assert facts.trained_on(tmp_path / "w.safetensors") == "cuda:0"
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["images"] = np.zeros((6, 8, 8, 3), np.uint8)
        text_type = h5py.string_dtype()
        file.create_dataset("classes", data=["cat", "dog"], dtype=text_type)
        file["part"] = np.array(["train"] * 4 + ["test"] * 2, "S5")
    rows = {
        "index": range(6),
        "label": [0, 1] * 3,
        "subset": ["train"] * 3 + ["validation"] + ["test"] * 2,
    }
    pd.DataFrame(rows).to_csv(tmp_path / "split.csv", index=False)
    found = facts.read(tmp_path / "data.h5", tmp_path / "split.csv", {})
    assert (found.classes, found.size, found.channels, found.divided) == (
        ["cat", "dog"],
        (8, 8),
        3,
        True,
    )
    assert found.images == {"train": 3, "validation": 1, "test": 2}
    assert found.smallest_class == 2


def test_the_checklist_asks_every_question_once() -> None:
    written = checklist.markdown(design(), FACTS)
    answers = re.findall(r"^\*\*(.*?)\.\*\*", written, re.MULTILINE)
    assert len(answers) == len(checklist.QUESTIONS) == 16
    assert set(answers) <= {"Yes", "No", "NA", checklist.AUTHORS}
    assert "1,200 training, 100 validation and 400 test images" in written


@pytest.mark.parametrize(("seeds", "words"), [([1, 2, 3], "three networks"), ([1], "one network")])
def test_the_least_number_of_networks_is_a_limit(seeds: list[int], words: str) -> None:
    written = checklist.markdown(design(seeds=seeds), FACTS)
    assert f"there are as few as {words} of an augmentation" in written


STAGES = {
    "sanity": "Sanity checks: for {} test images each network's",
    "single_deletion": "For {} test images (seed 0) the sums",
    "robustness": "accuracy was measured on {} test images (seed 0)",
    "representations": "Representations: for {} test images (seed 0) the features",
    "faithfulness": "Faithfulness: for {} test images we measured",
    "map_exchange": "Exchanged maps: for {} test images (seed 0) each network",
}


@pytest.mark.parametrize("stage", STAGES)
def test_a_sample_has_no_more_images_than_there_are(stage: str) -> None:
    controls = {"baselines": {"seeds": [7], "vary": ["init"]}}
    with_stage = design(**{stage: {}}, controls=controls, vary=["init"])
    usual = with_stage.study[stage]["images"]
    for available in (40, 2000):
        facts_of = replace(FACTS, images={**FACTS.images, "test": available})
        written = methods.markdown(with_stage, facts_of)
        check(written)
        assert STAGES[stage].format(f"{min(usual, available):,}") in written


@pytest.mark.parametrize(("smallest", "folds"), [(500, 3), (2, 2), (1, 2)])
def test_there_are_no_more_folds_than_images_of_a_class(smallest: int, folds: int) -> None:
    written = text(replace(FACTS, smallest_class=smallest), masking={}, hybrid={"network": "vgg11"})
    assert written.count(f"were chosen by {folds}-fold cross-validation") == 2


def test_networks_of_all_stages_are_counted() -> None:
    controls = {"baselines": {"seeds": [11, 12, 13, 14], "vary": ["init", "order"]}}
    changes = {"seeds": [21, 22, 23, 24], "label_noise": [0.2], "untrained_layers": [1, 2]}
    common: dict[str, Any] = {"vary": ["init", "order"], "controls": controls}
    assert "In total, 8 networks were trained." in text(**common)
    assert (
        "In total, 17 networks were trained, including eight for the validity of the metrics and "
        "one on permuted labels."
    ) in text(**common, known_changes=changes, sanity={"permuted_labels": 20})


def test_groups_of_a_manifest_are_stated(tmp_path: Path) -> None:
    (tmp_path / "all.csv").write_text("path,label,patient\n")
    data = {"name": "manifest", "root": str(tmp_path / "all.csv")}
    written = text(data=data, split={"group": "patient"})
    check(written)
    assert "as nearly as whole groups allow: each patient is in one subset" in written
    assert "were read from image files" in written
