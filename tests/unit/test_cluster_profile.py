"""The SLURM profile knows the rules: small jobs share a submission, and no name is misspelt."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
PROFILE = yaml.safe_load((ROOT / "profiles" / "slurm" / "config.yaml").read_text())
GROUPS = dict(entry.split("=") for entry in PROFILE["groups"])


def rules() -> set[str]:
    """The rules that have jobs of their own."""
    found: set[str] = set()
    local: set[str] = set()
    for path in [ROOT / "Snakefile", *(ROOT / "workflow" / "rules").glob("*.smk")]:
        text = path.read_text()
        found |= set(re.findall(r"^ *rule (\w+):", text, re.MULTILINE))
        found |= set(re.findall(r"^ *use rule \w+ as (\w+) with:", text, re.MULTILINE))
        for block in re.findall(r"^localrules:\n((?:    \w+,\n)+)", text, re.MULTILINE):
            local |= set(re.findall(r"\w+", block))
    return found - local


def test_every_rule_that_is_named_exists() -> None:
    assert set(GROUPS) | set(PROFILE.get("set-resources", {})) <= rules()


def test_all_tables_and_figures_of_a_study_share_one_submission() -> None:
    small = {rule for rule in rules() if rule.startswith(("tabulate_", "plot_"))}
    apart = {rule for rule in small if GROUPS.get(rule) != "report"}
    # A target of its own, not of `all`.
    assert apart == {"plot_architectures"}


def test_what_is_measured_of_an_augmentations_maps_goes_with_them() -> None:
    looking = {rule for rule, group in GROUPS.items() if group == "look_{augmentation}"}
    assert looking == {
        "extract_cams",
        "measure_similarity",
        "measure_matched",
        "measure_pairs",
        "measure_localisation",
        "measure_faithfulness",
    }
