"""Draw every metric by correctness of the two predictions, or by their agreement."""

from matplotlib.figure import Figure

from campare import analysis, tables
from campare.plots import fitting, metrics, saving
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    with fitting.ranked(tables.optional(snakemake.input.get("ranking"))):
        names, note = fitting.sets_shown(dict(params.models))
    of_models = zip(params.models, snakemake.input.similarities, strict=True)
    path_of = {tuple(model): path for model, path in of_models if model[0] in names}
    labels = {}
    for by in params.segments:
        labels |= analysis.SEGMENTS[by]

    def draw(metric: str) -> Figure:
        # One metric at a time, because all values of a large study do not fit into memory.
        columns = [*analysis.DECISIVE, metric]
        similarities = (tables.read(path, columns=columns) for path in path_of.values())
        groups = {}
        for name, table in analysis.pooled([*path_of], similarities):
            values = table[metric].to_numpy()
            members = (analysis.members(table, by) for by in params.segments)
            groups[name] = {key: values[rows] for each in members for key, rows in each.items()}
        return metrics.segments(groups, metric, labels, note)

    saving.save_each(snakemake.output, draw, params.dpi, params.font, params.caption)
