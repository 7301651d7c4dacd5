"""On SLURM, jobs of seconds share a submission: by the groups that rules name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
PROFILE = yaml.safe_load((ROOT / "profiles" / "slurm" / "config.yaml").read_text())


def blocks() -> Iterator[tuple[Path, str, str]]:
    """File, rule and text of all rules but those of tables and figures.

    Rules that are made in a loop have the name of their file.
    """
    start = re.compile(r"^ *(?=(?:(?:use )?rule\b|(?:compute|tabulate|draw)\())", re.MULTILINE)
    for path in sorted((ROOT / "workflow" / "rules").rglob("*.smk")):
        for block in start.split(path.read_text())[1:]:
            if block.startswith(("tabulate", "draw")):
                continue
            name = re.match(r"(?:use rule \w+ as|rule|compute\(\s*\")\s*(\w*)", block)
            assert name
            yield path, name[1] or path.stem, block


def rules() -> dict[str, str]:
    """Rule → its group, "" for none."""
    groups = {
        name: re.search(r"^ +group(?::\s+|=)\"(.+)\"", block, re.MULTILINE)
        for _, name, block in blocks()
    }
    return {name: group[1] if group else "" for name, group in groups.items()}


def test_the_profile_names_no_rules_that_it_would_have_to_follow() -> None:
    assert "groups" not in PROFILE
    assert set(PROFILE.get("set-resources", {})) <= set(rules())


def test_all_tables_and_figures_of_a_study_share_one_submission() -> None:
    text = (ROOT / "workflow" / "rules" / "report.smk").read_text()
    loop = text[text.index("for job in REPORT.jobs") : text.index("for target in")]
    assert re.search(r"group:\s+\"report\"", loop)
    assert PROFILE["group-components"] == ["report=100"]


def test_what_is_measured_of_an_augmentations_maps_goes_with_them() -> None:
    grouped = {rule for rule, group in rules().items() if group == "maps_{augmentation}"}
    assert grouped == {
        "extract_cams",
        "similarity",
        "measure_pairs",
        "measure_localisation",
        "measure_faithfulness",
        "exchange_maps",
        "measure_mosaics",
        "measure_sanity",
        "measure_deletion",
        "represent",
        "compare_representations",
        "measure_corruptions",
        "measure_equivariance",
    }
