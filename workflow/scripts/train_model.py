"""Train one model, or continue training from the checkpoint of a killed job."""

from campare.settings import Settings
from early_checks import check_maps, check_network
from job import logged
from training_job import Training

training = Training(snakemake)
with logged(snakemake.log[0]):
    dataset, frame = training.inputs()
    settings = Settings.of(snakemake.params.settings, frame)
    # With the config, not `params`: another target layer must not retrain the model.
    check = check_maps if snakemake.params.mapped else check_network
    check(dataset, settings, snakemake.config)
    training.run(settings, dataset, frame)
