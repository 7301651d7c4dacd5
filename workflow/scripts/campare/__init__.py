"""campare: how does data augmentation change what a CNN image classifier looks at?

The modules, in the order of the pipeline:

    study       registry (what a study may name), user_code (functions in the user's own files),
                config with config_text, messages and feasibility (its checks), design (its models
                and comparisons), needs (resources of its jobs), ownership (of its results folder),
                reference (writes config/README.md)
    data        data, data_checks, shapes (generated images), photographs (the user's own), split,
                masks
    training    seeding (random numbers keyed by image), augment, models, initial (weights),
                preprocess, train, replay (CUDA graphs), augmented (the training images of a model,
                as a file)
    maps        cams, explain, store (HDF5 files of maps), maps (as shown)
    comparison  similarity, kernels and kernels_torch (its loops over pixels), uninformative
                (reference maps that do not depend on the model)
    statistics  statistics (intervals, tests), shift (map shift and noise floor), controls and
                analysis (tables), mixed, clustering, variants (several kinds of maps), trend (over
                strengths); power and planning (before training)
    stages      performance, classifiers, svm, agreement, occlusion, localisation, faithfulness,
                exchange
    output      tables, naming, selection (of images), plots, efficiency (of jobs), explorer (with
                its other modules), virelay, embedding (of maps)
    machine     devices, hardware, memory, atomic (files appear complete), errors
    notebooks   results (`campare.open_study`), image_maps (which it draws)

No module depends on Snakemake: the scripts one folder up read and write the files of the jobs.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from campare.errors import CampareError
from campare.user_code import metric

if TYPE_CHECKING:
    from campare.results import Study

__all__ = ["CampareError", "metric", "open_study"]


def open_study(path: str | Path) -> Study:
    """Open the results of a study, `results/<study>`; see `campare.results.Study`.

    Raises
    ------
    CampareError
        There is no such folder, or it does not hold the results of a study.
    """
    from campare import results  # imports pandas, which rules of the workflow do not need

    return results.open_study(path)
