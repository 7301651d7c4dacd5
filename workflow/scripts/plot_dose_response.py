"""Draw accuracy, map shift and localisation against the strength of an augmentation."""

from campare import data, examples, split, tables
from campare.display import displayed
from campare.plots import dose, saving
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    table = tables.read(snakemake.input.summary)
    trends = tables.read(snakemake.input.trends)
    localised = (
        tables.read(snakemake.input.localisation[0]) if snakemake.input.localisation else None
    )
    dataset = data.read(snakemake.input.data)
    frame = split.read(snakemake.input.split, len(dataset.images))
    index = frame["index"][frame["subset"] == "train"].to_numpy()
    drawing = examples.Drawing(
        dataset.images[index], index, input_size=params.input_size, seed=params.augmentation_seed
    )
    saving.save_each(
        snakemake.output,
        lambda name: dose.dose_response(
            table,
            *params.sweeps[name],
            trends=trends[trends["sweep"] == name],
            localised=localised,
            images=displayed(
                drawing.at_strengths([params.steps[arm] for arm in params.sweeps[name][2]]),
                params.get("shown"),
            ),
        ),
        params.dpi,
        params.font,
        params.caption,
    )
