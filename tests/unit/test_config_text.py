"""What YAML swallows in silence is refused, with key and line; `--config` is read as a file is."""

from __future__ import annotations

from pathlib import Path

import pytest

from campare import config_text
from campare.errors import CampareError

CONFIGS = sorted((Path(__file__).parents[2] / "config").glob("*.yaml"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seeds: [1]\nvary: [order]\nseeds: [2]\n", "line 3: seeds: given twice.*line 1"),
        ("a:\n  b: {c: 1}\n  b: {c: 2}\n", r"line 3: a\.b: given twice.*line 2.*remove one"),
        ("a: [{b: 1, 'b': 2}]\n", r"line 1: a\.0\.b: given twice"),
        ('{"a": 1,\n "a": 2}', "line 2: a: given twice"),
        ("seeds: [1, 010]\n", r"line 1: seeds\.1: YAML reads 010 as 8; write .* decimal digits"),
        ("a:\n  b: 1:30\n", r"line 2: a\.b: YAML reads 1:30 as 90"),
        ("a: 0x10\n", "line 1: a: YAML reads 0x10 as 16"),
    ],
)
def test_what_yaml_swallows_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(text)
    with pytest.raises(CampareError, match=rf"study\.yaml: {message}"):
        config_text.check(path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing\n",
        "a: &x {b: 1}\nc: {<<: *x, b: 2}\n",  # an anchor's keys may be replaced
        "a: &x [*x]\n",
        "a: 0.5\nb: .5\nc: -0\nd: 1_000\ne: .inf\nf: 1.0e-3\ng: '010'\nh: a:b\n",
        '{\t"a": 1}',  # JSON, and no YAML
        "\ufeffa: 1\r\nb: é\r\n",
    ],
)
def test_all_else_is_left_to_snakemake(tmp_path: Path, text: str) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(text, encoding="utf-8")
    config_text.check(path)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("training={epochs: 2, cuda_graph: true}", {"training": {"epochs": 2, "cuda_graph": True}}),
        ("seeds=[1, 2]", {"seeds": [1, 2]}),
        (
            "cam={class: 'true', target_layer: null}",
            {"cam": {"class": "true", "target_layer": None}},
        ),
        ("study=a=b", {"study": "a=b"}),
        ('study="2024"', {"study": "2024"}),
        ("study=", {"study": None}),
        ("training={epochs: 2", {"training": "{epochs: 2"}),
        ("study=2024-13-45", {"study": "2024-13-45"}),
    ],
)
def test_an_argument_says_what_it_would_in_a_file(entry: str, said: dict) -> None:
    assert config_text.argument(entry) == said


def test_an_argument_is_judged_as_a_file_is() -> None:
    with pytest.raises(CampareError, match=r"--config: line 1: training\.epochs: given twice"):
        config_text.argument("training={epochs: 2, epochs: 3}")


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_the_config_files_of_the_project_have_no_fault(path: Path) -> None:
    config_text.check(path)
