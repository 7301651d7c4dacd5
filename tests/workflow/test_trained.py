"""The examples of docs/trained.md: networks trained without campare, and maps made without it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import yaml

from campare import store
from tiny import ROOT, Project, copy_project

pytestmark = pytest.mark.workflow

PAGE = (ROOT / "docs" / "trained.md").read_text(encoding="utf-8")
SCRIPTS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
STUDIES = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
FAST = {"study": "tiny", "similarity": {"metrics": ["mad", "pearson"]}, "figures": {"dpi": 60}}


def run_script(project: Project, text: str) -> None:
    script = project.path / "script.py"
    script.write_text("import sys\nsys.path.insert(0, 'workflow/scripts')\n" + text)
    done = subprocess.run(
        [sys.executable, script], cwd=project.path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def configure(project: Project, study: dict) -> None:
    (project.path / "config" / "tiny.yaml").write_text(yaml.safe_dump(study, sort_keys=False))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The study of networks that `train.py` trains, run to its summary."""
    project = copy_project(tmp_path_factory.mktemp("trained") / "project", STUDIES[1] | FAST)
    run_script(project, SCRIPTS[0])
    run = project.snakemake("results/tiny/tables/summary.csv", "results/tiny/tables/imported.csv")
    assert run.returncode == 0, run.stdout
    # Two networks an arm are too few for tests; nothing else is warned of.
    warnings = [line for line in run.stdout.splitlines() if line.startswith("warning:")]
    assert all("cannot give p ≤ 0.05" in line for line in warnings), warnings
    return project


def test_own_checkpoints_are_compared_to_the_summary(project: Project) -> None:
    tables = project.results / "tables"
    found = pd.read_csv(tables / "imported.csv")
    assert found[["augmentation", "seed"]].to_numpy().tolist() == [
        *(["baseline", 1], ["baseline", 2], ["rotated", 101], ["rotated", 102]),
    ]
    assert found["accuracy"].gt(0.5).all() and set(found["images"]) == {397}
    summary = pd.read_csv(tables / "summary.csv").iloc[0]
    assert (summary["augmentation"], summary["models"], summary["reference_models"]) == (
        *("rotated", 2),
        2,
    )
    accuracy = found.groupby("augmentation")["accuracy"].mean()
    change = accuracy["rotated"] - accuracy["baseline"]
    assert summary["accuracy_change"] == pytest.approx(change)
    plan = project.planned("tables", "figures", "controls")
    assert not {"train", "tabulate_validation", "plot_history", "plot_examples"} & plan.keys()
    assert (
        plan["plot_summary"] == plan["plot_clusters" if "plot_clusters" in plan else "plot_pairs"]
    )


def test_every_column_is_in_the_data_dictionary(project: Project) -> None:
    assert project.undescribed() == []


def test_weights_of_another_network_stop_before_the_maps(project: Project) -> None:
    configure(project, STUDIES[1] | FAST | {"model": {"architecture": "small_cnn"}})
    run = project.snakemake("results/tiny/cams/rotated/101.h5")
    configure(project, STUDIES[1] | FAST)
    assert run.returncode != 0
    assert "error: weights/rotated_1.pth: not the weights of small_cnn; missing: " in run.stdout


def test_maps_made_elsewhere_give_the_same_study(project: Project, tmp_path: Path) -> None:
    other = copy_project(tmp_path / "project", {**STUDIES[2], **FAST, "study": "mine"})
    for name in ("data", "weights"):
        (other.path / name).symlink_to(project.path / name)
    # As the page says: without `maps`, with any network.
    assert "replace `maps` by `augmentations: {}`" in PAGE
    first = {**STUDIES[2], "model": {"architecture": "small_cnn", "input_size": 32}}
    del first["maps"]
    configure(other, {**first, "augmentations": {}})
    run = other.snakemake("results/mine/split.csv")
    assert run.returncode == 0, run.stdout
    run_script(other, SCRIPTS[1])
    configure(other, {**STUDIES[2], **FAST, "study": "mine"})
    run = other.snakemake("results/mine/tables/summary.csv")
    assert run.returncode == 0, run.stdout
    results = other.path / "results" / "mine"
    ours = store.read(project.results / "cams" / "rotated" / "101.h5")
    theirs = store.read(results / "cams" / "rotated" / "101.h5")
    np.testing.assert_allclose(theirs.logit, ours.logit, atol=1e-3)
    assert (theirs.index == ours.index).all() and theirs.maps.shape == (397, 32, 32)
    a, b = (pd.read_csv(path / "tables" / "summary.csv") for path in (project.results, results))
    assert a["accuracy_change"].item() == pytest.approx(b["accuracy_change"].item())
    # pytorch-grad-cam's maps are ours as they are shown.
    assert a["floor"].item() == pytest.approx(b["floor"].item(), abs=0.01)

    for name in ("plain_1", "plain_2", "rotated_1", "rotated_2"):
        with h5py.File(other.path / f"{name}.h5", "r+") as file:
            del file["logits"]
    run = other.snakemake("results/mine/tables/shift.csv", "results/mine/explorer.html")
    assert run.returncode == 0, run.stdout
    page = (results / "explorer.html").read_text(encoding="utf-8")
    assert '"predicts": false' in page and '"member": "network"' in page
    assert "block-maps" in page and "block-predicted" not in page
    assert "warning: maps without logits" in run.stdout
    shift = pd.read_csv(results / "tables" / "shift.csv")
    assert set(shift["predictions"]) == {"any"} and shift["agreement"].isna().all()
    plan = other.planned("tables", "figures", "controls")
    left_out = {"tabulate_performance", "plot_segments", "tabulate_accuracy_change", "plot_summary"}
    assert not left_out & plan.keys() and plan["plot_boxplots"] == 1
