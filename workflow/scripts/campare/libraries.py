"""Transforms of other packages by their class names, checked without importing the packages.

Importing torchvision or albumentations takes seconds, and the config is read by every job, so names
and parameters are read from the packages' sources.
"""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from campare.errors import CampareError
from campare.messages import known, shown

_SIZE = "changes the size of the image"
_TYPE = "does not return levels 0 to 255 (uint8)"
_CHAIN = "contains other transforms; list them under compose"
_OTHERS = "needs labels, boxes, masks, other images or a function"


@dataclass(frozen=True)
class Library:
    """A package of transforms.

    folder: where their sources are, within the package. bases: where those of their base classes
    are. refused: transforms that cannot be used here, or the modules in which they are → why.
    """

    folder: str
    bases: str
    refused: Mapping[str, str]


def _named(**reasons: str) -> dict[str, str]:
    """Each of the names, which are separated by spaces → the reason."""
    return {
        name: {"size": _SIZE, "type": _TYPE, "chain": _CHAIN, "others": _OTHERS}[reason]
        for reason, names in reasons.items()
        for name in names.split()
    }


LIBRARIES = {
    "torchvision": Library(
        "transforms/v2",
        "transforms/v2",
        {
            "CutMix": "needs labels; use cutmix",
            "MixUp": "needs labels; use mixup",
            **_named(
                size="CenterCrop FiveCrop Pad RandomIoUCrop RandomResize RandomShortestSize "
                "RandomZoomOut Resize ScaleJitter TenCrop",
                type="ConvertImageDtype LinearTransformation Normalize PILToTensor ToDtype "
                "ToImage ToPILImage ToPureTensor ToTensor",
                chain="Compose RandomApply RandomChoice RandomOrder",
                others="ClampBoundingBoxes ClampKeyPoints ConvertBoundingBoxFormat Lambda "
                "SanitizeBoundingBoxes SanitizeKeyPoints SetClampingMode Transform "
                "UniformTemporalSubsample",
            ),
        },
    ),
    "albumentations": Library(
        "augmentations",
        "core",
        _named(
            size="resize.py Pad PadIfNeeded RandomCropFromBorders",
            type="type_transform.py Normalize",
            others="mixing/transforms.py domain_adaptation.py lambda_transform.py mask_dropout.py "
            "text/transforms.py transforms3d/transforms.py AtLeastOneBBoxRandomCrop "
            "BBoxSafeRandomCrop ConstrainedCoarseDropout CropNonEmptyMaskIfExists "
            "RandomCropNearBBox RandomSizedBBoxSafeCrop",
        ),
    ),
}


def check(library: str, parameters: Mapping[str, Any]) -> None:
    """Check the name of a transform and the names of its parameters.

    Without torchvision, on a machine that only plans a study, nothing is checked.

    Parameters
    ----------
    library
        Name in `LIBRARIES`.
    parameters
        `name`, the class of the transform, and keyword arguments.

    Raises
    ------
    CampareError
        albumentations is not installed; there is no such transform or parameter; a parameter is
        missing; the transform cannot be used.
    """
    name = parameters.get("name")
    if not isinstance(name, str):
        problem = "is required, but missing" if name is None else f"{shown(name)}; must be text"
        raise CampareError(f"name: {problem}; write the class of a transform of {library}")
    transforms = _transforms(library)
    if not transforms:
        if library == "torchvision":
            return
        raise CampareError(
            f"{library} is not installed; install it (`pip install {library}`), or use a transform "
            "of torchvision or of config/README.md"
        )
    usable = [one for one, reason in transforms.items() if not reason]
    if name not in transforms:
        raise CampareError(
            f"name: {library} has no transform {name!r}; {known(name, sorted(usable))}"
        )
    if reason := transforms[name]:
        raise CampareError(f"name: {library}'s {name} {reason}; choose another transform")
    arguments = _arguments(library, name)
    for key in parameters:
        if key != "name" and key not in arguments:
            raise CampareError(
                f"{key}: {library}'s {name} has no such parameter; {known(key, arguments)}"
            )
    for key, required in arguments.items():
        if required and key not in parameters:
            raise CampareError(f"{key}: required by {library}'s {name}, but missing")


@cache
def _sources(library: str, folder: str) -> dict[Path, str]:
    """The sources in a folder of a package; none if it is not installed."""
    spec = importlib.util.find_spec(library)
    if spec is None or spec.origin is None:
        return {}
    files = sorted((Path(spec.origin).parent / folder).rglob("*.py"))
    return {
        file: file.read_text(encoding="utf-8")
        for file in files
        if not file.stem.endswith("functional")
    }


@cache
def _transforms(library: str) -> dict[str, str]:
    """Public transforms of a package → why it cannot be used here, "" if it can."""
    about = LIBRARIES[library]
    found = {}
    for file, source in _sources(library, about.folder).items():
        listed = re.search(r"^__all__ = \[(.*?)\]", source, re.MULTILINE | re.DOTALL)
        for name in re.findall(r"^class ([A-Z]\w*)\(", source, re.MULTILINE):
            if listed is None or f'"{name}"' in listed[1]:
                places = (name, file.name, f"{file.parent.name}/{file.name}")
                found[name] = next(
                    (about.refused[one] for one in places if one in about.refused), ""
                )
    return found


@cache
def _arguments(library: str, name: str) -> dict[str, bool]:
    """Parameters of a transform's constructor → whether it has no default."""
    for definition in _lineage(library, name):
        for part in definition.body:
            if isinstance(part, ast.FunctionDef) and part.name == "__init__":
                own = part.args
                positional = [*own.posonlyargs, *own.args][1:]
                without = len(positional) - len(own.defaults)
                return {
                    **{arg.arg: place < without for place, arg in enumerate(positional)},
                    **{
                        arg.arg: default is None
                        for arg, default in zip(own.kwonlyargs, own.kw_defaults, strict=True)
                    },
                }
    return {}


def _lineage(library: str, name: str) -> Iterator[ast.ClassDef]:
    """A class and its first bases, as far as the package defines them."""
    pattern = re.compile(rf"^class {name}\(.*?(?=^[^\s#)]|\Z)", re.MULTILINE | re.DOTALL)
    folders = dict.fromkeys((LIBRARIES[library].folder, LIBRARIES[library].bases))
    for source in (text for folder in folders for text in _sources(library, folder).values()):
        if match := pattern.search(source):
            definition = ast.parse(match[0]).body[0]
            if isinstance(definition, ast.ClassDef):
                yield definition
                for base in definition.bases[:1]:
                    if isinstance(base, ast.Name):
                        yield from _lineage(library, base.id)
            return
