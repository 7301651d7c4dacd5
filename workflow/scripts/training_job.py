"""What the jobs that train a network have in common."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pandas as pd

from campare import data, epochs, split
from campare.atomic import replacing
from campare.checkpoints import release, save
from campare.settings import Settings
from campare.train import Stopped, train
from job import catching_signals, log_usage, name_of
from progress import Report
from provenance import digests


class Training:
    """A training that a signal stops and that continues from its checkpoint.

    To be made before `job.logged`, which replaces the terminal that the progress is shown on.

    Parameters
    ----------
    job
        The job, `snakemake` in a script: inputs data and split, outputs weights, history and
        optionally epochs, param kept_epochs with the latter.
    """

    def __init__(self, job: Any) -> None:
        self.job = job
        self.weights, self.history = Path(job.output.weights), Path(job.output.history)
        self.name = f"{self.weights.parent.name}/{self.weights.stem}"
        # Not an output of the job: Snakemake deletes outputs before a job starts and when it fails.
        self.checkpoint = self.weights.with_name(f".{self.weights.stem}.checkpoint")
        self.chosen = job.params.get("kept_epochs", [])
        self.report = Report(name_of(job.log[0]))

    def inputs(self) -> tuple[data.Dataset, pd.DataFrame]:
        """The data set and the split; from now on a signal stops the training."""
        self.received = catching_signals()
        dataset = data.read(self.job.input.data)
        return dataset, split.read(self.job.input.split, len(dataset.images))

    def run(
        self, settings: Settings, dataset: data.Dataset, frame: pd.DataFrame, name: str = ""
    ) -> None:
        """Train, and write weights and history; exit if a signal stops the training.

        `name` is that of the model in messages; empty: augmentation and seed.
        """
        if note := epochs.check(self.checkpoint, self.chosen):
            self.report.line(note)
        try:
            kept, about, table = train(
                settings,
                dataset,
                frame,
                name=name or self.name,
                checkpoint=self.checkpoint,
                code=digests(self.job.params),
                progress=epochs.keeping(self.checkpoint, self.chosen, self.report),
                stopping=lambda: bool(self.received),
            )
        except Stopped as where:
            received = self.received[0]
            self.report.line(
                f"stopped by {received.name} {where}; a new start continues from there"
            )
            sys.exit(128 + received)
        save(self.weights, kept, about)
        epochs.collect(self.checkpoint, self.chosen, getattr(self.job.output, "epochs", []))
        with replacing(self.history) as aside:
            table.to_csv(aside, index=False)
        epochs.discard(self.checkpoint, self.chosen)
        release(self.checkpoint)
        log_usage(len(table), (1 / table["images_per_second"]).sum())
