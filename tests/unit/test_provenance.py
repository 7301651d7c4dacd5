"""A job's code digest changes with the code it runs, and with nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

import provenance

SCRIPT = """
from campare import maths
maths.double(3)
"""
MATHS = '''
"""A module."""
from campare import deep
from campare.other import helper

FACTOR = 2

def double(x):
    """Twice x."""
    return FACTOR * x  # twice

def triple(x):
    return helper(x)

def entry(x):
    return deep.value
'''


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    package = tmp_path / "campare"
    package.mkdir()
    (tmp_path / "job_script.py").write_text(SCRIPT)
    (package / "maths.py").write_text(MATHS)
    (package / "other.py").write_text("def helper(x):\n    return 3 * x\n")
    (package / "deep.py").write_text("value = 1\n")
    return tmp_path


def digest(scripts: Path, *entries: str) -> list[str]:
    provenance._symbols.cache_clear()
    provenance.code.cache_clear()
    return provenance.code(scripts, "job_script", *entries)


def edit(scripts: Path, module: str, old: str, new: str) -> None:
    path = scripts / "campare" / f"{module}.py"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def names(code: list[str]) -> list[str]:
    return [line.split()[0] for line in code]


def test_reaches_what_the_script_uses_and_no_more(scripts: Path) -> None:
    assert names(digest(scripts)) == ["job_script", "maths.FACTOR", "maths.double"]


def test_entries_found_through_the_registry_count(scripts: Path) -> None:
    assert names(digest(scripts, "maths:entry")) == [
        "deep.value",
        "job_script",
        "maths.FACTOR",
        "maths.double",
        "maths.entry",
    ]


def test_follows_imported_names(scripts: Path) -> None:
    assert "other.helper" in names(digest(scripts, "maths:triple"))


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("maths", "# twice", "# two times"),
        ("maths", "Twice x.", "Double of x."),
        ("maths", "A module.", "The module."),
        ("maths", "return helper(x)", "return helper(x) + 1"),
        ("other", "3 * x", "4 * x"),
        ("maths", "FACTOR = 2\n", "FACTOR = 2\n\n\n"),
    ],
)
def test_comments_docstrings_layout_and_unused_code_do_not_count(
    scripts: Path, module: str, old: str, new: str
) -> None:
    before = digest(scripts)
    edit(scripts, module, old, new)
    assert digest(scripts) == before


@pytest.mark.parametrize(
    ("module", "old", "new", "changed"),
    [
        ("maths", "FACTOR = 2", "FACTOR = 3", "maths.FACTOR"),
        ("maths", "FACTOR * x", "x * FACTOR", "maths.double"),
    ],
)
def test_real_edits_count_and_are_named(
    scripts: Path, module: str, old: str, new: str, changed: str
) -> None:
    before = digest(scripts)
    edit(scripts, module, old, new)
    after = digest(scripts)
    assert {line.split()[0] for line in set(before) ^ set(after)} == {changed}


def test_edit_of_the_script_counts(scripts: Path) -> None:
    before = digest(scripts)
    (scripts / "job_script.py").write_text(SCRIPT.replace("3", "4"))
    assert digest(scripts) != before
