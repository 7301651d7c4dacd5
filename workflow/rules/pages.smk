# Needs: the tables that the rule files before this one declare, and the figure of the summary.
# Makes: tables/<name>.html, the same tables for reading; answer.html, the answer of the study, which
# opens the report. One job for all, because a process takes longer to start than to write them.

PAGED = REPORT.tables(DEFAULT_TARGETS)
PAGES = [*map(REPORT.readable, PAGED)]
SUMMARY_FIGURES = [
    f"<results>/figures/summary/summary.{suffix}"
    for suffix in ("svg", "png")
    if HAS_SUMMARY and suffix in STUDY["figures"]["formats"]
]
REPORT.target = "pages"


rule make_pages:
    input:
        tables=PAGED,
        figure=SUMMARY_FIGURES[:1],
    output:
        pages=PAGES,
        answer=REPORT.page("answer", ""),
    log:
        "<logs>/pages.log",
    benchmark:
        "<benchmarks>/pages.tsv"
    group:
        "report"
    resources:
        **sized("table"),
    params:
        **named(
            study=STUDY["study"],
            dataset=labels.data_set(STUDY["data"]),
            architecture=STUDY["model"]["architecture"],
            maps=DESIGN.variants[""].title,
            metric=STUDY["analysis"]["summary"],
            models=len(DESIGN.models),
            trained=not DESIGN.imported,
            metrics={name: registry.metric(name).about for name in DESIGN.metrics},
            scores={**registry.LOCALISATION, **registry.MOSAICS},
            measures={name: each.label for name, each in registry.REPRESENTATIONS.items()},
        ),
        **code("make_pages"),
        **report_jobs.metric_labels(DESIGN.metrics),
    script:
        "../scripts/make_pages.py"


REPORT.add([*PAGES, "<results>/answer.html"])
