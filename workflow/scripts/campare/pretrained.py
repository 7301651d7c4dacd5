"""Initial weights of a network from a file, or as torchvision and timm publish them.

A file is safetensors or a PyTorch state dict. It is never unpickled beyond tensors, because
unpickling can run code. Weights fit or are an error: only a head of another number of classes, and
the counters of batch norms, may keep the initial weights of the seed, and the log lists them.
"""

from __future__ import annotations

import hashlib
import pickle
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any

import torch
from torch import nn

from campare import registry
from campare.errors import CampareError, reading

PUBLISHED = "published"
# Keys under which training programs save a state dict, and prefixes that wrappers add to names.
WRAPPERS = ("state_dict", "model_state_dict", "model")
PREFIXES = ("module.", "model.", "_orig_mod.")
# Classifiers within GoogLeNet and Inception that are used in training only, and not here.
AUXILIARY = ("aux1.", "aux2.", "AuxLogits.")
# Old names of DenseNet's layers, `norm.1` for `norm1`.
DENSENET = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12])\.")
# A digest in the name of a published file: the start of its SHA-256.
DIGEST = re.compile(r"-([0-9a-f]{8,})\.")
SHOWN = 5  # names in a message
# What to do about faulty weights: files of the user, and published ones.
COPY_AGAIN = "copy it again"
DOWNLOAD_AGAIN = "move it away, so that it is downloaded again, or replace it"

Weights = dict[str, torch.Tensor]


def load(
    network: nn.Module,
    architecture: str,
    weights: str,
    *,
    classes: int,
    sha256: str | None = None,
) -> list[str]:
    """Set the weights of a network, in place; its own weights stay where a head does not fit.

    Parameters
    ----------
    network
        From `models.build`.
    architecture
        Its name; for a network of another origin, a name for messages.
    weights
        Path of a file, or "published".
    classes
        Number of classes of the network.
    sha256
        Digest that the file must have; None: any.

    Returns
    -------
    Lines for the log: which weights these are, and which of them were adapted or left out.

    Raises
    ------
    CampareError
        The file cannot be read, has changed, holds more than tensors, or is of another network;
        the published weights cannot be downloaded, or there are none.
    """
    if weights == PUBLISHED:
        source, tensors = _published(architecture)
    else:
        path = Path(weights).expanduser()
        source, tensors = f"{weights}, SHA-256 {_digest(path, sha256)}", read(path)
    shown = "published weights" if weights == PUBLISHED else weights
    adapted = fit(network, tensors, architecture, classes=classes, source=shown)
    return [f"initial weights: {source}", *adapted]


def read(path: Path, remedy: str = COPY_AGAIN) -> Weights:
    """The tensors of a safetensors file or of a PyTorch state dict, on the CPU.

    `remedy` is what messages suggest if the file is damaged.

    Raises
    ------
    CampareError
        The file cannot be read, or holds other things than tensors.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    with reading(path, "weights file", SafetensorError, EOFError, remedy=remedy):
        with path.open("rb") as file:
            start = file.read(9)
        if start[8:] == b"{":
            return load_file(path)
        try:
            loaded = torch.load(path, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as error:
            raise CampareError(
                f"{path}: holds more than tensors, such as a pickled network, and is not loaded, "
                "because that can run code; save a state dict instead: "
                "torch.save(network.state_dict(), path)"
            ) from error
    return _unwrapped(loaded, path)


def fit(
    network: nn.Module, tensors: Mapping[str, torch.Tensor], architecture: str, *, classes: int,
    source: str,
) -> list[str]:  # fmt: skip
    """Copy tensors into a network; return what was adapted or left out, as lines.

    A head with another number of classes keeps the network's own weights. For a network of grey
    images, the RGB weights of the first convolution are summed. Counters of batch norms may be
    missing.

    Raises
    ------
    CampareError
        Anything else is missing, unexpected or of another shape. The network is unchanged.
    """
    own = network.state_dict()
    tensors = _named_as(own, tensors)
    auxiliary = [name for name in tensors if name.startswith(AUXILIARY) and name not in own]
    counters = [n for n in own if n not in tensors and n.endswith("num_batches_tracked")]
    missing = [name for name in own if name not in tensors and name not in counters]
    unexpected = [name for name in tensors if name not in own and name not in auxiliary]
    common = [name for name in own if name in tensors]
    reshaped = [name for name in common if own[name].shape != tensors[name].shape]
    head = _head(network, own, tensors, reshaped, classes)
    grey = [name for name in reshaped if name == _first_convolution(network)]
    grey = [n for n in grey if tensors[n].shape[1] == 3 and own[n].shape[1] == 1]
    others = [name for name in reshaped if name not in (*head, *grey)]
    problems = [
        *([f"missing: {_listed(missing)}"] if missing else []),
        *([f"unexpected: {_listed(unexpected)}"] if unexpected else []),
        *(
            [f"of another shape: {_listed(_shapes(name, own, tensors) for name in others)}"]
            if others
            else []
        ),
    ]
    if problems:
        raise CampareError(
            f"model.weights: {source}: not the weights of {architecture}; {'; '.join(problems)}; "
            "set model.architecture to their network, or choose other weights"
        )
    with torch.no_grad():
        for name in common:
            if name in grey:
                own[name].copy_(tensors[name].sum(dim=1, keepdim=True))
            elif name not in head:
                own[name].copy_(tensors[name])
    notes = {
        f"replaced for {classes} classes, with initial weights of the seed": head,
        "summed over RGB for grey images": grey,
        "left out, as auxiliary classifiers are not used": auxiliary,
        "not in the weights, zero": counters,
    }
    return [f"{note}: {', '.join(names)}" for note, names in notes.items() if names]


def fit_exactly(
    network: nn.Module, tensors: Mapping[str, torch.Tensor], architecture: str, *, classes: int,
    source: str,
) -> None:  # fmt: skip
    """Copy the weights of a trained network; unlike in `fit`, nothing keeps its initial weights.

    Raises
    ------
    CampareError
        The network has outputs for another number of classes, or sees images with another number of
        channels; or as `fit`.
    """
    own = network.state_dict()
    named = _named_as(own, tensors)
    reshaped = [name for name in own if name in named and own[name].shape != named[name].shape]
    if head := _head(network, own, named, reshaped, classes):
        raise CampareError(
            f"{source}: the network has {len(named[head[0]])} classes, and the data set {classes}; "
            "use a data set with the classes of the network"
        )
    if (first := _first_convolution(network)) in reshaped:
        seen, given = named[first].shape[1], own[first].shape[1]
        if seen != given:
            remedy = f"use a network for {given}"
            if {seen, given} == {1, 3}:
                remedy = f"set data.channels: {seen}"
            raise CampareError(
                f"{source}: the network sees images with {seen} channel(s), and those of the data "
                f"set have {given}; {remedy}"
            )
    try:
        fit(network, tensors, architecture, classes=classes, source=source)
    except CampareError as problem:
        raise CampareError(str(problem).removeprefix("model.weights: ")) from None


def listed(names: Iterable[str]) -> str:
    """The first names, and the number of the others."""
    return _listed(names)


def _published(architecture: str) -> tuple[str, Weights]:
    """A description of the published weights of an architecture, and the weights."""
    if name := registry.timm_name(architecture):
        return _from_timm(name)
    if architecture not in registry.torchvision_classifiers():
        raise CampareError(
            f"model.weights: there are no published weights of {architecture}; set it to null, or "
            "to the path of a file"
        )
    from torchvision.models import get_model_weights

    weights = get_model_weights(architecture).DEFAULT
    tensors = read(_downloaded(weights.url), remedy=DOWNLOAD_AGAIN)
    values = weights.transforms()
    return f"{weights} ({weights.url}){_normalised(values.mean, values.std)}", tensors


def _from_timm(name: str) -> tuple[str, Weights]:
    """As `_published`, of timm."""
    import timm

    about = None
    with suppress(RuntimeError):  # there is no such tag
        about = timm.get_pretrained_cfg(name)
    if about is None or not about.has_weights:
        raise CampareError(
            f"model.weights: timm publishes no weights of {name}; set it to null, or to the path "
            "of a file"
        )
    if about.hf_hub_id:
        hub, _, revision = about.hf_hub_id.partition("@")
        file = about.hf_hub_filename or "model.safetensors"
        url = f"https://huggingface.co/{hub}/resolve/{revision or 'main'}/{file}"
        path = _from_hub(url, hub, file, revision or None)
    else:
        url = str(about.url)
        path = _downloaded(url)
    try:
        network = timm.create_model(
            name, pretrained=True, pretrained_cfg_overlay={"file": str(path)}
        )
    except Exception as error:  # of several libraries
        raise CampareError(
            f"model.weights: {path} cannot be loaded ({_line(error)}); {DOWNLOAD_AGAIN}"
        ) from error
    source = f"timm's {about.architecture}.{about.tag}".removesuffix(".")
    return f"{source} ({url}){_normalised(about.mean, about.std)}", network.state_dict()


def _downloaded(url: str) -> Path:
    """A file in torch's cache, downloaded if it is missing; complete, or there is none."""
    file = Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]
    if not file.is_file():
        digest = DIGEST.search(file.name)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(
                url, str(file), digest[1] if digest else None, progress=False
            )
        except (OSError, RuntimeError, HTTPException) as error:
            raise CampareError(
                f"model.weights: {url} cannot be downloaded ({_line(error)}); download it on a "
                f"machine with a network, and copy it to {file}, or set model.weights to its path"
            ) from error
    return file


def _from_hub(url: str, hub: str, file: str, revision: str | None) -> Path:
    """A file in the cache of Hugging Face, downloaded if it is missing.

    A file that is there needs no network.
    """
    from huggingface_hub import constants, hf_hub_download, try_to_load_from_cache

    cached = try_to_load_from_cache(hub, file, revision=revision)
    if isinstance(cached, str):
        return Path(cached)
    try:
        path = Path(hf_hub_download(hub, file, revision=revision))
        # A link to a file with the name of its SHA-256, which the hub's library does not check.
        stored = path.resolve()
        if re.fullmatch("[0-9a-f]{64}", stored.name) and stored.name != _digest(stored, None):
            path.unlink()
            stored.unlink()
            raise RuntimeError("another SHA-256 than the server states")
    except Exception as error:  # of several libraries: those of the hub, and of HTTP
        place = f"{constants.HF_HUB_CACHE}/models--{hub.replace('/', '--')}"
        raise CampareError(
            f"model.weights: {url} cannot be downloaded ({_line(error.__cause__ or error)}); on a "
            "machine with a network, download it and set model.weights to the path of the file, or "
            f"let timm do it there and copy {place} to the same path here"
        ) from error
    return path


def _normalised(mean: Iterable[float], std: Iterable[float]) -> str:
    means, stds = (", ".join(f"{value:g}" for value in values) for values in (mean, std))
    return f", of images normalised with mean {means} and std {stds}"


def _line(error: BaseException) -> str:
    """The first sentence of an error's message."""
    return re.split(r"\n|\. ", str(error).strip())[0] or type(error).__name__


def _digest(path: Path, expected: str | None) -> str:
    """SHA-256 of a file, which must be the expected one."""
    with reading(path, "weights file"), path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if expected not in (None, found):
        raise CampareError(
            f"model.weights: {path} has changed since Snakemake started; run snakemake again"
        )
    return found


def _unwrapped(loaded: Any, path: Path) -> Weights:
    """The state dict in what was loaded."""
    state = loaded
    for wrapper in WRAPPERS:
        if isinstance(state, Mapping) and isinstance(state.get(wrapper), Mapping):
            state = state[wrapper]
            break
    entries = dict(state) if isinstance(state, Mapping) else {}
    others = [name for name, value in entries.items() if not isinstance(value, torch.Tensor)]
    if others or not entries:
        what = f", but has {_listed(map(str, others))}" if others else ""
        raise CampareError(
            f"{path}: not a state dict, a mapping of names to tensors, by itself or under "
            f"{', '.join(WRAPPERS)}{what}; save network.state_dict()"
        )
    return entries


def _named_as(own: Mapping[str, Any], tensors: Mapping[str, torch.Tensor]) -> Weights:
    """The tensors without prefixes of wrappers, with today's names of DenseNet's layers."""
    named = dict(tensors)
    while named and not own.keys() & named.keys():
        prefix = next((p for p in PREFIXES if all(n.startswith(p) for n in named)), None)
        if prefix is None:
            break
        named = {name.removeprefix(prefix): tensor for name, tensor in named.items()}
    renamed = {DENSENET.sub(r"\1\2.", name): tensor for name, tensor in named.items()}
    return renamed if renamed.keys() & own.keys() > named.keys() & own.keys() else named


def _head(
    network: nn.Module,
    own: Mapping[str, torch.Tensor],
    tensors: Mapping[str, torch.Tensor],
    reshaped: list[str],
    classes: int,
) -> list[str]:
    """Weights and biases of layers with a score per class, which have more or fewer in the file.

    Only the number of scores differs, and it is the same in all of them.
    """
    names = [
        name
        for name in reshaped
        if isinstance(network.get_submodule(name.rpartition(".")[0]), nn.Linear | nn.Conv2d)
        and len(own[name]) == classes
        and own[name].shape[1:] == tensors[name].shape[1:]
    ]
    return names if len({len(tensors[name]) for name in names}) == 1 else []


def _first_convolution(network: nn.Module) -> str | None:
    """The name of the weight of the first convolution."""
    return next(
        (f"{name}.weight" for name, m in network.named_modules() if isinstance(m, nn.Conv2d)), None
    )


def _shapes(name: str, own: Mapping[str, torch.Tensor], other: Mapping[str, torch.Tensor]) -> str:
    return f"{name} ({_by(other[name])} instead of {_by(own[name])})"


def _by(tensor: torch.Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "one number"


def _listed(names: Iterable[str]) -> str:
    """The first names, and the number of the others."""
    names = list(names)
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
