"""Of all files: text is UTF-8, whatever the locale says; rule files do not share names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYTHON = [*(ROOT / "workflow").rglob("*.py"), *(ROOT / "benchmarks").glob("*.py")]
RULES = [ROOT / "workflow" / "Snakefile", *(ROOT / "workflow" / "rules").rglob("*.smk")]


def careless(text: str) -> Iterator[int]:
    """Lines that open a text file without saying its encoding."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call) or any(word.arg == "encoding" for word in node.keywords):
            continue
        called = node.func
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        owner = ast.unparse(called.value) if isinstance(called, ast.Attribute) else ""
        # archive: of zipfile, which opens binary files
        no_text = owner in ("Image", "PIL.Image", "tarfile", "archive")
        binary = re.search(r"'[rwxa+]*b[rwxa+]*'", ", ".join(map(ast.unparse, node.args)))
        if name in ("read_text", "write_text") or (name == "open" and not (no_text or binary)):
            yield node.lineno


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: path.stem)
def test_scripts_say_the_encoding(path: Path) -> None:
    assert list(careless(path.read_text(encoding="utf-8"))) == []


def test_rules_open_no_text() -> None:
    opening = re.compile(r"\b(open|read_text|write_text)\(")
    assert not [path for path in RULES if opening.search(path.read_text(encoding="utf-8"))]


def test_what_counts_as_careless() -> None:
    text = "p.open()\nopen(p, 'w')\np.read_text()\nopen(p, 'rb')\nImage.open(p)\np.open(encoding=e)"
    text += "\ntarfile.open(p, 'w:gz')"
    assert list(careless(text)) == [1, 2, 3]


def test_no_two_rule_files_give_a_name_to_different_things() -> None:
    """Rule files share their names: a second assignment changes what the first file's rules use."""
    given: dict[str, list[str]] = {}
    for path in RULES:
        text = path.read_text(encoding="utf-8")
        for name in set(re.findall(r"^ *([A-Z][A-Z_]+) = ", text, re.MULTILINE)):
            given.setdefault(name, []).append(path.name)
    assert {name: files for name, files in given.items() if len(files) > 1} == {}
