"""Train a network on permuted labels, or continue training from the checkpoint of a killed job."""

from dataclasses import replace

from campare import sanity
from campare.settings import Settings
from job import logged
from training_job import Training

training = Training(snakemake)
with logged(snakemake.log[0]):
    dataset, frame = training.inputs()
    labels = sanity.permuted_labels(dataset.labels, frame, snakemake.params.seed)
    settings = Settings.of(snakemake.params.settings, frame)
    training.run(settings, replace(dataset, labels=labels), frame)
