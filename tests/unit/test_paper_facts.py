"""The time used by jobs, by kind: every job that runs a network is counted as one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from test_cluster_profile import blocks

from campare.paper import facts
from campare.paper.facts import EVALUATION, Facts

WORKFLOW = Path(__file__).parents[2] / "workflow"
HEADER = "s\th:m:s\tmax_rss\tcpu_time\n"
# Rule that trains or runs a network → kind of its jobs.
KINDS = {
    "train": "training",
    "train_architecture": "training of candidate architectures",
    "train_permuted": "training",
    "finetune": "training",
    "extract_cams": "maps",
    "map_hybrid": "maps",
    "map_occluded": "maps",
    "map_training": "maps",
    "classify_own": EVALUATION,
    "exchange_maps": EVALUATION,
    "extract_features": EVALUATION,
    "measure_corruptions": EVALUATION,
    "measure_deletion": EVALUATION,
    "measure_equivariance": EVALUATION,
    "measure_faithfulness": EVALUATION,
    "measure_mosaics": EVALUATION,
    "measure_sanity": EVALUATION,
    "represent": EVALUATION,
}


def benchmarks() -> dict[str, str]:
    """Rule that trains or runs a network → path of its benchmark, with wildcards."""
    modules = r"^from (network_job|training_job) import .*(NetworkJob|Training)"
    scripts = {
        path.stem
        for path in (WORKFLOW / "scripts").glob("*.py")
        if re.search(modules, path.read_text(), re.MULTILINE)
    }
    found = {}
    for path, name, block in blocks():
        script = re.search(r"script_name=\"(\w+)\"|scripts/(\w+)\.py", block)
        if (script[1] or script[2] if script else name) in scripts:
            found[name] = _benchmark(block, path.read_text())
    return found


def _benchmark(block: str, text: str) -> str:
    if own := re.search(r"\"<benchmarks>/(.+)\.tsv\"", block):
        return own[1]
    # That of `compute` has the name of the first output, which may be a constant of the file.
    first = re.search(r"makes=\{\s*\"\w+\": (?:f?\"(.+?)\"|\[f?\"(.+?)\"|(\w+))", block)
    assert first, block
    output = first[1] or first[2]
    if output is None:
        value = re.search(rf"^{first[3]}\b.*?= .*?\"(.+?)\"", text, re.MULTILINE | re.DOTALL)
        assert value, first[3]
        output = value[1] if value[1].startswith("<results>") else f"tables/{value[1]}.csv"
    return output.removeprefix("<results>/").rsplit(".", 1)[0]


def record(folder: Path, name: str, line: str = "60\t0:01:00\t1\t30") -> None:
    path = folder / f"{name}.tsv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEADER + line + "\n")


def test_every_job_that_runs_a_network_is_counted_as_one(tmp_path: Path) -> None:
    found = {}
    for rule, path in benchmarks().items():
        for folder in ("", "variants/true/", "epochs/2/"):
            filled = path.replace("{variant}", folder)
            filled = re.sub(r"\{[\w.]+\}", "1", filled)
            record(tmp_path / rule / str(len(folder)), filled)
            (kind,) = facts.usage(tmp_path / rule / str(len(folder)))
            assert found.setdefault(rule, kind) == kind
    assert found == KINDS


def test_jobs_that_evaluate_networks_run_where_maps_are_made(tmp_path: Path) -> None:
    for name in ("epochs/2/cams/affine/1", "variants/true/sanity/affine/1", "pairs/affine"):
        record(tmp_path, name)
    record(tmp_path, "finetuned/affine/1", "100\t0\t1\t50")
    record(tmp_path, "models/permuted_labels/1", "200\t0\t1\t60")
    used = facts.usage(tmp_path)
    assert {kind: of.wall for kind, of in used.items()} == {
        "training": 300, "maps": 60, EVALUATION: 60, "comparison of maps": 60,
    }  # fmt: skip
    on_cpu = Facts(["a"], (8, 8), 1, 1, False, {"train": 1}, 1, usage=used, trained_on="cpu")
    assert facts.energy(on_cpu, 10, 400)[1] == 0
    on_gpu = Facts(["a"], (8, 8), 1, 1, False, {"train": 1}, 1, usage=used, devices=["cuda:0"])
    assert facts.energy(on_gpu, 10, 400)[1] == pytest.approx(120 * 400 / 3.6e6)
