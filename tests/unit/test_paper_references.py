"""The bibliography: every key exists, every entry is used, every publication has one."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path

import pytest

import campare
from campare import registry
from campare.errors import CampareError
from campare.paper import references

PACKAGE = Path(campare.__file__).parent
KINDS = {
    "data set": registry.DATASETS,
    "architecture": registry.ARCHITECTURES,
    "augmentation": registry.AUGMENTATIONS,
    "method": registry.CAM_METHODS,
    "metric": registry.METRICS,
}
ENTRIES = [(kind, name, entry) for kind, all_ in KINDS.items() for name, entry in all_.items()]


@pytest.mark.parametrize(("kind", "name", "entry"), ENTRIES, ids=lambda value: str(value)[:20])
def test_entries_of_the_registry_cite_what_their_description_names(
    kind: str, name: str, entry: registry.Entry
) -> None:
    keys = references.keys(entry.reference)
    assert set(keys) <= references.entries().keys()
    for year in re.findall(r"\(?\b((?:19|20)\d\d)\)", entry.about):
        assert any(year in references.entries()[key] for key in keys), (kind, name)


def test_every_key_of_the_package_exists_and_every_entry_is_used() -> None:
    tables = (
        references.OPTIMIZERS,
        references.SCHEDULES,
        references.LIBRARIES,
        references.SOFTWARE,
        registry.FAMILIES,
    )
    named = {key for table in tables for value in table.values() for key in references.keys(value)}
    assert named <= references.entries().keys()
    sources = "\n".join(
        path.read_text(encoding="utf-8")
        for path in chain(PACKAGE.glob("paper/*.py"), [PACKAGE / "registry.py"])
    )
    unused = {key for key in references.entries() if not re.search(rf"\b{key}\b", sources)}
    assert not unused


def test_entries_are_complete_and_can_be_parsed() -> None:
    text = references.FILE.read_text(encoding="utf-8")
    assert len(references.entries()) == len(re.findall(r"^@", text, re.MULTILINE))
    for key, entry in references.entries().items():
        depth = 0
        for char in entry:
            depth += {"{": 1, "}": -1}.get(char, 0)
            assert depth >= 0, key
        assert depth == 0, key
        fields = dict(re.findall(r"^  (\w+) +?= \{(.*)\},?$", entry, re.MULTILINE))
        assert {"author", "title"} <= fields.keys(), key
        year = re.search(r"\d{4}", key)
        assert not year or fields["year"] == year[0], key
        assert not re.search(r"(?<!\\)[%&#]", entry), key


def test_the_version_of_campare_is_that_of_the_package() -> None:
    project = (PACKAGE.parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    version = re.search(r'^version = "(.*)"$', project, re.MULTILINE)
    assert version and f"Version {version[1]}" in references.entries()["campare"]


def test_the_bibliography_has_exactly_what_is_cited() -> None:
    text = f"Grad-CAM{references.cite('selvaraju2017')}, two{references.cite('holm1979, he2016')}."
    used = references.cited(text)
    assert used == ["he2016", "holm1979", "selvaraju2017"]
    found = re.findall(r"^@\w+\{(\w+),", references.bibliography(used), re.MULTILINE)
    assert found == used
    with pytest.raises(CampareError, match="no entry nobody1900; add it"):
        references.bibliography(["nobody1900"])


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("small_cnn", ""),
        ("resnet50", "he2016"),
        ("resnext50_32x4d", "xie2017"),
        ("wide_resnet50_2", "zagoruyko2016"),
        ("timm:convnext_tiny.fb_in1k", "liu2022"),
        ("mine.py:net", ""),
    ],
)
def test_references_of_architectures(name: str, reference: str) -> None:
    assert registry.architecture_reference(name) == reference
