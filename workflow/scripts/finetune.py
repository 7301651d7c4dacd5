"""Fine-tune a model on images with a deleted cell, or continue from the checkpoint of a job."""

from campare.settings import Settings
from inputs import file_digest
from job import logged
from training_job import Training

training = Training(snakemake)
with logged(snakemake.log[0]):
    dataset, frame = training.inputs()
    trained = snakemake.input.weights
    start = {"weights": trained, "weights_sha256": file_digest(trained)}
    settings = Settings.of(snakemake.params.settings | start, frame)
    training.run(settings, dataset, frame, name=f"finetuned {training.name}")
