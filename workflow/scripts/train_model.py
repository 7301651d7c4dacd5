"""Train one model, or continue training from the checkpoint of a killed job."""

import sys
from pathlib import Path

from campare import data, epochs, split
from campare.atomic import replacing
from campare.checkpoints import release, save
from campare.settings import Settings
from campare.train import Stopped, train
from early_checks import check_maps, check_network
from job import catching_signals, log_usage, logged, name_of
from progress import Report
from provenance import digests

weights, history = Path(snakemake.output.weights), Path(snakemake.output.history)
name = f"{weights.parent.name}/{weights.stem}"
# Not an output of the job: Snakemake deletes outputs before a job starts and when it fails.
checkpoint = weights.with_name(f".{weights.stem}.checkpoint")
chosen = snakemake.params.get("kept_epochs", [])
report = Report(name_of(snakemake.log[0]))  # keeps the terminal, which `logged` replaces

with logged(snakemake.log[0]):
    received_signals = catching_signals()
    dataset = data.read(snakemake.input.data)
    frame = split.read(snakemake.input.split, len(dataset.images))
    settings = Settings.of(snakemake.params.settings, frame)
    # With the config, not `params`: another target layer must not retrain the model.
    check = check_maps if snakemake.params.mapped else check_network
    check(dataset, settings, snakemake.config)
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
            progress=epochs.keeping(checkpoint, chosen, report),
            stopping=lambda: bool(received_signals),
        )
    except Stopped as where:
        received = received_signals[0]
        report.line(f"stopped by {received.name} {where}; a new start continues from there")
        sys.exit(128 + received)
    save(weights, best, about)
    epochs.collect(checkpoint, chosen, getattr(snakemake.output, "epochs", []))
    with replacing(history) as aside:
        table.to_csv(aside, index=False)
    epochs.discard(checkpoint, chosen)
    release(checkpoint)
    log_usage(len(table), (1 / table["images_per_second"]).sum())
