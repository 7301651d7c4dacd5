"""`snakemake virelay` on the tiny study: on request only; read by ViRelAy where it is installed."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
import yaml

from campare import store
from tiny import Project

pytestmark = pytest.mark.workflow


def test_a_project_of_a_model(project: Project) -> None:
    assert not (project.results / "virelay").exists()
    models = 7
    assert project.planned("virelay") == {
        "virelay": 1,
        "virelay_images": 1,
        "virelay_project": models,
    }
    run = project.snakemake("results/tiny/virelay/affine/2.yaml")
    assert run.returncode == 0, run.stdout

    path = project.results / "virelay" / "affine" / "2.yaml"
    content = yaml.safe_load(path.read_text())["project"]
    assert content["name"] == "tiny: affine, seed 2"
    kept = store.read(project.results / "cams" / "affine" / "2.h5")
    with h5py.File(path.parent / content["attributions"]["sources"][0]) as file:
        total = file["attribution"][int(kept.index[5])].sum(axis=0)
        assert np.abs(total).max() == pytest.approx(np.abs(kept.maps[5]).max(), rel=1e-5)

    model = pytest.importorskip("virelay.model", reason="virelay is not installed")
    opened = model.Project(str(path))
    position = int(kept.index[5])
    assert opened.get_sample(position).labels[0].index == kept.label[5]
    np.testing.assert_array_equal(opened.get_attribution(position).prediction, kept.prediction[5])
    assert opened.get_analysis_methods() == ["spectral"]
    opened.close()
