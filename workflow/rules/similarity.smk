# Needs: the stores of an augmentation's models and of the baseline.
# Makes: similarity/<augmentation>/<seed>.parquet, a row per test image, a column per metric; one
# job per augmentation, since the baseline's maps are ranked once for all its seeds.


rule measure_similarity:
    input:
        baseline=of_models("cams/{augmentation}/{seed}.h5", [BASELINE]),
        stores=[f"{RESULTS}/cams/{{augmentation}}/{seed}.h5" for seed in SEEDS],
    output:
        similarities=[f"{RESULTS}/similarity/{{augmentation}}/{seed}.parquet" for seed in SEEDS],
    log:
        f"{RESULTS}/logs/similarity/{{augmentation}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/similarity/{{augmentation}}.tsv"
    threads: THREADS
    resources:
        mem_mb=at_each_attempt(table_memory),
        runtime=at_each_attempt(comparing_minutes),
    params:
        **STUDY["similarity"],
        input_size=STUDY["model"]["input_size"],
        code=code("measure_similarity", *(registry.metric(name).function for name in METRICS)),
    script:
        "../scripts/measure_similarity.py"
