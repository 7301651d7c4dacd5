"""Train one model as train_model.py does, and keep the weights of the epochs of `cam.epochs`, too.

A script of its own, so that studies without this key keep the code that has trained their models.
"""

import sys
from pathlib import Path
from typing import Any

from campare import data, epochs, split
from campare.atomic import replacing
from campare.checkpoints import release, save
from campare.settings import Settings
from campare.train import Stopped, train
from early_checks import check_maps
from job import catching_signals, log_usage, logged, name_of
from progress import Report
from provenance import digests

weights, history = Path(snakemake.output.weights), Path(snakemake.output.history)
name = f"{weights.parent.name}/{weights.stem}"
checkpoint = weights.with_name(f".{weights.stem}.checkpoint")
chosen = snakemake.params.kept_epochs
report = Report(name_of(snakemake.log[0]))  # keeps the terminal, which `logged` replaces


def progress(event: dict[str, Any]) -> None:
    """Keep the weights of a chosen epoch, whose checkpoint is written; report the event."""
    if event["event"] == "epoch" and event["epoch"] in chosen:
        epochs.keep(checkpoint, event["epoch"])
    report(event)


with logged(snakemake.log[0]):
    received_signals = catching_signals()
    dataset = data.read(snakemake.input.data)
    frame = split.read(snakemake.input.split, len(dataset.images))
    settings = Settings.of(snakemake.params.settings, frame)
    check_maps(dataset, settings, snakemake.config)
    if note := epochs.check(checkpoint, chosen):
        report.line(note)
    try:
        best, about, table = train(
            settings,
            dataset,
            frame,
            name=name,
            checkpoint=checkpoint,
            code=digests(snakemake.params),
            progress=progress,
            stopping=lambda: bool(received_signals),
        )
    except Stopped as where:
        received = received_signals[0]
        report.line(f"stopped by {received.name} {where}; a new start continues from there")
        sys.exit(128 + received)
    save(weights, best, about)
    epochs.collect(checkpoint, chosen, snakemake.output.epochs)
    with replacing(history) as aside:
        table.to_csv(aside, index=False)
    epochs.discard(checkpoint, chosen)
    release(checkpoint)
    log_usage(len(table), (1 / table["images_per_second"]).sum())
