"""Write the methods section, the bibliography and the checklist of a study."""

from pathlib import Path

from campare.atomic import replacing
from campare.design import Design
from campare.paper import checklist, facts, methods, references
from job import logged

with logged(snakemake.log[0]):
    params, made = snakemake.params, snakemake.output
    design = Design(params.study)
    known = facts.read(
        snakemake.input.data,
        snakemake.input.split,
        dict(zip(design.variants, snakemake.input.stores, strict=True)),
        weights=snakemake.input.weights,
        histories=snakemake.input.histories,
        benchmarks=Path(made.methods).parents[1] / "benchmarks",
    )
    text = methods.markdown(design, known)
    questions = checklist.markdown(design, known)
    for path, content in (
        (made.methods, text),
        (made.checklist, questions),
        (made.references, references.bibliography(references.cited(text))),
    ):
        with replacing(path) as aside:
            aside.write_text(content, encoding="utf-8")
    print(f"{len(references.cited(text))} references")
