"""Fine-tune a model on images with a deleted cell, or continue from the checkpoint of a job."""

import sys
from pathlib import Path

from campare import data, split
from campare.atomic import replacing
from campare.checkpoints import release, save
from campare.settings import Settings
from campare.train import Stopped, train
from inputs import file_digest
from job import catching_signals, log_usage, logged, name_of
from progress import Report
from provenance import digests

weights, history = Path(snakemake.output.weights), Path(snakemake.output.history)
# Not an output of the job: Snakemake deletes outputs before a job starts and when it fails.
checkpoint = weights.with_name(f".{weights.stem}.checkpoint")
report = Report(name_of(snakemake.log[0]))  # keeps the terminal, which `logged` replaces

with logged(snakemake.log[0]):
    received_signals = catching_signals()
    dataset = data.read(snakemake.input.data)
    frame = split.read(snakemake.input.split, len(dataset.images))
    trained = snakemake.input.weights
    start = {"weights": trained, "weights_sha256": file_digest(trained)}
    try:
        last, about, epochs = train(
            Settings.of(snakemake.params.settings | start, frame),
            dataset,
            frame,
            name=f"finetuned {weights.parent.name}/{weights.stem}",
            checkpoint=checkpoint,
            code=digests(snakemake.params),
            progress=report,
            stopping=lambda: bool(received_signals),
        )
    except Stopped as where:
        received = received_signals[0]
        report.line(f"stopped by {received.name} {where}; a new start continues from there")
        sys.exit(128 + received)
    save(weights, last, about)
    with replacing(history) as aside:
        epochs.to_csv(aside, index=False)
    release(checkpoint)
    log_usage(len(epochs), (1 / epochs["images_per_second"]).sum())
