"""Images that are neither grey nor RGB: their number of channels, and what a study may not do.

Everything else treats channels alike. Modules that rules import must not import numpy, so that
the header of a file of arrays is read only for studies of arrays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from campare import user_code
from campare.errors import CampareError

USUAL = (1, 3)  # grey and RGB
Config = dict[str, Any]


def complete(config: Config) -> None:
    """Set `data.channels` and `data.shown` of a study of such images; other studies do not change.

    Parameters
    ----------
    config
        A study with its defaults; changed.

    Raises
    ------
    CampareError
        `data.channels`, `data.shown` or `data.window` do not fit the images.
    """
    data = config["data"]
    given, name, stored = data["channels"], data["name"], None
    if name == "arrays":
        from campare import array_files

        stored = array_files.channels(Path(data["root"]).expanduser())
        if stored not in USUAL and given is None:
            given = data["channels"] = stored
        if given not in ({None, *USUAL} if stored in USUAL else {stored}):
            raise CampareError(
                f"data.channels: {given}, but the images of {data['root']} have {stored}; remove "
                "the key"
            )
    elif given not in (None, *USUAL) and not user_code.is_reference(name):
        raise CampareError(
            f"data.channels: {given}: images of {name} are grey or RGB; write 1, 3 or null (arrays "
            "and functions of your own may have any number)"
        )
    _check_windows(data, stored)
    most = given or stored or 3
    if "shown" in data:
        _check_shown(data["shown"], most)
    elif most not in USUAL:
        data["shown"] = list(range(3 if most >= 3 else 1))


def caption(shown: list[int]) -> str:
    """A sentence, after a space, about the channels by which figures show images."""
    how = "as red, green and blue" if len(shown) == 3 else "in grey"
    return (
        f" Images are shown by their channels {', '.join(map(str, shown))}, counted from 0, {how}."
    )


def _check_windows(data: Mapping[str, Any], stored: int | None) -> None:
    """Check that there is a window for each channel, or one for all."""
    window = (data.get("parameters") or {}).get("window", [0])
    if isinstance(window[0], list) and len(window) != stored:
        raise CampareError(
            f"data.window: {len(window)} windows, but the images have {stored} channel(s); write "
            "one for each channel, or one for all"
        )


def _check_shown(shown: list[int], channels: int) -> None:
    """Check the channels that are shown."""
    if len(shown) not in USUAL:
        raise CampareError(
            f"data.shown: {shown}: {len(shown)} channels; write [r, g, b], or [c] for grey"
        )
    if (largest := max(shown)) >= channels:
        raise CampareError(
            f"data.shown: {shown}: there is no channel {largest}; the images have channels 0 to "
            f"{channels - 1}"
        )


def problems(config: Config) -> Iterator[str]:
    """Messages about keys of a complete study that need grey or RGB images, if its are others."""
    if (channels := config["data"]["channels"]) in (None, *USUAL):
        return
    arms = {
        arm: f"sweep.{base}"
        for base, parameters in config.get("sweep", {}).items()
        for values in parameters.values()
        for arm in values
    }
    named = {arms.get(k, f"augmentations.{k}"): v for k, v in config["augmentations"].items()}
    for k, steps in config.get("robustness", {}).get("transforms", {}).items():
        named[f"robustness.transforms.{k}"] = steps
    these = f"and the images have {channels} channels"
    for key, steps in named.items():
        for step, parameters in steps:
            if step == "grayscale":
                yield f"{key}: grayscale is for RGB images, {these}; remove it"
            if step == "color_jitter" and (parameters["saturation"] or parameters["hue"]):
                yield (
                    f"{key}: color_jitter: saturation and hue are of RGB images, {these}; set "
                    "saturation: 0 and hue: 0"
                )
    model = config["model"]
    if model["weights"] == "published":
        yield (
            f"model.weights: published weights are of networks for RGB images, {these}; write "
            f"null, or the path of weights for {channels} channels"
        )
    for key, of in {
        "model": model,
        **{f"trained.{name}": arm for name, arm in config.get("trained", {}).items()},
    }.items():
        if of["normalise"] == "imagenet":
            yield (
                f"{key}.normalise: imagenet has the values of RGB images, {these}; write training, "
                f"or {{mean: […], std: […]}} with {channels} numbers each"
            )
    if "own_images" in config:
        yield f"own_images: photographs are grey, {these}; remove the key"
