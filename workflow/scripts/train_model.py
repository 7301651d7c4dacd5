"""Train one model, or go on with it where a killed job left off."""

import sys
from pathlib import Path

from campare import data, split
from campare.atomic import replacing
from campare.train import Settings, Stopped, release, save, train
from early_checks import check_maps, check_network
from job import catching_signals, log_usage, logged, name_of
from progress import Report
from provenance import digests

weights, history = Path(snakemake.output.weights), Path(snakemake.output.history)
name = f"{weights.parent.name}/{weights.stem}"
# Beside the outputs but not one of them: Snakemake deletes those before a job and when it fails.
checkpoint = weights.with_name(f".{weights.stem}.checkpoint")
report = Report(name_of(snakemake.log[0]))  # takes the terminal before `logged` doubles it

with logged(snakemake.log[0]):
    asked_to_stop = catching_signals()
    dataset = data.read(snakemake.input.data)
    frame = split.read(snakemake.input.split, len(dataset.images))
    settings = Settings.of(snakemake.params.settings, frame)
    # From the config, not from `params`: another layer must not train anew.
    check = check_maps if snakemake.params.mapped else check_network
    check(dataset, settings, snakemake.config)
    try:
        best, about, epochs = train(
            settings,
            dataset,
            frame,
            name=name,
            checkpoint=checkpoint,
            code=digests(snakemake.params),
            progress=report,
            stopping=lambda: bool(asked_to_stop),
        )
    except Stopped as where:
        report.line(f"stopped by {asked_to_stop[0].name} {where}; started again, it goes on there")
        sys.exit(128 + asked_to_stop[0])
    save(weights, best, about)
    with replacing(history) as aside:
        epochs.to_csv(aside, index=False)
    release(checkpoint)
    log_usage(len(epochs), (1 / epochs["images_per_second"]).sum())
