"""Write the methods section, the bibliography, the checklist and a LaTeX document of a study."""

from pathlib import Path

from campare import tables
from campare.atomic import replacing
from campare.design import Design
from campare.paper import checklist, document, facts, methods, references
from job import logged

with logged(snakemake.log[0]):
    params, inputs, made = snakemake.params, snakemake.input, snakemake.output
    design = Design(params.study)
    folder = Path(made.methods).parent
    known = facts.read(
        inputs.data,
        inputs.split,
        dict(zip(design.variants, inputs.stores, strict=True)),
        weights=inputs.weights,
        histories=inputs.histories,
        benchmarks=folder.parent / "benchmarks",
    )
    text = methods.markdown(design, known)
    used = references.cited(text)
    summary = tables.read(inputs.summary[0]) if inputs.summary else None
    captions = document.captions(design, known, params.figure_names, summary)
    contents = {
        made.methods: text,
        made.references: references.bibliography(used),
        made.checklist: checklist.markdown(design, known),
        made.methods_latex: document.methods(text),
        made.document: document.document(
            design,
            params.table_names,
            {name: f"figures/{name}" for name in params.figure_names},
            captions,
        ),
    }
    for path, content in contents.items():
        with replacing(path) as aside:
            Path(aside).write_text(content, encoding="utf-8")
    print(f"{len(used)} references")
