"""Studies of models and maps that exist already: their config, design, and files."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import save_file
from torch import nn

from campare import checkpoints, config, map_files, models, trained
from campare.design import Design
from campare.errors import CampareError

BASE: dict[str, Any] = {
    "study": "tiny",
    "data": {"name": "digits"},
    "model": {"architecture": "small_cnn"},
}
LOGITS = np.zeros((6, 10), np.float32)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the study, with files that look like weights."""
    monkeypatch.chdir(tmp_path)
    for name in "abcdefgh":
        (tmp_path / name).write_bytes(b"PK files are checked when they are read")
    return tmp_path


def maps(name: str, images: int = 6, side: int = 4, **arrays: Any) -> str:
    with h5py.File(name, "w") as file:
        file["maps"] = np.random.default_rng(0).random((images, side, side), np.float32)
        for key, values in arrays.items():
            file[key] = values
    return name


def complete(**changes: Any) -> dict[str, Any]:
    return config.complete(BASE | changes, "study.yaml")


def refused(message: str, **changes: Any) -> None:
    with pytest.raises(CampareError) as error:
        complete(**changes)
    assert message in str(error.value)
    assert str(error.value).startswith("study.yaml: ")


ARMS = {"x": ["d", "e"], "baseline": ["a", "b", "c"], "y": ["f"]}


def design(**changes: Any) -> Design:
    return Design(complete(trained=ARMS, **changes))


# ---- Design ------------------------------------------------------------------------------------


@pytest.mark.parametrize("reference", ["one", "all", "disjoint", "none"])
def test_models_of_different_files_are_independent(reference: str) -> None:
    ours = design(reference=reference)
    assert ours.models == [
        *(("baseline", 1), ("baseline", 2), ("baseline", 3)),
        *(("x", 101), ("x", 102), ("y", 201)),
    ]
    assert all(map(ours.independent, combinations(ours.models, 2)))
    assert ours.pairs_of("baseline") == ours.pairs_like_floor("baseline")
    assert len(ours.pairs_of("baseline")) == 3
    assert len(ours.pairs_like_floor("x")) == 6 and len(ours.pairs_like_floor("y")) == 3
    assert len(ours.pairs_of("x")) == 1 + 6 + 2 * (reference == "none")
    assert ours.incomparable == "" and ours.summarised and ours.one_split
    references = {
        "one": [("baseline", 1)],
        "all": ours.baselines,
        "disjoint": [("baseline", 2)],
        "none": [("baseline", 1)],
    }
    assert ours.references_of(("x", 102)) == references[reference]
    assert ours.examples == [("baseline", 1), ("x", 101), ("y", 201)]
    assert not ours.clusters  # two models of x, one of y


def test_paired_models_at_the_same_place_share_a_seed() -> None:
    ours = design(reference="paired")
    assert ours.models_of("x") == [("x", 1), ("x", 2)]
    assert ours.references_of(("x", 2)) == [("baseline", 2)]
    assert not ours.independent((("baseline", 2), ("x", 2)))
    assert ours.independent((("baseline", 1), ("x", 2)))
    assert len(ours.pairs_like_floor("x")) == 4 and ours.summarised


def test_more_than_a_hundred_models_keep_numbers_of_their_own() -> None:
    names = [f"w{k}" for k in range(120)]
    for name in names:
        Path(name).write_bytes(b"PK")
    ours = Design(complete(trained={"baseline": names, "x": ["a"]}))
    assert len(set(ours.models)) == 121 and all(map(ours._differ, ours.pairs_of("x")))


def test_several_baselines_imply_the_controls() -> None:
    assert "controls" in complete(trained=ARMS)
    assert "controls" not in complete(trained={"baseline": ["a"], "x": ["b"]})


def test_an_arm_may_have_another_network() -> None:
    arms = {**ARMS, "y": {"files": ["f"], "architecture": "two_conv"}}
    ours = Design(complete(trained=arms))
    assert ours.architectures == ["small_cnn", "two_conv"]
    assert ours.architecture_of("y") == "two_conv"
    assert ours.architecture_of("untrained") == "small_cnn"


# ---- Config ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "changes"),
    [
        ("'augmentations' is required", {}),
        ("trained: 'baseline' is required", {"trained": {"x": ["a"]}}),
        ("trained.x: []; must be a list of one or more files", {"trained": {**ARMS, "x": []}}),
        ("trained.x: 'a'; must be a list", {"trained": {**ARMS, "x": "a"}}),
        ("trained.x.file: unknown key; did you mean", {"trained": {**ARMS, "x": {"file": "a"}}}),
        ("trained: 'Aug Mix'; a name must be", {"trained": {**ARMS, "Aug Mix": ["a"]}}),
        ("trained.x: there is no file nope.pth", {"trained": {**ARMS, "x": ["nope.pth"]}}),
        (
            "trained.untrained: is the name of a control",
            {"trained": {"baseline": ["a"], "untrained": ["b"]}},
        ),
        (
            "trained.x.architecture: unknown architecture 'foo'",
            {"trained": {**ARMS, "x": {"files": ["d"], "architecture": "foo"}}},
        ),
        (
            "trained.x.normalise: 'foo'; must be training",
            {"trained": {**ARMS, "x": {"files": ["d"], "normalise": "foo"}}},
        ),
        (
            "trained.x.normalise.mean: 3 value(s)",
            {
                "data": {"name": "digits", "channels": 1},
                "trained": {
                    **ARMS,
                    "x": {"files": ["d"], "normalise": {"mean": [0.5] * 3, "std": [1.0] * 3}},
                },
            },
        ),
        ("augmentations: with `trained` no", {"trained": ARMS, "augmentations": {"affine": {}}}),
        ("seeds: with `trained` no model is trained", {"trained": ARMS, "seeds": [1]}),
        (
            "controls.longer_training: with `trained`",
            {"trained": ARMS, "controls": {"longer_training": True}},
        ),
        (
            "list further models under trained.baseline",
            {"trained": ARMS, "controls": {"baselines": {"seeds": [4], "vary": ["init"]}}},
        ),
        (
            "model.weights: with `trained`",
            {"trained": ARMS, "model": {"architecture": "resnet18", "weights": "published"}},
        ),
        ("trained and maps exclude each other", {"trained": ARMS, "maps": ARMS}),
        (
            "trained.baseline: 1 file(s); reference: all needs 2",
            {"trained": {"baseline": ["a"], "x": ["b"]}, "reference": "all"},
        ),
        (
            "trained.baseline: 2 file(s); reference: paired needs 3",
            {"trained": {"baseline": ["a", "b"], "x": ["c", "d", "e"]}, "reference": "paired"},
        ),
        (
            "reference: none compares two or more arms",
            {"trained": {"baseline": ["a"], "x": ["b"]}, "reference": "none"},
        ),
        ("classes: is of a study with `trained`", {"augmentations": {}, "classes": ["a", "b"]}),
        ("cam: needs the networks", {"maps": ARMS, "cam": {"method": "gradcam"}}),
        ("controls.uninformative: needs", {"maps": ARMS, "controls": {"uninformative": True}}),
        ("maps.x: a: not a readable HDF5 file", {"maps": {"x": ["a"], "baseline": ["b"]}}),
    ],
)
def test_mistakes_are_named(message: str, changes: dict[str, Any]) -> None:
    if "maps" in changes and "HDF5" in message:
        maps("b")
    refused(message, **changes)


def test_a_file_that_cannot_be_weights_is_named() -> None:
    Path("notes").write_text("not weights at all")
    refused(
        "trained.x: notes is neither a safetensors file nor a PyTorch state dict",
        trained={**ARMS, "x": ["notes"]},
    )


@pytest.mark.parametrize(
    ("message", "name", "write"),
    [
        ("maps of 5 images, and a of 6", "x", lambda: maps("x", 5, logits=LOGITS[:5])),
        ("logits has the shape 5×10, with maps of 6", "x", lambda: maps("x", logits=LOGITS[:5])),
        ("maps is missing (cams found)", "x", lambda: h5py.File("x", "w").create_group("cams")),
        (
            "maps is float64 of shape 6×1×4×4; must be",
            "x",
            lambda: h5py.File("x", "w").create_dataset("maps", data=np.zeros((6, 1, 4, 4))),
        ),
    ],
)  # fmt: skip
def test_files_of_maps_are_checked_with_the_config(message: str, name: str, write: Any) -> None:
    write()
    maps("a", logits=LOGITS)
    refused(message, maps={"baseline": ["a"], "x": [name]})


def test_maps_of_different_sizes_cannot_be_compared_as_they_are() -> None:
    arms = {"baseline": [maps("a", logits=LOGITS)], "x": [maps("b", side=5, logits=LOGITS)]}
    refused("b has maps of 5×5, and a of 4×4", maps=arms, similarity={"resolution": "native"})
    assert complete(maps=arms)


def test_a_study_of_maps_needs_no_network() -> None:
    study = {key: value for key, value in BASE.items() if key != "model"}
    study["maps"] = {"baseline": [maps("a", logits=LOGITS)], "x": [maps("b", logits=LOGITS)]}
    ours = Design(config.complete(study, "study.yaml"))
    assert ours.architectures == [] and ours.predicts
    assert "class_kld" in ours.metrics


def test_without_logits_nothing_needs_predictions() -> None:
    arms = {"baseline": [maps("a"), maps("b", logits=LOGITS)], "x": [maps("c", logits=LOGITS)]}
    ours = Design(complete(maps=arms))
    assert not ours.predicts and not ours.summarised and ours.has_floor
    assert "class_kld" not in ours.metrics and "mad" in ours.metrics
    for key, changes in {
        "similarity.metrics: class_kld": {"similarity": {"metrics": ["mad", "class_kld"]}},
        "sheets": {"sheets": {}},
        "analysis.segments": {"analysis": {"segments": ["agreement"]}},
    }.items():
        refused(f"{key}: needs predictions", maps=arms, **changes)


# ---- Weights -----------------------------------------------------------------------------------

NAMES = ("cat", "dog", "fox", "owl", "rat")


def network(architecture: str = "small_cnn", classes: int = 5, channels: int = 3) -> nn.Module:
    return models.build(architecture, classes=classes, channels=channels, seed=9).eval()


def load(path: str, architecture: str = "small_cnn", **options: Any) -> nn.Module:
    settings = {"classes": NAMES, "outputs": None, "channels": 3, "input_size": 32, **options}
    return trained.load(path, architecture, **settings)


def scores(one: nn.Module) -> torch.Tensor:
    with torch.no_grad():
        return one(torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(1)))


@pytest.mark.parametrize("form", ["state dict", "nested", "safetensors", "campare"])
def test_a_file_of_each_form_gives_the_network(form: str) -> None:
    own = network()
    state = own.state_dict()
    {
        "state dict": lambda: torch.save(state, "file"),
        "nested": lambda: torch.save({"epoch": 1, "state_dict": state}, "file"),
        "safetensors": lambda: save_file(state, "file"),
        "campare": lambda: checkpoints.save(Path("file"), state, {"mean": [0.2], "std": [0.1]}),
    }[form]()
    torch.testing.assert_close(scores(load("file")), scores(own))
    expected = ([0.2], [0.1]) if form == "campare" else None
    assert trained.own_normalisation("file") == expected


@pytest.mark.parametrize("architecture", ["small_cnn", "squeezenet1_1", "resnet18"])
def test_outputs_are_reordered_to_the_classes_of_the_data(architecture: str) -> None:
    own = network(architecture)
    torch.save(own.state_dict(), "file")
    outputs = ["rat", "cat", "owl", "dog", "fox"]
    ours = scores(load("file", architecture, outputs=outputs))
    places = [outputs.index(name) for name in NAMES]
    torch.testing.assert_close(ours, scores(own)[:, places])


@pytest.mark.parametrize(
    ("message", "made"),
    [
        ("file: not the weights of small_cnn; missing: ", lambda: network("two_conv")),
        ("file: the network has 7 classes, and the data set 5", lambda: network(classes=7)),
        ("images with 1 channel(s), and those of the data set have 3", lambda: network(channels=1)),
    ],
)  # fmt: skip
def test_weights_of_another_network_are_refused(message: str, made: Any) -> None:
    torch.save(made().state_dict(), "file")
    with pytest.raises(CampareError) as error:
        load("file")
    assert message in str(error.value)


def test_a_pickle_that_is_no_state_dict_is_refused() -> None:
    torch.save(network(), "file")
    with pytest.raises(CampareError, match="file: holds more than tensors"):
        load("file")
    torch.save([torch.zeros(3)], "file")
    with pytest.raises(CampareError, match="file: not a state dict"):
        load("file")


def test_weights_that_are_not_finite_are_refused() -> None:
    state = network().state_dict()
    name = next(iter(state))
    state[name].view(-1)[0] = torch.nan
    torch.save(state, "file")
    with pytest.raises(CampareError, match=f"file: {name}: not finite"):
        load("file")


def test_names_of_classes_that_differ_are_one_message() -> None:
    torch.save(network().state_dict(), "file")
    with pytest.raises(CampareError, match="rat missing; bat, emu unknown"):
        load("file", outputs=[*NAMES[:4], "bat", "emu"])


def test_accuracy_at_chance() -> None:
    assert trained.at_chance(0.12, 1000, 0.1)
    assert not trained.at_chance(0.14, 1000, 0.1)
    assert trained.at_chance(0.0, 1000, 0.1)


# ---- Maps --------------------------------------------------------------------------------------

TEST, LABELS = np.array([10, 12, 14, 16, 18, 20]), np.array([0, 1, 2, 0, 1, 2])


@pytest.mark.parametrize("positions", [TEST, np.arange(6)])
def test_maps_are_sorted_by_their_index(positions: np.ndarray) -> None:
    order = np.array([3, 0, 5, 1, 2, 4])
    scores = np.random.default_rng(1).random((6, 10), np.float32)
    maps("file", logits=scores, index=positions[order], labels=LABELS[order])
    given = map_files.read("file", TEST, LABELS, 10)
    assert given.logits is not None
    np.testing.assert_array_equal(given.logits[order], scores)
    with h5py.File("file") as file:
        np.testing.assert_array_equal(given.maps[order], file["maps"][()])


@pytest.mark.parametrize(
    ("message", "write"),
    [
        ("maps of 5 images, but the study has 6 test", lambda: maps("file", 5)),
        ("logits of 9 classes, but the data set", lambda: maps("file", logits=LOGITS[:, 1:])),
        ("2 of 6 labels differ", lambda: maps("file", labels=[0, 1, 2, 0, 2, 1])),
        ("index has positions other than", lambda: maps("file", index=np.arange(1, 7))),
        ("is not finite", lambda: maps("file", logits=LOGITS + np.nan)),
    ],
)  # fmt: skip
def test_maps_of_other_images_are_refused(message: str, write: Any) -> None:
    write()
    with pytest.raises(CampareError) as error:
        map_files.read("file", TEST, LABELS, 10)
    assert message in str(error.value) and str(error.value).startswith("file: ")


def test_the_study_of_published_networks_in_the_docs_is_valid() -> None:
    page = (Path(__file__).parents[2] / "docs" / "trained.md").read_text(encoding="utf-8")
    study = yaml.safe_load(page.split("```yaml\n")[1].split("```")[0])
    Path("weights").mkdir()
    for name, spec in study["trained"].items():
        for file in spec["files"] if name == "randaugment" else spec:
            Path(file).write_bytes(b"PK")
    ours = Design(config.complete(study, "study.yaml"))
    assert len(ours.models) == 8 and ours.summarised
    assert ours.architectures == ["resnet50", "timm:resnet50"]
