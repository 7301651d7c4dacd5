"""docs/check.py: the numbers of the pages are those of docs/tables/."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest
from scipy import stats

ROOT = Path(__file__).parents[2]
spec = importlib.util.spec_from_file_location("docs_check", ROOT / "docs" / "check.py")
assert spec is not None and spec.loader is not None
docs = importlib.util.module_from_spec(spec)
spec.loader.exec_module(docs)

PAGE = """\
# Page
<!-- from docs/templates/arms.md -->
| Affine | +1.5 | −0.020 |
The floor is 0.481.
<!-- end of arms.md -->
Not compared: 7.
"""
TEMPLATE = """\
{% for arm in rows("digits/summary") %}
| {{ label(arm.augmentation) }} | {{ arm.accuracy_change|points }} | {{ arm.net|signed }} |
{% endfor %}
{% set arm = row("digits/summary") %}
{{ holds(arm.floor > 0.4, "The floor") }} is {{ arm.floor|fixed }}.
"""
TABLE = "augmentation,accuracy_change,net,floor\naffine,0.0149,-0.0199,0.4809\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with one page, its template and its table."""
    for name, text in {
        "README.md": "no region\n",
        "docs/page.md": PAGE,
        "docs/templates/arms.md": TEMPLATE,
        "docs/tables/digits/summary.csv": TABLE,
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_pages_of_the_repository_have_the_numbers_of_the_tables() -> None:
    assert docs.check(ROOT) == [], "run `make docs`"


@pytest.mark.parametrize(
    ("name", "template"), [(p.name, p.read_text()) for p in (ROOT / "docs/templates").glob("*.md")]
)
def test_changed_digit_of_the_repository_is_found(tmp_path: Path, name: str, template: str) -> None:
    """The last digit of every region, in a copy of the pages."""
    ignored = shutil.ignore_patterns("*.png", "__pycache__")
    for folder in ("docs", "benchmarks", "tests/unit"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    shutil.copy(ROOT / "README.md", tmp_path)
    page = next(path for path, text in docs.pages(tmp_path) if f"end of {name}" in text)
    text, end = page.read_text(), page.read_text().index(f"<!-- end of {name}")
    place = max(text.rfind(digit, 0, end) for digit in "0123456789")
    page.write_text(text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1 :])
    (message,) = docs.check(tmp_path)
    assert message.startswith(f"{page.relative_to(tmp_path)}:{text[:place].count(chr(10)) + 1}: ")


def test_page_that_agrees_has_no_message(root: Path) -> None:
    assert docs.check(root) == []


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("docs/page.md", "+1.5", "+1.6"),
        ("docs/page.md", "−0.020", "+0.020"),
        ("docs/page.md", "The floor is 0.481.\n", ""),
        ("docs/tables/digits/summary.csv", "0.0149", "0.0159"),
        ("docs/templates/arms.md", "|points", "|percent"),
    ],
)
def test_each_difference_has_one_message_and_write_removes_it(
    root: Path, file: str, old: str, new: str
) -> None:
    edit(root / file, old, new)
    (message,) = docs.check(root)
    assert message.startswith("docs/page.md:")
    assert docs.check(root, write=True) == []
    assert docs.check(root) == []
    assert "Not compared: 7." in (root / "docs/page.md").read_text()


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("docs/tables/digits/summary.csv", "0.4809", "0.2", "contradict the statement “The floor”"),
        ("docs/templates/arms.md", "arm.net", "arm.nett", "nett"),
        ("docs/templates/arms.md", "digits/summary", "digits/shift", "digits/shift.csv is missing"),
        ("docs/page.md", "<!-- end of arms.md -->", "", "a region has no end"),
    ],
)
def test_wrong_statement_column_table_or_region_is_named(
    root: Path, file: str, old: str, new: str, message: str
) -> None:
    edit(root / file, old, new)
    (found,) = docs.check(root)
    assert message in found


def test_template_and_table_that_are_not_used_are_named(root: Path) -> None:
    (root / "docs/templates/other.md").write_text("1\n")
    (root / "docs/tables/digits/other.csv").write_text("a\n1\n")
    assert docs.check(root) == [
        "docs/templates/other.md is on no page",
        "docs/tables/digits/other.csv is in no template",
    ]


def test_every_table_of_the_repository_can_be_copied_again() -> None:
    folder = ROOT / "docs/tables"
    tables = {str(path.relative_to(folder).with_suffix("")) for path in folder.rglob("*.csv")}
    assert tables - {"runs"} <= set(docs.COPIES)
    for name in tables - {"runs"}:
        columns, _ = docs.COPIES[name]
        header = (folder / f"{name}.csv").read_text().split("\n")[0]
        assert header == ",".join(columns.split())


def test_quotation_must_be_on_the_other_page(root: Path) -> None:
    edit(root / "docs/templates/arms.md", '"The floor")', 'quoted("docs/other.md", "The floor"))')
    (root / "docs/other.md").write_text("… The\nfloor …")
    assert docs.check(root) == []
    (root / "docs/other.md").write_text("The ceiling")
    (message,) = docs.check(root)
    assert "docs/other.md does not have “The floor”" in message
    (root / "docs/other.md").unlink()
    (message,) = docs.check(root)
    assert "docs/other.md does not have “The floor”" in message


RESULTS = """{"machine": {"cores": 2}, "results": [
{"name": "cam", "ratio": 8.336, "low": 7.834, "high": 8.809, "ours": 223.9}]}"""


def test_correlation_of_two_columns_is_that_of_scipy() -> None:
    a, b = [1.0, 2.0, 4.0, 3.0, 7.0], [2.0, 1.0, 5.0, 4.0, 3.0]
    rows = [{"a": x, "b": y} for x, y in zip(a, b, strict=True)]
    expected = stats.pearsonr(a, b)
    low, high = expected.confidence_interval()
    found = docs.pearson_r(rows, "a", "b")
    assert (found["pearson"], found["n"]) == (pytest.approx(expected.statistic), 5)
    assert (found["low"], found["high"]) == (pytest.approx(low), pytest.approx(high))


def test_benchmarks_are_read_from_their_files(root: Path) -> None:
    page = "<!-- from docs/templates/speed.md -->\n{}<!-- end of speed.md -->\n"
    folder = root / "benchmarks"
    folder.mkdir()
    (folder / "results.json").write_text(RESULTS)
    (folder / "recipes.csv").write_text("recipe,minutes\ncifar10,0.79\n")
    (folder / "RESULTS.md").write_text(page.format(""))
    (root / "docs/templates/speed.md").write_text(
        '{% set file = benchmark("results.json") %}\n'
        "{{ with_range(file.results.cam) }}; {{ file.machine.cores }} cores; "
        '{{ row("benchmarks/recipes").minutes|fixed(2) }} minutes\n'
    )
    assert docs.check(root, write=True) == []
    text = "8.34 [7.83, 8.81]; 2 cores; 0.79 minutes\n"
    assert (folder / "RESULTS.md").read_text() == page.format(text)
    edit(folder / "results.json", "8.336", "8.4")
    (message,) = docs.check(root)
    assert message.startswith("benchmarks/RESULTS.md:2: ") and "8.40 [7.83, 8.81]" in message
    (folder / "recipes.csv").unlink()
    (message,) = docs.check(root)
    assert message.endswith("benchmarks/recipes.csv is missing")
    (folder / "results.json").unlink()
    (message,) = docs.check(root)
    assert message.endswith("benchmarks/results.json is missing")


def test_copies_have_the_chosen_columns_and_rows_and_all_digits(root: Path) -> None:
    tables = root / "results/digits/variants/true_class/tables"
    tables.mkdir(parents=True)
    (tables / "shift.csv").write_text("metric,net,note\nmad,0.10000000000000001,\nmsd,2,x\n")
    copies = {
        "digits/true_class/shift": ("metric net", {"metric": ["mad"]}),
        "digits/summary": ("augmentation", {}),
        "digits/true_class/none": ("p", {}),
    }
    assert docs.copy(root, copies, {}) == [
        "results/digits/tables/summary.csv is missing",
        "results/digits/variants/true_class/tables/none.csv is missing",
    ]
    copied = (root / "docs/tables/digits/true_class/shift.csv").read_text()
    assert copied == "metric,net\nmad,0.10000000000000001\n"
    assert (root / "docs/tables/digits/summary.csv").read_text() == TABLE
    copies["digits/true_class/shift"] = ("metric q", {})
    assert "results/digits/variants/true_class/tables/shift.csv has no column q" in docs.copy(
        root, copies, {}
    )


def test_figures_are_copied_and_only_of_the_studies_that_are_named(root: Path) -> None:
    figures = {"a": "digits/figures/summary/summary", "b": "shapes/figures/summary/summary"}
    for study in ("digits", "shapes"):
        folder = root / "results" / study / "figures/summary"
        folder.mkdir(parents=True)
        (folder / "summary.png").write_bytes(study.encode())
    copies = {"digits/summary": ("augmentation", {})}
    assert docs.copy(root, copies, figures, ["shapes"]) == []
    assert not (root / "docs/a.png").exists()
    assert (root / "docs/b.png").read_bytes() == b"shapes"
    (root / "results/shapes/figures/summary/summary.png").unlink()
    assert docs.copy(root, {}, figures) == ["results/shapes/figures/summary/summary.png is missing"]
    assert (root / "docs/a.png").read_bytes() == b"digits"
    assert (root / "docs/b.png").read_bytes() == b"shapes"


def test_every_figure_that_can_be_copied_is_on_a_page() -> None:
    pages = "".join(path.read_text() for path in ROOT.glob("docs/*.md"))
    assert [name for name in docs.FIGURES if f"({name}.png)" not in pages] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (docs.points(-0.0123), "−1.2"),
        (docs.signed(0.0), "+0.000"),
        (docs.percent(0.1234), "12.3"),
        (docs.fixed(float("nan")), "–"),
        (docs.significant(1234.5), "1,230"),
        (docs.significant(0.0, 2), "0"),
        (docs.significant(9.996), "10.0"),
        (docs.over_seeds([0.1, 0.3, float("nan")], 1), "0.2 ± 0.1 (2 seeds)"),
        (docs.over_seeds([-0.1, -0.3], 1, docs.signed), "−0.2 ± 0.1"),
        (docs.p_value(0.0004), "< 0.001"),
        (docs.p_value(0.0424), "0.042"),
    ],
)
def test_numbers_as_printed(text: str, expected: str) -> None:
    assert text == expected
