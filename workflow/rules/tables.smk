# Needs: stores, histories, similarity tables.
# Makes: tables/*.csv, small and tidy; tables/aggregate.parquet, the mean over seeds per image. What
# is of maps is made for every method of cam.also too, under <method>/tables.


rule tabulate_performance:
    input:
        data=rules.load_data.output.data,
        stores=of_models("cams/{augmentation}/{seed}.h5", MODELS),
    output:
        performance=table("performance"),
        summary=table("performance_summary"),
        confusion=table("confusion"),
    log:
        f"{RESULTS}/logs/tabulate_performance.log",
    benchmark:
        f"{RESULTS}/benchmarks/tabulate_performance.tsv"
    resources:
        mem_mb=at_each_attempt(table_memory),
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        models=MODELS,
        code=code("tabulate_performance"),
    script:
        "../scripts/tabulate_performance.py"


# What is drawn beside the noise floor, and the floor itself ("baseline").
BESIDE_FLOOR = [name for name in ("baseline", *AUGMENTATIONS, *MATCHED) if FLOOR and pairs_of(name)]


rule tabulate_aggregate:
    input:
        similarities=of_augmented("{also}similarity/{augmentation}/{seed}.parquet"),
        matched=of_models("{also}similarity/{augmentation}/{seed}.parquet", MATCHED_MODELS),
        pairs=[f"{RESULTS}/{{also}}pairs/{name}.parquet" for name in BESIDE_FLOOR],
    output:
        **{"across": f"{RESULTS}/{{also}}tables/across_seeds.parquet"} if FLOOR else {},
        aggregate=f"{RESULTS}/{{also}}tables/aggregate.parquet",
        distribution=table("distribution", "{also}"),
    log:
        f"{RESULTS}/logs/{{also}}tabulate_aggregate.log",
    benchmark:
        f"{RESULTS}/benchmarks/{{also}}tabulate_aggregate.tsv"
    resources:
        mem_mb=at_each_attempt(table_memory),
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        models=AUGMENTED,
        matched=MATCHED_MODELS,
        beside_floor=BESIDE_FLOOR,
        like=[pair for name in BESIDE_FLOOR for pair in like_floor(name)],
        code=code("tabulate_aggregate"),
    script:
        "../scripts/tabulate_aggregate.py"


rule tabulate_correlation:
    input:
        aggregate=rules.tabulate_aggregate.output.aggregate,
    output:
        correlation=table("correlation", "{also}"),
        strongest=table("strongest_pairs", "{also}"),
        weakest=table("weakest_pairs", "{also}"),
    log:
        f"{RESULTS}/logs/{{also}}tabulate_correlation.log",
    benchmark:
        f"{RESULTS}/benchmarks/{{also}}tabulate_correlation.tsv"
    resources:
        mem_mb=at_each_attempt(table_memory),
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        metrics=METRICS,
        augmentations=AUGMENTATIONS,
        top_pairs=STUDY["analysis"]["top_pairs"],
        code=code("tabulate_correlation"),
    script:
        "../scripts/tabulate_correlation.py"


rule tabulate_extremes:
    input:
        aggregate=rules.tabulate_aggregate.output.aggregate,
    output:
        extremes=table("extremes", "{also}"),
    log:
        f"{RESULTS}/logs/{{also}}tabulate_extremes.log",
    benchmark:
        f"{RESULTS}/benchmarks/{{also}}tabulate_extremes.tsv"
    resources:
        mem_mb=at_each_attempt(table_memory),
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        metrics=METRICS,
        code=code("tabulate_extremes"),
    script:
        "../scripts/tabulate_extremes.py"


rule tabulate_segments:
    input:
        similarities=of_augmented("{also}similarity/{augmentation}/{seed}.parquet"),
    output:
        segments=table("segments", "{also}"),
    log:
        f"{RESULTS}/logs/{{also}}tabulate_segments.log",
    benchmark:
        f"{RESULTS}/benchmarks/{{also}}tabulate_segments.tsv"
    resources:
        mem_mb=at_each_attempt(table_memory),
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        models=AUGMENTED,
        metrics=METRICS,
        segments=STUDY["analysis"]["segments"],
        code=code("tabulate_segments"),
    script:
        "../scripts/tabulate_segments.py"


rule tabulate_accuracy:
    input:
        performance=rules.tabulate_performance.output.performance,
        similarities=of_augmented("{also}similarity/{augmentation}/{seed}.parquet"),
    output:
        means=table("model_means", "{also}"),
        correlation=table("accuracy_correlation", "{also}"),
    log:
        f"{RESULTS}/logs/{{also}}tabulate_accuracy.log",
    benchmark:
        f"{RESULTS}/benchmarks/{{also}}tabulate_accuracy.tsv"
    resources:
        mem_mb=at_each_attempt(table_memory),
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        models=AUGMENTED,
        metrics=METRICS,
        code=code("tabulate_accuracy"),
    script:
        "../scripts/tabulate_accuracy.py"


rule tabulate_validation:
    input:
        histories=of_models("models/{augmentation}/{seed}.csv", MODELS),
    output:
        validation=table("validation"),
    log:
        f"{RESULTS}/logs/tabulate_validation.log",
    benchmark:
        f"{RESULTS}/benchmarks/tabulate_validation.tsv"
    resources:
        mem_mb=at_each_attempt(table_memory),
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        models=MODELS,
        code=code("tabulate_validation"),
    script:
        "../scripts/tabulate_validation.py"


if STUDY["published"]:

    rule tabulate_published:
        input:
            performance=rules.tabulate_performance.output.performance,
            validation=rules.tabulate_validation.output.validation,
        output:
            published=table("published"),
        log:
            f"{RESULTS}/logs/tabulate_published.log",
        benchmark:
            f"{RESULTS}/benchmarks/tabulate_published.tsv"
        resources:
            mem_mb=at_each_attempt(table_memory),
            runtime=lambda wildcards, attempt: 10 * attempt,
        params:
            published=STUDY["published"],
            references={seed: reference_of(seed)[1] for seed in SEEDS},
            code=code("tabulate_published"),
        script:
            "../scripts/tabulate_published.py"


# Where no augmentation is compared with the baseline, only the baseline's own.
COMPARISONS = expand(
    [
        *rules.tabulate_aggregate.output,
        *rules.tabulate_correlation.output,
        *rules.tabulate_extremes.output,
        *rules.tabulate_segments.output,
        *rules.tabulate_accuracy.output,
    ],
    also=ALSO,
)


rule tables:
    input:
        rules.tabulate_performance.output,
        rules.tabulate_validation.output,
        rules.tabulate_published.output if STUDY["published"] else [],
        COMPARISONS if COMPARED else [],
