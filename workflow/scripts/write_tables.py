"""Write the tables of a paper as LaTeX and Markdown."""

from pathlib import Path

from campare import tables
from campare.atomic import replacing
from campare.design import Design
from campare.paper import tables as paper_tables
from job import logged

with logged(snakemake.log[0]):
    params, made = snakemake.params, snakemake.output
    design = Design(params.study)
    found = dict(zip(params.sources, map(tables.read, snakemake.input.tables), strict=True))
    summaries = dict(enumerate(map(tables.read, snakemake.input.variants)))
    for name, latex, markdown in zip(params.made, made.latex, made.markdown, strict=True):
        frames = summaries if name == "variants" else {s: found[s] for s in params.made[name]}
        table = paper_tables.make(name, frames, design)
        for path, content in ((latex, table.latex), (markdown, table.markdown)):
            with replacing(path) as aside:
                Path(aside).write_text(content, encoding="utf-8")
    print(f"{len(params.made)} tables")
