"""Train one model, or go on with it where a killed job left off."""

import signal
import sys
from pathlib import Path
from threading import Event

from campare import data, split
from campare.atomic import replacing
from campare.train import Settings, Stopped, release, save, train
from early import insist_on_a_machine, insist_on_a_map
from job import logged, used
from progress import Report

asked_to_stop = Event()

weights, history = Path(snakemake.output.weights), Path(snakemake.output.history)
name = f"{weights.parent.name}/{weights.stem}"
# Beside the outputs but not one of them: Snakemake deletes those before a job and when it fails.
checkpoint = weights.with_name(f".{weights.stem}.checkpoint")
report = Report(name)  # takes the terminal before `logged` doubles it

with logged(snakemake.log[0]):
    # A time limit or a preemption is near.
    signal.signal(signal.SIGTERM, lambda *_: asked_to_stop.set())
    dataset = data.read(snakemake.input.data)
    frame = split.read(snakemake.input.split, len(dataset.images))
    settings = Settings.of(snakemake.params.settings, frame)
    # From the config, not from `params`: another layer must not train anew.
    insist = insist_on_a_map if snakemake.params.explained else insist_on_a_machine
    insist(dataset, settings, snakemake.config)
    try:
        best, about, epochs = train(
            settings,
            dataset,
            frame,
            name=name,
            checkpoint=checkpoint,
            code=snakemake.params.code,
            progress=report,
            stopping=asked_to_stop.is_set,
        )
    except Stopped as where:
        report.line(f"stopped by SIGTERM {where}; started again, it goes on from there")
        sys.exit(128 + signal.SIGTERM)
    save(weights, best, about)
    with replacing(history) as aside:
        epochs.to_csv(aside, index=False)
    release(checkpoint)
    used(len(epochs), (1 / epochs["images_per_second"]).sum())
