# Needs: data.h5, split.csv, a model; the baseline's store if maps explain the baseline's prediction.
# Makes: cams/<augmentation>/<seed>.h5, one store per model: maps, logits, predictions; the same in
# variants/<name>/ for each of cam.variants.


rule extract_cams:
    input:
        data=rules.load_data.output.data,
        split=rules.make_split.output.split,
        weights=rules.train.output.weights,
        baseline=INPUTS.explained,
    output:
        store="<results>/{variant}cams/{augmentation}/{seed}.h5",
    log:
        "<logs>/{variant}cams/{augmentation}/{seed}.log",
    benchmark:
        "<benchmarks>/{variant}cams/{augmentation}/{seed}.tsv"
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
            architecture=STUDY["model"]["architecture"],
            method=lambda wildcards: DESIGN.variants[wildcards.variant].method,
            class_policy=lambda wildcards: DESIGN.variants[wildcards.variant].class_policy,
            target_layer=lambda wildcards: DESIGN.variants[wildcards.variant].target_layer,
        ),
        **code_by("variant", METHODS, "extract_cams", ARCHITECTURE),
    script:
        "../scripts/extract_cams.py"
