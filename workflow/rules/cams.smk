# Needs: data.h5, split.csv, a model; the baseline's store if maps explain the baseline's prediction.
# Makes: cams/<augmentation>/<seed>.h5, one store per model: maps, logits, predictions; the same in
# variants/<name>/ for each of cam.variants, and in epochs/<epoch>/ for each of cam.epochs.


rule extract_cams:
    input:
        data=rules.load_data.output.data,
        split=rules.make_split.output.split,
        weights=INPUTS.weights,
        baseline=INPUTS.explained,
    output:
        store=CAMS,
    log:
        "<logs>/{variant}cams/{augmentation}/{seed}.log",
    benchmark:
        "<benchmarks>/{variant}cams/{augmentation}/{seed}.tsv"
    wildcard_constraints:
        variant=WITH_EPOCHS,
    group:
        "maps_{augmentation}"
    threads: STUDY["compute"]["threads"]
    resources:
        **sized("map"),
        gpu=GPU,
    params:
        **named(
            **MAPPING,
            augmentation=lambda wildcards: wildcards.augmentation,
            seed=lambda wildcards: int(wildcards.seed),
            architecture=architecture_of,
            method=lambda wildcards: DESIGN.variant_of(wildcards.variant).method,
            class_policy=lambda wildcards: DESIGN.variant_of(wildcards.variant).class_policy,
            target_layer=lambda wildcards: DESIGN.variant_of(wildcards.variant).target_layer,
        ),
        **code_by("variant", METHODS, "extract_cams", *ARCHITECTURES),
    script:
        "../scripts/extract_cams.py"
