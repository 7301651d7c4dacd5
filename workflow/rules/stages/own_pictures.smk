# Needs: data.h5, the baseline's model, a folder of photographs.
# Makes: tables/own_pictures.csv and figures/own_pictures/sheet.*, only when asked for (`snakemake
# own_pictures`): the pictures are the user's, and not part of the study.


rule classify_own:
    input:
        data=rules.load_data.output.data,
        weights=BASELINE_WEIGHTS,
    output:
        figures=figures("own_pictures", "figure", ["sheet"]),
        table=table("own_pictures"),
    log:
        "<logs>/own_pictures.log",
    benchmark:
        "<benchmarks>/own_pictures.tsv"
    threads: STUDY["compute"]["threads"]
    resources:
        **sized("pixels"),
        gpu=GPU,
    params:
        **named(
            **STUDY["own_pictures"],
            **DEVICE,
            dpi=STUDY["figures"]["dpi"],
            font=STUDY["figures"]["font"],
            pictures=lambda _: folder_digest(STUDY["own_pictures"]["folder"]),
            threshold=STUDY.get("sheets", {}).get("threshold", 0.95),
            architecture=STUDY["model"]["architecture"],
            input_size=STUDY["model"]["input_size"],
            target_layer=STUDY["cam"]["target_layer"],
            method=STUDY["cam"]["method"],
            batch_size=STUDY["cam"]["batch_size"],
        ),
        **code("own_pictures", *METHODS[""], ARCHITECTURE),
    script:
        "../../scripts/own_pictures.py"


REPORT.ask(rules.classify_own.output)
