"""A job's code digest changes with the code it runs, and with nothing else."""

from __future__ import annotations

import ast
import inspect
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import provenance
from campare import user_code

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


# Files of the user


MINE = """
'Functions of a study.'
import os
from campare.other import helper
import beside
from further import third

FACTOR = 2
TABLE = [1]
TABLE.append(2)

def blur(batch):
    'Blur.'
    return FACTOR * beside.box(batch)  # a box

def net(classes):
    return helper(classes)

def noise(root):
    return third(root)

def whole(batch):
    return getattr(beside, "box")

@campare.metric(label="Cosine", bounds=(0, 1), same=1.0)
def cosine(pairs):
    return 1

if __name__ == "__main__":
    print(blur(1))
"""
BESIDE = """
def box(x):
    return x

def unused(x):
    return [x]
"""
FURTHER = """
import beside
beside.DEPTH = 1

def third(x):
    return x
"""


@pytest.fixture
def mine(scripts: Path, tmp_path: Path) -> Iterator[Path]:
    """The folder of a study with mine.py, beside.py and further.py."""
    folder = tmp_path / "config"
    folder.mkdir()
    for name, text in (("mine", MINE), ("beside", BESIDE), ("further", FURTHER)):
        (folder / f"{name}.py").write_text(text)
    user_code.use(folder)
    yield folder
    user_code.use("")


def of_mine(scripts: Path, name: str) -> list[str]:
    own = digest(scripts, f"mine.py:{name}")
    return [line for line in own if line not in digest(scripts)]


def test_a_function_of_the_user_counts_with_all_that_it_uses(scripts: Path, mine: Path) -> None:
    # What the import of the files runs counts for each of their functions.
    always = ["further.py", "mine.py", "mine.py:TABLE"]
    assert names(of_mine(scripts, "blur")) == sorted(
        [*always, "beside.py:box", "mine.py:FACTOR", "mine.py:blur"]
    )
    assert names(of_mine(scripts, "net")) == sorted([*always, "mine.py:net", "other.helper"])
    assert "further.py:third" in names(of_mine(scripts, "noise"))
    assert {"beside.py:box", "beside.py:unused"} <= set(names(of_mine(scripts, "whole")))


ALL_OF_MINE = {"blur", "net", "noise", "cosine"}


@pytest.mark.parametrize(
    ("file", "old", "new", "changed"),
    [
        ("mine", "FACTOR = 2", "FACTOR = 3", {"blur"}),
        ("mine", "helper(classes)", "helper(classes + 1)", {"net"}),
        ("mine", "append(2)", "append(3)", ALL_OF_MINE),
        ("mine", "same=1.0", "same=0.9", {"cosine"}),
        ("beside", "return x", "return -x", {"blur"}),
        ("further", "return x", "return -x", {"noise"}),
        ("further", "DEPTH = 1", "DEPTH = 2", ALL_OF_MINE),
        ("mine", "'Blur.'", "'Blur it.'", set()),
        ("mine", "  # a box", "", set()),
        ("mine", "'Functions of a study.'", "", set()),
        ("mine", "print(blur(1))", "print(blur(2))", set()),
        ("mine", 'label="Cosine"', 'label="Cosine of maps"', set()),
        ("mine", "bounds=(0, 1)", "bounds=(0, 2)", set()),
        ("beside", "return [x]", "return (x,)", set()),
    ],
)
def test_an_edit_of_a_users_file_counts_for_what_depends_on_it_and_no_more(
    scripts: Path, mine: Path, file: str, old: str, new: str, changed: set[str]
) -> None:
    before = {name: of_mine(scripts, name) for name in ALL_OF_MINE}
    path = mine / f"{file}.py"
    assert path.read_text().count(old) == 1
    path.write_text(path.read_text().replace(old, new))
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1_000_000_000))
    after = {name: of_mine(scripts, name) for name in ALL_OF_MINE}
    assert {name for name in ALL_OF_MINE if before[name] != after[name]} == changed


def test_digests_do_not_depend_on_where_the_files_are(
    scripts: Path, mine: Path, tmp_path: Path
) -> None:
    before = of_mine(scripts, "blur")
    mine.rename(tmp_path / "moved")
    user_code.use(tmp_path / "moved")
    assert of_mine(scripts, "blur") == before


def test_the_folder_of_the_users_files_is_neither_a_digest_nor_a_setting() -> None:
    state = {"folder": "/a", "functions": [["metric", "mine.py:cosine"]]}
    params = provenance.user_files(state)
    assert compared(params) == set()
    job = {name: give(None, None) for name, give in params.items()}
    assert job == {"user_code": state}
    assert provenance.settings(job) == {} and provenance.digests(job) == []
    assert provenance.user_files(None) == {}


# As params of a rule


def params(scripts: Path, *entries: str) -> dict[str, str]:
    digest(scripts)  # reads the files anew
    return provenance.params(scripts, "job_script", *entries)


def test_each_digest_is_a_param_of_its_own(scripts: Path) -> None:
    assert list(params(scripts)) == ["code.job_script", "code.maths.FACTOR", "code.maths.double"]
    assert list(params(scripts).values()) == digest(scripts)


def test_an_edit_changes_the_param_of_what_was_edited_and_no_other(scripts: Path) -> None:
    before = params(scripts)
    edit(scripts, "maths", "FACTOR = 2", "FACTOR = 3")
    after = params(scripts)
    assert before.keys() == after.keys()
    assert {name for name in before if before[name] != after[name]} == {"code.maths.FACTOR"}


def by_method(scripts: Path, *always: str) -> dict[str, dict[str, str]]:
    """Value of the wildcard → the params that a job of it has."""
    digest(scripts)
    entries = {"triple": ["maths:triple"], "deep": ["maths:entry"], "plain": []}
    given = provenance.params_by(scripts, "method", entries, "job_script", *always)
    assert list(given) == sorted(given)
    return {
        value: {name: of({"method": value}) if callable(of) else of for name, of in given.items()}
        for value in (*entries, "unknown")
    }


def test_params_by_a_wildcard_are_those_of_its_value(scripts: Path) -> None:
    found = by_method(scripts)
    for value, entries in (("triple", ["maths:triple"]), ("deep", ["maths:entry"]), ("plain", [])):
        assert provenance.digests(found[value]) == digest(scripts, *entries)
    assert provenance.digests(found["unknown"]) == digest(scripts)  # what all have


def test_digests_that_are_the_same_for_all_are_values(scripts: Path) -> None:
    entries = {"triple": ["maths:triple"], "plain": []}
    given = provenance.params_by(scripts, "method", entries, "job_script")
    assert {name for name, of in given.items() if callable(of)} == {
        *("code.maths.triple", "code.other.helper"),
    }


def test_what_a_job_does_not_run_is_an_empty_param(scripts: Path) -> None:
    found = by_method(scripts)
    assert found["deep"]["code.other.helper"] == ""
    assert found["triple"]["code.other.helper"].startswith("other.helper ")
    # The same names for all, of which rules are made.
    assert len({tuple(params) for params in found.values()}) == 1


def test_params_by_a_wildcard_share_what_all_have(scripts: Path) -> None:
    found = by_method(scripts, "maths:triple")
    for value in ("triple", "deep", "plain"):
        assert "code.maths.triple" in found[value]
        assert found[value]["code.other.helper"]


def test_an_edit_makes_jobs_of_one_value_stale_and_no_others(scripts: Path) -> None:
    before = by_method(scripts)
    edit(scripts, "other", "3 * x", "4 * x")
    after = by_method(scripts)
    assert {value for value in before if before[value] != after[value]} == {"triple"}


def test_params_divide_into_digests_and_settings(scripts: Path) -> None:
    given = {"seed": 1, "code": "of honour", "encode.x": 2, "code.unused": "", **params(scripts)}
    texts = {f"{provenance.TEXT}seed": "seed: 1"}
    assert provenance.settings(given | texts) == {"seed": 1, "code": "of honour", "encode.x": 2}
    assert provenance.digests(given | texts) == digest(scripts)
    assert provenance.digests({}) == []


# Packages within the package


DRAWING = """
from campare.figures import answer, TITLE
answer.draw(TITLE)
"""
FIGURES = {
    "__init__": '"""Figures."""\nfrom campare.figures.style import save\nTITLE = "Answer"\n',
    "answer": """
from campare.figures.style import COLOUR, shade

def draw(title):
    return shade(COLOUR)

def other(title):
    return COLOUR
""",
    "style": """
COLOUR = "blue"

def shade(colour):
    return colour

def save(figure):
    return figure
""",
}


@pytest.fixture
def drawing(scripts: Path) -> Path:
    folder = scripts / "campare" / "figures"
    folder.mkdir()
    for name, text in FIGURES.items():
        (folder / f"{name}.py").write_text(text)
    (scripts / "job_script.py").write_text(DRAWING)
    return scripts


def test_follows_modules_of_a_package_within(drawing: Path) -> None:
    assert names(digest(drawing)) == [
        "figures.TITLE",
        "figures.answer.draw",
        "figures.style.COLOUR",
        "figures.style.shade",
        "job_script",
    ]


@pytest.mark.parametrize(
    ("script", "reached"),
    [
        ("from campare.figures.style import save\nsave(1)", "figures.style.save"),
        ("from campare.figures.style import save as write\nwrite(1)", "figures.style.save"),
        ("from campare.figures import style\nstyle.save(1)", "figures.style.save"),
        ("from campare.figures import style as look\nlook.save(1)", "figures.style.save"),
        ("from campare import figures\nfigures.style.save(1)", "figures.style.save"),
        ("from campare import figures\nfigures.TITLE", "figures.TITLE"),
        ("from campare.figures import TITLE\nTITLE", "figures.TITLE"),
        ("from campare.figures import save\nsave(1)", "figures.style.save"),  # passed on
        ("import campare.figures.style\ncampare.figures.style.save(1)", "figures.style.save"),
        ("import campare.figures.style as look\nlook.save(1)", "figures.style.save"),
    ],
)
def test_follows_every_form_of_import(drawing: Path, script: str, reached: str) -> None:
    (drawing / "job_script.py").write_text(script)
    assert names(digest(drawing)) == sorted([reached, "job_script"])


@pytest.mark.parametrize(
    "script", ["from .campare import maths", "from . import maths", "from campare.maths import *"]
)
def test_an_import_that_it_cannot_follow_is_refused(drawing: Path, script: str) -> None:
    (drawing / "job_script.py").write_text(script)
    with pytest.raises(ValueError, match="whose code would not count"):
        digest(drawing)


@pytest.mark.parametrize(
    ("module", "old", "new", "changed"),
    [
        ("answer", "return shade(COLOUR)", "return COLOUR", "figures.answer.draw"),
        ("style", '"blue"', '"red"', "figures.style.COLOUR"),
        ("__init__", '"Answer"', '"Question"', "figures.TITLE"),
    ],
)
def test_real_edits_of_a_package_within_count(
    drawing: Path, module: str, old: str, new: str, changed: str
) -> None:
    before = digest(drawing)
    edit(drawing, f"figures/{module}", old, new)
    assert changed in {line.split()[0] for line in set(before) ^ set(digest(drawing))}


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("answer", "    return COLOUR\n", "    return 1\n"),
        ("style", "return figure", "return None"),
        ("__init__", "Figures.", "All figures."),
    ],
)
def test_edits_beside_what_is_used_of_a_package_within_do_not_count(
    drawing: Path, module: str, old: str, new: str
) -> None:
    before = digest(drawing)
    edit(drawing, f"figures/{module}", old, new)
    assert digest(drawing) == before


# The package itself


SCRIPTS = Path(provenance.__file__).parent


def figures() -> set[str]:
    """All functions that draw a figure, as "summary.summary"."""
    return {
        f"{path.stem}.{node.name}"
        for path in (SCRIPTS / "campare" / "plots").glob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
        and "styled" in {ast.unparse(decorator) for decorator in node.decorator_list}
    }


@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("*.py")), ids=lambda path: path.stem)
def test_an_edit_of_a_figure_redraws_that_figure_and_no_other(path: Path) -> None:
    code = provenance.code(SCRIPTS, path.stem)
    reached = {name.removeprefix("plots.") for name in names(code)} & figures()
    text = path.read_text(encoding="utf-8")
    assert reached == {name for name in figures() if re.search(rf"\b{re.escape(name)}\b", text)}


def test_every_figure_is_drawn_by_a_script_or_in_a_notebook() -> None:
    notebook = (SCRIPTS / "campare" / "image_maps.py").read_text(encoding="utf-8")
    drawn = {
        name for path in SCRIPTS.glob("*.py") for name in names(provenance.code(SCRIPTS, path.stem))
    }
    assert {f"plots.{name}" for name in figures() if name not in notebook} <= drawn


# What scripts import from modules next to them, whose code does not change a result.
UNCOUNTED = {"early_checks", "inputs", "job", "provenance"}


def test_what_scripts_share_counts_or_changes_no_result() -> None:
    local = {path.stem for path in SCRIPTS.glob("*.py")}
    shared = set()
    for path in SCRIPTS.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        if "logged(snakemake.log[0])" in text:
            shared |= local & set(re.findall(r"^(?:from|import) (\w+)", text, re.MULTILINE))
    assert shared == provenance.SHARED | UNCOUNTED


@pytest.mark.parametrize(
    ("module", "name", "reached"),
    [
        ("training_job", "Training", {"training_job.Training", "train.train", "optimizers.Muon"}),
        ("network_job", "NetworkJob", {"network_job.NetworkJob", "models.load", "data.read"}),
        ("network_job", "sampled", {"network_job.sampled", "faithfulness.sampled_rows"}),
    ],
)
def test_the_code_that_jobs_share_counts(module: str, name: str, reached: set[str]) -> None:
    importing = re.compile(rf"^from {module} import .*\b{name}\b", re.MULTILINE)
    scripts = [p for p in SCRIPTS.glob("*.py") if importing.search(p.read_text(encoding="utf-8"))]
    assert scripts
    for path in scripts:
        assert reached <= {*names(provenance.code(SCRIPTS, path.stem))}, path


def test_an_edit_of_a_shared_module_counts(scripts: Path) -> None:
    shared = "from campare import maths\n\nclass Training:\n    value = maths.triple(1)\n"
    (scripts / "training_job.py").write_text(shared)
    (scripts / "job_script.py").write_text("from training_job import Training\nTraining()\n")
    first = digest(scripts)
    assert names(first) == ["job_script", "maths.triple", "other.helper", "training_job.Training"]
    edit(scripts, "other", "3 * x", "4 * x")
    second = digest(scripts)
    assert names([*set(second) - set(first)]) == ["other.helper"]
    (scripts / "training_job.py").write_text(shared.replace("1", "2"))
    assert names([*set(digest(scripts)) - set(second)]) == ["training_job.Training"]


def compared(params: dict[str, Any], wildcards: Any = None) -> set[str]:
    """What Snakemake compares of them: values, but not of functions that take `output`."""
    values = set()
    for value in params.values():
        if not callable(value):
            values.add(value)
        elif "output" not in inspect.signature(value).parameters:
            values.add(value(wildcards))
    return values


def test_settings_are_compared_with_their_names() -> None:
    assert compared(provenance.named(a=1, b=2)) != compared(provenance.named(a=2, b=1))
    assert compared(provenance.named(a=1)) == {"a: 1"}
    assert compared(provenance.named(root="a {b}")) == {"root: 'a {b}'"}
    assert compared(provenance.named(twice=lambda w: 2 * w), 4) == {"twice: 8"}
    given = provenance.named(root="{b}", twice=lambda w: 2 * w)
    values = {name: give(4, None) for name, give in given.items() if "." not in name}
    assert values == {"root": "{b}", "twice": 8}


def test_a_mapping_is_compared_key_by_key() -> None:
    params = provenance.each("settings", ["a", "b"], lambda w: {"a": w, "b": 1})
    assert compared(params, 3) == {"a: 3", "b: 1"}
    assert params["settings"](3, None) == {"a": 3, "b": 1}
    assert provenance.settings(dict.fromkeys(params, 0)) == {"settings": 0}


def test_a_key_that_a_job_lacks_is_not_compared_by_its_name() -> None:
    params = provenance.each("settings", ["a", "b"], lambda w: {"a": w} | ({"b": 1} if w else {}))
    assert compared(params, 3) == {"a: 3", "b: 1"}
    # As params are compared as a set, a key of other jobs does not change those of this one.
    assert compared(params, 0) == {"a: 0", ""}
    assert params["settings"](0, None) == {"a": 0}
