# Needs: data.h5, the baseline's model, a folder of photographs. For studies with `own_pictures`.
# Makes: own_pictures.csv and figures/own_pictures/sheet.*, only when asked for (`snakemake
# own_pictures`): the pictures are the user's, and not part of the study.

OWN = STUDY["own_pictures"]


rule classify_own:
    input:
        data=rules.load_data.output.data,
        weights=BASELINE_WEIGHTS,
    output:
        figures=figures("own_pictures", labelled("figure", ["sheet"])),
        table=table("own_pictures"),
    log:
        f"{RESULTS}/logs/own_pictures.log",
    benchmark:
        f"{RESULTS}/benchmarks/own_pictures.tsv"
    threads: THREADS
    resources:
        gpu=GPU,
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        **verbatim(OWN),
        pictures=own_photographs,
        threshold=STUDY.get("sheets", {}).get("threshold", 0.95),
        architecture=STUDY["model"]["architecture"],
        input_size=STUDY["model"]["input_size"],
        target_layer=STUDY["cam"]["target_layer"],
        method=STUDY["cam"]["method"],
        batch_size=STUDY["cam"]["batch_size"],
        device=DEVICE,
        threads=THREADS,
        dpi=DPI,
        code=code(
            "own_pictures",
            *entries_of(registry.CAM_METHODS, STUDY["cam"]["method"]),
            architecture_entry(STUDY["model"]["architecture"]),
        ),
    script:
        "../scripts/own_pictures.py"


rule own_pictures:
    input:
        rules.classify_own.output,


localrules:
    own_pictures,
