"""Tabulate the map shift of the summary's metric, estimated by a mixed-effects model."""

from campare import controls, tables
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    columns = [*controls.MODEL_PAIR, "index", params.metric]
    paths = dict(zip(params.augmentations, snakemake.input.pairs, strict=True))
    pairs = tables.Tables(paths, columns, controls.REFERENCES)
    models = [tuple(model) for model in params.models]
    table = controls.mixed_models(pairs, models, params.metric, params.seed)
    tables.write(table, snakemake.output.mixed_model)
    print(table.to_string(index=False, float_format="%.4f"))
