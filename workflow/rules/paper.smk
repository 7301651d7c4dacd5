# Needs: tables, figures and all files that they need; benchmarks of the jobs that have run.
# Makes, only on request (`snakemake paper`): paper/tables/*.tex and *.md; paper/figures/<kind>/<name>_one_column.pdf
# and _two_columns.pdf; paper/methods.md and .tex, references.bib, checklist.md, paper.tex.

REPORT.target = ""
PAPER_TABLES = contents.tables(DESIGN)
PAPER_FIGURES = contents.figures(DESIGN)
SOURCES = sorted({source for name, used in PAPER_TABLES.items() for source in used})
PAPER = [
    f"<results>/paper/figures/{name}{width}.pdf"
    for name in PAPER_FIGURES
    for width in contents.WIDTHS
]
PAPER += [f"<results>/paper/tables/{name}.{end}" for name in PAPER_TABLES for end in ("tex", "md")]

# Figures are drawn by the scripts that draw those of the study.
REPORT.print_figures(PAPER_FIGURES, contents.WIDTHS)


rule write_tables:
    input:
        tables=[f"<results>/tables/{name}.csv" for name in SOURCES],
        variants=(
            [f"<results>/{folder}tables/summary.csv" for folder in DESIGN.variants]
            if "variants" in PAPER_TABLES
            else []
        ),
    output:
        latex=[f"<results>/paper/tables/{name}.tex" for name in PAPER_TABLES],
        markdown=[f"<results>/paper/tables/{name}.md" for name in PAPER_TABLES],
    log:
        "<logs>/paper/tables.log",
    benchmark:
        "<benchmarks>/paper/tables.tsv"
    group:
        "report"
    resources:
        **sized("table"),
    params:
        **each("study", STUDY, lambda wildcards: STUDY),
        **named(made=PAPER_TABLES, sources=SOURCES),
        **report_jobs.metric_labels(DESIGN.metrics),
        **code("write_tables"),
    script:
        "../scripts/write_tables.py"


rule write_methods:
    input:
        data=rules.load_data.output.data,
        split=FIRST_SPLIT,
        stores=[path for v in DESIGN.variants for path in of_models(CAMS, DESIGN.baselines[:1], v)],
        weights=[] if "maps" in STUDY else [BASELINE_WEIGHTS],
        histories=(
            []
            if DESIGN.imported
            else of_models("<results>/models/{augmentation}/{seed}.csv", DESIGN.models)
        ),
        summary=(["<results>/tables/summary.csv"] if "summary/summary" in PAPER_FIGURES else []),
        # After the jobs whose times it states.
        others=PAPER,
    output:
        methods="<results>/paper/methods.md",
        methods_latex="<results>/paper/methods.tex",
        references="<results>/paper/references.bib",
        checklist="<results>/paper/checklist.md",
        document="<results>/paper/paper.tex",
    log:
        "<logs>/paper/methods.log",
    benchmark:
        "<benchmarks>/paper/methods.tsv"
    group:
        "report"
    resources:
        **sized("table"),
    params:
        **each("study", STUDY, lambda wildcards: STUDY),
        **named(
            table_names=[*PAPER_TABLES],
            figure_names=PAPER_FIGURES,
            # A change of the registry or the bibliography writes them again.
            cited=references.of_registry(DESIGN),
            bibliography=file_digest(str(references.FILE)),
        ),
        **report_jobs.metric_labels(DESIGN.metrics),
        **code("write_methods"),
    script:
        "../scripts/write_methods.py"


REPORT.target = "paper"
REPORT.add(PAPER)
REPORT.add(
    f"<results>/paper/{name}"
    for name in ("methods.md", "references.bib", "checklist.md", "paper.tex")
)
