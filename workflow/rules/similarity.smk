# Needs: the stores of an augmentation's models and of their baselines.
# Makes: similarity/<augmentation>/<seed>.parquet, a row per test image (and baseline, where there
# are several), a column per metric; one job per augmentation, since a baseline's maps are ranked
# once for all seeds compared with it.


rule measure_similarity:
    input:
        baselines=baselines_of_each(SEEDS),
        stores=stores_of_each(SEEDS),
    output:
        similarities=[
            f"{RESULTS}/{{also}}similarity/{{augmentation}}/{seed}.parquet" for seed in SEEDS
        ],
    log:
        f"{RESULTS}/logs/{{also}}similarity/{{augmentation}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/{{also}}similarity/{{augmentation}}.tsv"
    wildcard_constraints:
        augmentation="|".join(["baseline", *AUGMENTATIONS]),
    threads: THREADS
    resources:
        gpu=COMPARING_GPU,
        mem_mb=at_each_attempt(table_memory),
        runtime=at_each_attempt(comparing_minutes),
    params:
        **STUDY["similarity"],
        input_size=STUDY["model"]["input_size"],
        one_split="subset" not in STUDY["vary"],
        code=code("measure_similarity", *(registry.metric(name).function for name in METRICS)),
    script:
        "../scripts/measure_similarity.py"


use rule measure_similarity as measure_matched with:
    input:
        baselines=baselines_of_each(MATCHED_SEEDS),
        stores=stores_of_each(MATCHED_SEEDS),
    output:
        similarities=[
            f"{RESULTS}/{{also}}similarity/{{augmentation}}/{seed}.parquet"
            for seed in MATCHED_SEEDS
        ],
    wildcard_constraints:
        augmentation="identity|baseline_long",
