"""Draw every metric by correctness of the two predictions, or by their agreement."""

from pathlib import Path

from matplotlib.figure import Figure

from campare import analysis, tables
from campare.plots import metrics, saving
from job import logged

with logged(snakemake.log[0]):
    params = snakemake.params
    drawn = dict.fromkeys(Path(path).stem for path in snakemake.output)
    columns = [*analysis.DECISIVE, *drawn]
    similarities = (tables.read(path, columns=columns) for path in snakemake.input.similarities)
    pooled = dict(analysis.pooled(params.models, similarities))
    members = {
        name: {k: rows for by in params.segments for k, rows in analysis.members(table, by).items()}
        for name, table in pooled.items()
    }
    labels = {}
    for by in params.segments:
        labels |= analysis.SEGMENTS[by]

    def draw(metric: str) -> Figure:
        groups = {
            name: {key: table[metric].to_numpy()[rows] for key, rows in members[name].items()}
            for name, table in pooled.items()
        }
        return metrics.segments(groups, metric, labels)

    saving.save_each(snakemake.output, draw, params.dpi, params.font, params.caption)
