# Needs: data.h5, all stores; similarity tables, tables of pairs with the summary, and localisation scores,
# as far as the study has them.
# Makes: explorer.html, a page with all images, maps and metrics, and explorer_data/, the data of a page of
# more than 50 MB, otherwise empty; one for each variant of the maps.

REPORT.target = "explorer"
HAS_SUMMARY = "controls" in STUDY and DESIGN.summarised


rule make_explorer:
    input:
        data=rules.load_data.output.data,
        stores=of_models(CAMS, DESIGN.models),
        similarities=INPUTS.augmented(SIMILARITIES) if DESIGN.compares else [],
        matched=of_models(SIMILARITIES, DESIGN.matched_models) if DESIGN.compares else [],
        localisation=(of_models(LOCALISATION, DESIGN.models) if "localisation" in STUDY else []),
        pairs=(
            [f"<results>/{{variant}}pairs/{name}.parquet" for name in DESIGN.with_pairs]
            if HAS_SUMMARY
            else []
        ),
        summary="<results>/{variant}tables/summary.csv" if HAS_SUMMARY else [],
    output:
        explorer=REPORT.page("explorer"),
        data=directory(f"<results>/{{variant}}{explorer_page.DATA}"),
    log:
        "<logs>/{variant}explorer.log",
    benchmark:
        "<benchmarks>/{variant}explorer.tsv"
    group:
        "report"
    resources:
        **sized("explore"),
    params:
        **named(
            study=STUDY["study"],
            variant=lambda wildcards: wildcards.variant,
            variants={folder: variant.title for folder, variant in DESIGN.variants.items()},
            models=DESIGN.models,
            compared=[*DESIGN.augmented, *DESIGN.matched_models] if DESIGN.compares else [],
            with_pairs=DESIGN.with_pairs if HAS_SUMMARY else [],
            metrics=DESIGN.metrics,
            summary=STUDY["analysis"]["summary"],
            predicts=DESIGN.predicts,
            imported=bool(DESIGN.imported),
            **SHOWN,
            tables=lambda wildcards: REPORT.pages_beside(wildcards.variant, DEFAULT_TARGETS),
            page={
                name: file_digest(str(explorer_page.FOLDER / name))
                for name in explorer_page.sources()
            },
        ),
        **code("make_explorer"),
        **report_jobs.metric_labels(DESIGN.metrics),
    script:
        "../scripts/make_explorer.py"


REPORT.add(["<results>/{variant}explorer.html"])
