"""The part, training or test, of images whose subset has a name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from campare.errors import CampareError

# Names of subsets in published data sets → training, validation, test.
NAMES = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}


def parts(names: Sequence[str], where: str) -> NDArray[np.str_]:
    """The part of each image, "train" or "test"; all "" if the images have to be split.

    Validation images join those for training, from which campare draws its own validation images.
    Without test images, as in sets that keep their test labels secret, validation images are the
    test images. With images of one subset only, they have to be split.

    Parameters
    ----------
    names
        Name of the subset of each image, such as "train".
    where
        What the names are from, for messages.

    Raises
    ------
    CampareError
        A name is unknown.
    """
    unknown = next((name for name in names if name.lower() not in NAMES), None)
    if unknown is not None:
        raise CampareError(
            f"{where}: unknown subset {unknown!r}; write train, validation or test for every image"
        )
    subset = np.array([NAMES[name.lower()] for name in names], dtype="U10")
    present = set(subset.tolist())
    if len(present) < 2:
        return np.full(len(subset), "", dtype="U5")
    held_out = "test" if "test" in present else "validation"
    return np.where(subset == held_out, "test", "train").astype("U5")
