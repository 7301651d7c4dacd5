"""campare: how does data augmentation change what a CNN image classifier looks at?

One module per concept, in the order of the pipeline:

    registry  config  reference       what a study may name, what it says, and its manual
    data  split                       pictures as arrays, and who trains on which
    seeding  augment                  random numbers that belong to an image; augmentations
    models  preprocess  train         one network per (augmentation, seed)
    augmented                         the images that it was trained on, as a file
    cams  store  explain              class activation maps, the file that keeps them, one into the
                                      other
    maps                              what is shown of them
    performance                       how right a model is
    similarity  kernels               how far two maps are apart; its compiled loops
    svm  masks  photographs           optional stages: support vector machines, what is kept or
                                      hidden of a picture, pictures of one's own
    analysis  hybrids                 tables of the study, and of the optional stages
    tables  plots  naming             files of tables, figures, and names as they show them

    needs  devices  efficiency        what a job asks for, where it computes, what it used
    errors  atomic  memory            bad input; files that appear whole; what is asked of malloc

    results                           all of it read again, for notebooks: `campare.open_study`

Nothing here knows of Snakemake: the scripts one folder up read and write the files.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from campare.errors import CampareError

if TYPE_CHECKING:
    from campare.results import Study

__all__ = ["CampareError", "open_study"]


def open_study(path: str | Path) -> Study:
    """Open the results of a study, `results/<study>`; see `campare.results.Study`.

    Raises
    ------
    CampareError
        There is no such folder, or it is no study's.
    """
    from campare import results  # with pandas, which the rules of the workflow need not wait for

    return results.open_study(path)
