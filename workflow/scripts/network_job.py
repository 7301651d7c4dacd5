"""What the jobs that run trained networks have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from campare import data, devices, faithfulness, models, seeding, store

if TYPE_CHECKING:
    from torch import nn

Integers = NDArray[np.int64]


class NetworkJob:
    """The device and the data set of a job, and the networks that it loads.

    Parameters
    ----------
    job
        The job, `snakemake` in a script: input data, params threads, device and architecture.
    """

    def __init__(self, job: Any) -> None:
        seeding.deterministic(job.params.threads)
        self.job = job
        self.device = devices.choose(job.params.device)
        self.dataset = data.read(job.input.data)
        # Numbers of classes and channels, as arguments of the functions of `models`.
        self.kinds = {
            "classes": len(self.dataset.classes),
            "channels": self.dataset.images.shape[3],
        }

    def network(
        self, path: str | None = None, architecture: str | None = None
    ) -> tuple[nn.Module, dict[str, Any]]:
        """A network and its metadata (`models.load`), by default of the model of the job."""
        weights = self.job.input.weights if path is None else path
        return models.load(weights, architecture or self.job.params.architecture, **self.kinds)


def sampled(job: Any) -> tuple[Integers, Integers]:
    """The sample of test images of a job: rows of its input store, positions in the data set.

    Both int64 (n,); params images and seed.
    """
    index = store.read_index(job.input.store)
    rows = faithfulness.sampled_rows(len(index), job.params.images, job.params.seed)
    return rows, index[rows]
