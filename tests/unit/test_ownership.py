"""A folder of results belongs to one study."""

from __future__ import annotations

from pathlib import Path

import pytest

from campare import ownership
from campare.errors import CampareError

RESULTS = Path("results/s")


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    (folder / "config").mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


def config(name: str, study: str = "s") -> Path:
    path = Path("config") / name
    path.write_text(f"study: {study}\n")
    return path


def test_another_study_of_the_name_is_refused_while_the_first_has_it() -> None:
    first, second = config("first.yaml"), config("second.yaml")
    ownership.check(RESULTS, [first])
    ownership.record(RESULTS, [first])
    ownership.check(RESULTS, [first.absolute()])  # as Snakemake spells it
    with pytest.raises(CampareError) as caught:
        ownership.check(RESULTS, [second])
    for part in ("config/second.yaml: study: s is also the name", "config/first.yaml", "another"):
        assert part in str(caught.value)
    assert (RESULTS / ownership.RECORD).read_text() == "config/first.yaml\n"


def test_an_edit_is_no_other_study() -> None:
    first = config("first.yaml")
    ownership.record(RESULTS, [first])
    first.write_text("study: s\nseeds: [1, 2, 3, 4]\n")
    ownership.check(RESULTS, [first])


@pytest.mark.parametrize("fate", ["renamed", "given another study", "broken", "not YAML"])
def test_results_whose_study_is_no_more_are_free(fate: str) -> None:
    first, second = config("first.yaml"), config("second.yaml")
    ownership.record(RESULTS, [first])
    if fate == "renamed":
        first.unlink()
    else:
        first.write_text(
            {"given another study": "study: t\n", "broken": "- 1\n", "not YAML": "{"}[fate]
        )
    ownership.check(RESULTS, [second])
    ownership.record(RESULTS, [second])
    assert (RESULTS / ownership.RECORD).read_text() == "config/second.yaml\n"


def test_a_copy_of_the_project_knows_its_own_files(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ownership.record(RESULTS, [config("first.yaml").absolute()])
    copied = project.rename(project.with_name("copy"))
    monkeypatch.chdir(copied)
    ownership.check(RESULTS, [Path("config/first.yaml").absolute()])


def test_two_files_together_are_another_study_than_one(tmp_path: Path) -> None:
    base, more = config("base.yaml"), tmp_path / "more.yaml"
    more.write_text("seeds: [7]\n")
    ownership.record(RESULTS, [base])
    with pytest.raises(CampareError, match=r"more\.yaml: study: s is also the name"):
        ownership.check(RESULTS, [base, more])


def test_a_file_in_the_place_of_the_folder_is_named() -> None:
    Path("results").mkdir()
    Path("results/README.md").touch()
    with pytest.raises(CampareError, match=r"study: results/README\.md is a file"):
        ownership.check(Path("results/README.md"), [config("first.yaml", "README.md")])
