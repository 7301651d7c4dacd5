"""The bibliography of a study: exactly the entries that its texts cite.

`references.bib` has all entries. Entries of the registry name theirs (`Entry.reference`); those of
optimizers, schedules and so on are here. The rules import this module: no pandas here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from campare import registry
from campare.design import Design
from campare.errors import CampareError

FILE = Path(__file__).parent / "references.bib"

# Values of config keys → what a paper cites for them, as `Entry.reference`.
OPTIMIZERS = {
    "adam": "kingma2015",
    "adamw": "loshchilov2019",
    "sgd": "sutskever2013",
    "muon": "jordan2024muon",
}
SCHEDULES = {
    "constant": "",
    "linear": "",
    "cosine": "loshchilov2017",
    "one_cycle": "smith2019",
    "steps": "",
}
BALANCED_SAMPLING = "kang2020"
LABEL_SMOOTHING = "szegedy2016"
MOVING_AVERAGE = "polyak1992"
LIBRARIES = {"torchvision": "torchvision2016", "albumentations": "buslaev2020"}
SOFTWARE = {
    "campare": "campare",
    "torch": "paszke2019",
    "torchvision": "torchvision2016",
    "timm": "wightman2019",
    "grad-cam": "gildenblat2021",
    "numpy": "harris2020",
    "scipy": "virtanen2020",
    "pandas": "mckinney2010",
    "matplotlib": "hunter2007",
    "seaborn": "waskom2021",
    "scikit-learn": "pedregosa2011",
    "statsmodels": "seabold2010",
    "snakemake": "molder2021",
    "albumentations": "buslaev2020",
}

_ENTRY = re.compile(r"^@\w+\{(?P<key>[\w-]+),\n(?:  .*\n)+\}\n", re.MULTILINE)
_CITED = re.compile(r"@([a-z][a-z0-9]*)")


@cache
def entries() -> dict[str, str]:
    """Key → BibTeX entry, of all of `references.bib`."""
    text = FILE.read_text(encoding="utf-8")
    return {match["key"]: match[0] for match in _ENTRY.finditer(text)}


def of_registry(design: Design) -> dict[str, str]:
    """Entry of the registry that a study uses → its reference; a param of the job that cites it."""
    study = design.study
    kinds: list[tuple[Mapping[str, registry.Entry], Iterable[str]]] = [
        (registry.DATASETS, [study["data"]["name"]]),
        (
            registry.STEPS,
            [used for steps in study["augmentations"].values() for used, _ in steps],
        ),
        (registry.CAM_METHODS, [variant.method for variant in design.variants.values()]),
    ]
    found = {name: registry.entry(kind, name).reference for kind, names in kinds for name in names}
    found |= {name: registry.metric(name).reference for name in design.metrics}
    return found | {name: registry.architecture_reference(name) for name in design.architectures}


def keys(reference: str) -> list[str]:
    """The keys in a reference such as "uddin2021, montabone2010"."""
    return [key.strip() for key in reference.split(",") if key.strip()]


def cite(*references: str) -> str:
    """A citation in pandoc's form, [@a; @b], with a space before it; "" without keys."""
    found = dict.fromkeys(key for reference in references for key in keys(reference))
    return f" [{'; '.join(f'@{key}' for key in found)}]" if found else ""


def cited(*texts: str) -> list[str]:
    """The keys that Markdown texts cite, sorted."""
    groups = (re.findall(r"\[(@[^\]]+)\]", text) for text in texts)
    return sorted({key for group in groups for part in group for key in _CITED.findall(part)})


def bibliography(used: Iterable[str]) -> str:
    """The BibTeX entries of these keys, sorted by key.

    Raises
    ------
    CampareError
        A key has no entry.
    """
    known = entries()
    if missing := sorted(set(used) - known.keys()):
        raise CampareError(f"{FILE}: no entry {', '.join(missing)}; add it")
    return "\n".join(known[key] for key in sorted(set(used)))
