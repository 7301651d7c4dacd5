# Needs: the stores of an augmentation's models and of their baselines.
# Makes: similarity/<augmentation>/<seed>.parquet, a row per test image (and baseline, if there are
# several), a column per metric; one job per augmentation, because a baseline's maps are ranked once
# for all seeds that are compared with it.


rule measure_similarity:
    input:
        stores=INPUTS.compared(DESIGN.seeds, 0),
        baselines=INPUTS.compared(DESIGN.seeds, 1),
    output:
        similarities=[
            f"<results>/{{variant}}similarity/{{augmentation}}/{seed}.parquet"
            for seed in DESIGN.seeds
        ],
    log:
        "<logs>/{variant}similarity/{augmentation}.log",
    benchmark:
        "<benchmarks>/{variant}similarity/{augmentation}.tsv"
    wildcard_constraints:
        augmentation="|".join(["baseline", *DESIGN.augmentations]),
    group:
        "maps_{augmentation}"
    threads: STUDY["compute"]["threads"]
    resources:
        **sized("compare"),
        gpu=COMPARING_GPU,
    params:
        **named(**COMPARING),
        **code("measure_similarity", *registry.metric_functions(DESIGN.metrics)),
    script:
        "../scripts/measure_similarity.py"


use rule measure_similarity as measure_matched with:
    input:
        stores=INPUTS.compared(DESIGN.matched_seeds, 0),
        baselines=INPUTS.compared(DESIGN.matched_seeds, 1),
    output:
        similarities=[
            f"<results>/{{variant}}similarity/{{augmentation}}/{seed}.parquet"
            for seed in DESIGN.matched_seeds
        ],
    wildcard_constraints:
        augmentation="|".join(registry.MATCHED),
