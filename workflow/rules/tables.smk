# Needs: stores, similarity tables.
# Makes: tables/*.csv, small and tidy; tables/aggregate.parquet, the mean over seeds per image.


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
        mem_mb=4000,
        runtime=30,
    params:
        models=MODELS,
        code=code("tabulate_performance"),
    script:
        "../scripts/tabulate_performance.py"


rule tabulate_aggregate:
    input:
        similarities=of_augmented("similarity/{augmentation}/{seed}.parquet"),
    output:
        aggregate=f"{RESULTS}/tables/aggregate.parquet",
        distribution=table("distribution"),
    log:
        f"{RESULTS}/logs/tabulate_aggregate.log",
    benchmark:
        f"{RESULTS}/benchmarks/tabulate_aggregate.tsv"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        models=AUGMENTED,
        metrics=METRICS,
        code=code("tabulate_aggregate"),
    script:
        "../scripts/tabulate_aggregate.py"


rule tabulate_correlation:
    input:
        aggregate=rules.tabulate_aggregate.output.aggregate,
    output:
        correlation=table("correlation"),
        strongest=table("strongest_pairs"),
        weakest=table("weakest_pairs"),
    log:
        f"{RESULTS}/logs/tabulate_correlation.log",
    benchmark:
        f"{RESULTS}/benchmarks/tabulate_correlation.tsv"
    resources:
        mem_mb=4000,
        runtime=30,
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
        extremes=table("extremes"),
    log:
        f"{RESULTS}/logs/tabulate_extremes.log",
    benchmark:
        f"{RESULTS}/benchmarks/tabulate_extremes.tsv"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        metrics=METRICS,
        code=code("tabulate_extremes"),
    script:
        "../scripts/tabulate_extremes.py"


rule tabulate_segments:
    input:
        similarities=of_augmented("similarity/{augmentation}/{seed}.parquet"),
    output:
        segments=table("segments"),
    log:
        f"{RESULTS}/logs/tabulate_segments.log",
    benchmark:
        f"{RESULTS}/benchmarks/tabulate_segments.tsv"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        models=AUGMENTED,
        metrics=METRICS,
        code=code("tabulate_segments"),
    script:
        "../scripts/tabulate_segments.py"


# Where no augmentation is compared with the baseline, only the baseline's own.
COMPARISONS = [
    *rules.tabulate_aggregate.output,
    *rules.tabulate_correlation.output,
    *rules.tabulate_extremes.output,
    *rules.tabulate_segments.output,
]


rule tables:
    input:
        rules.tabulate_performance.output,
        COMPARISONS if AUGMENTED else [],
