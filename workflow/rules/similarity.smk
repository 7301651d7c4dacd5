# Needs: the stores of an augmentation's models and of their baselines.
# Makes: similarity/<augmentation>/<seed>.parquet, a row per test image (and baseline, if there are
# several), a column per metric; one job per augmentation, because a baseline's maps are ranked once
# for all seeds that are compared with it.

# Name of a rule → its models' seeds, and their augmentations.
COMPARED = {
    "measure_similarity": (DESIGN.seeds, ["baseline", *DESIGN.augmentations]),
    "measure_matched": (DESIGN.matched_seeds, registry.MATCHED),
}
if DESIGN.imported:  # each arm has its own number of models
    COMPARED = {
        f"measure_similarity_{arm}": (DESIGN.seeds_of(arm), [arm]) for arm in dict(DESIGN.models)
    }

for name, (seeds, augmentations) in COMPARED.items():

    rule:
        name:
            name
        input:
            stores=INPUTS.compared(seeds, 0),
            baselines=INPUTS.compared(seeds, 1),
        output:
            similarities=[
                f"<results>/{{variant}}similarity/{{augmentation}}/{seed}.parquet"
                for seed in seeds
            ],
        log:
            "<logs>/{variant}similarity/{augmentation}.log",
        benchmark:
            "<benchmarks>/{variant}similarity/{augmentation}.tsv"
        wildcard_constraints:
            augmentation="|".join(augmentations),
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
