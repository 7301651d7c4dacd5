"""Make the pages of all tables, and the page with the answer of the study."""

import base64
from pathlib import Path

import pandas as pd

from campare import answer, atomic, pages, tables
from job import logged


def as_html(path: str) -> str:
    """An image as HTML."""
    if Path(path).suffix == ".svg":
        text = Path(path).read_text(encoding="utf-8")
        return text[text.index("<svg") :]
    content = base64.b64encode(Path(path).read_bytes()).decode("ascii")
    return f'<img alt="Summary" src="data:image/png;base64,{content}">'


def write(path: str | Path, text: str) -> None:
    with atomic.replacing(path) as aside:
        aside.write_text(text, encoding="utf-8")


with logged(snakemake.log[0]):
    params, needs = snakemake.params, snakemake.input
    folder = Path(snakemake.output.answer).parent / "tables"
    frames = {}
    for source, target in zip(map(Path, needs.tables), snakemake.output.pages, strict=True):
        name = source.stem
        # A table without rows may have no columns, either.
        has_columns = source.read_text(encoding="utf-8").strip() != ""
        frame = tables.read(source, text=pages.texts(name)) if has_columns else pd.DataFrame()
        write(target, pages.table_page(name, frame))
        if source.parent == folder and name in answer.TABLES and len(frame):
            frames[name] = frame
    facts = answer.Facts(
        study=params.study,
        dataset=params.dataset,
        architecture=params.architecture,
        maps=params.maps,
        metric=params.metric,
        models=params.models,
        trained=params.trained,
    )
    figure = as_html(needs.figure[0]) if needs.figure else ""
    write(snakemake.output.answer, answer.page(facts, frames, figure))
    print(f"{len(needs.tables)} tables")
