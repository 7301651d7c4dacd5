# Needs: tables, similarity tables, stores, data.h5.
# Makes: figures/<kind>/<name>.<format>. One job draws all figures of a kind, since a process
# spends longer starting than drawing; each file is still a target of its own.

DPI = STUDY["figures"]["dpi"]


rule plot_examples:
    input:
        data=rules.load_data.output.data,
        split=rules.make_split.output.split,
    output:
        figures("examples", labelled("augmentation", AUGMENTATIONS)),
    log:
        f"{RESULTS}/logs/plot_examples.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot_examples.tsv"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        augmentations=STUDY["augmentations"],
        at=STUDY["augmenting"]["at"],
        resample=STUDY["augmenting"]["resample"],
        input_size=STUDY["model"]["input_size"],
        seed=training_settings(next(iter(AUGMENTATIONS), "baseline"), SEEDS[0])["augmentation_seed"],
        dpi=DPI,
        code=code(
            "plot_examples",
            *entries_of(
                registry.AUGMENTATIONS,
                *(name for steps in STUDY["augmentations"].values() for name, _ in steps),
            ),
        ),
    script:
        "../scripts/plot_examples.py"


rule plot_history:
    input:
        histories=of_models("models/{augmentation}/{seed}.csv", MODELS),
    output:
        figures("training", labelled("figure", ["history"])),
    log:
        f"{RESULTS}/logs/plot_history.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot_history.tsv"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        models=MODELS,
        dpi=DPI,
        code=code("plot_history"),
    script:
        "../scripts/plot_history.py"


rule plot_performance:
    input:
        performance=rules.tabulate_performance.output.performance,
        summary=rules.tabulate_performance.output.summary,
    output:
        figures("performance", labelled("score", SCORES)),
    log:
        f"{RESULTS}/logs/plot_performance.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot_performance.tsv"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        dpi=DPI,
        code=code("plot_performance"),
    script:
        "../scripts/plot_performance.py"


rule plot_confusion:
    input:
        confusion=rules.tabulate_performance.output.confusion,
    output:
        figures("confusion", labelled("augmentation", ["baseline", *AUGMENTATIONS])),
    log:
        f"{RESULTS}/logs/plot_confusion.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot_confusion.tsv"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        dpi=DPI,
        code=code("plot_confusion"),
    script:
        "../scripts/plot_confusion.py"


rule plot_boxplots:
    input:
        aggregate=rules.tabulate_aggregate.output.aggregate,
    output:
        figures("boxplot", labelled("metric", METRICS)),
    log:
        f"{RESULTS}/logs/plot_boxplots.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot_boxplots.tsv"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        augmentations=AUGMENTATIONS,
        seeds=len(SEEDS),
        dpi=DPI,
        described=DESCRIBED,
        code=code("plot_boxplots"),
    script:
        "../scripts/plot_boxplots.py"


rule plot_correlations:
    input:
        correlation=rules.tabulate_correlation.output.correlation,
    output:
        figures("correlation", labelled("metric", METRICS)),
    log:
        f"{RESULTS}/logs/plot_correlations.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot_correlations.tsv"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        augmentations=AUGMENTATIONS,
        dpi=DPI,
        described=DESCRIBED,
        code=code("plot_correlations"),
    script:
        "../scripts/plot_correlations.py"


rule plot_pairs:
    input:
        strongest=rules.tabulate_correlation.output.strongest,
        weakest=rules.tabulate_correlation.output.weakest,
    output:
        figures("pairs", labelled("pairs", ["strongest", "weakest"])),
    log:
        f"{RESULTS}/logs/plot_pairs.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot_pairs.tsv"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        metrics=METRICS,
        top_pairs=STUDY["analysis"]["top_pairs"],
        dpi=DPI,
        code=code("plot_pairs"),
    script:
        "../scripts/plot_pairs.py"


rule plot_segments:
    input:
        similarities=of_augmented("similarity/{augmentation}/{seed}.parquet"),
    output:
        figures("segments", labelled("metric", METRICS)),
    log:
        f"{RESULTS}/logs/plot_segments.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot_segments.tsv"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        models=AUGMENTED,
        dpi=DPI,
        described=DESCRIBED,
        code=code("plot_segments"),
    script:
        "../scripts/plot_segments.py"


rule plot_extremes:
    input:
        data=rules.load_data.output.data,
        extremes=rules.tabulate_extremes.output.extremes,
        stores=of_models("cams/{augmentation}/{seed}.h5", MODELS),
    output:
        figures(
            "extremes",
            {
                f"{metric}_{{highest}}": {"metric": metric, "highest": "{highest}"}
                for metric in METRICS
            },
        ),
    log:
        f"{RESULTS}/logs/plot_extremes_{{highest}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot_extremes_{{highest}}.tsv"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        models=MODELS,
        statistic="{highest}",
        input_size=STUDY["model"]["input_size"],
        dpi=DPI,
        described=DESCRIBED,
        code=code("plot_extremes"),
    script:
        "../scripts/plot_extremes.py"


# Where no augmentation is compared with the baseline, only the baseline's own.
COMPARING_FIGURES = [
    *rules.plot_performance.output,
    *rules.plot_boxplots.output,
    *rules.plot_correlations.output,
    *rules.plot_pairs.output,
    *rules.plot_segments.output,
    *expand(rules.plot_extremes.output, highest=["mean", "std"]),
]


rule figures:
    input:
        rules.plot_examples.output,
        rules.plot_history.output,
        rules.plot_confusion.output,
        COMPARING_FIGURES if AUGMENTED else [],
