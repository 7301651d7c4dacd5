# Needs: tables, similarity tables, stores, data.h5.
# Makes: figures/<kind>/<name>.<format>; what is of maps for every method of cam.also too, under
# <method>/figures. One job draws all figures of a kind, since a process spends longer starting than
# drawing; each file is still a target of its own.

DPI = STUDY["figures"]["dpi"]
# One model of each set, where a page has no room for all.
FIRST = [*BASELINES[:1], *((augmentation, SEEDS[0]) for augmentation in AUGMENTATIONS)]


rule plot_examples:
    input:
        data=rules.load_data.output.data,
        split=FIRST_SPLIT,
    output:
        examples=figures("examples", labelled("augmentation", AUGMENTATIONS)),
        sets=figures("sets", labelled("figure", ["sets"])),
    log:
        f"{RESULTS}/logs/plot_examples.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot_examples.tsv"
    resources:
        mem_mb=at_each_attempt(table_memory),
        runtime=lambda wildcards, attempt: 10 * attempt,
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
        mem_mb=at_each_attempt(table_memory),
        runtime=lambda wildcards, attempt: 10 * attempt,
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
        mem_mb=at_each_attempt(table_memory),
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        dpi=DPI,
        code=code("plot_performance"),
    script:
        "../scripts/plot_performance.py"


rule plot_confusion:
    input:
        confusion=rules.tabulate_performance.output.confusion,
    output:
        figures("confusion", labelled("augmentation", ["baseline", *AUGMENTATIONS, *MATCHED])),
    log:
        f"{RESULTS}/logs/plot_confusion.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot_confusion.tsv"
    resources:
        mem_mb=at_each_attempt(table_memory),
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        dpi=DPI,
        code=code("plot_confusion"),
    script:
        "../scripts/plot_confusion.py"


rule plot_boxplots:
    input:
        aggregate=(
            rules.tabulate_aggregate.output.across
            if FLOOR
            else rules.tabulate_aggregate.output.aggregate
        ),
    output:
        figures("boxplot", labelled("metric", METRICS), "{also}"),
    log:
        f"{RESULTS}/logs/{{also}}plot_boxplots.log",
    benchmark:
        f"{RESULTS}/benchmarks/{{also}}plot_boxplots.tsv"
    resources:
        mem_mb=at_each_attempt(table_memory),
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        augmentations=AUGMENTATIONS,
        across_seeds=FLOOR,
        dpi=DPI,
        described=DESCRIBED,
        code=code("plot_boxplots"),
    script:
        "../scripts/plot_boxplots.py"


rule plot_correlations:
    input:
        correlation=rules.tabulate_correlation.output.correlation,
    output:
        figures("correlation", labelled("metric", METRICS), "{also}"),
    log:
        f"{RESULTS}/logs/{{also}}plot_correlations.log",
    benchmark:
        f"{RESULTS}/benchmarks/{{also}}plot_correlations.tsv"
    resources:
        mem_mb=at_each_attempt(table_memory),
        runtime=lambda wildcards, attempt: 10 * attempt,
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
        figures("pairs", labelled("pairs", ["strongest", "weakest"]), "{also}"),
    log:
        f"{RESULTS}/logs/{{also}}plot_pairs.log",
    benchmark:
        f"{RESULTS}/benchmarks/{{also}}plot_pairs.tsv"
    resources:
        mem_mb=at_each_attempt(table_memory),
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        metrics=METRICS,
        top_pairs=STUDY["analysis"]["top_pairs"],
        dpi=DPI,
        code=code("plot_pairs"),
    script:
        "../scripts/plot_pairs.py"


rule plot_segments:
    input:
        similarities=of_augmented("{also}similarity/{augmentation}/{seed}.parquet"),
    output:
        figures("segments", labelled("metric", METRICS), "{also}"),
    log:
        f"{RESULTS}/logs/{{also}}plot_segments.log",
    benchmark:
        f"{RESULTS}/benchmarks/{{also}}plot_segments.tsv"
    resources:
        mem_mb=at_each_attempt(table_memory),
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        models=AUGMENTED,
        segments=STUDY["analysis"]["segments"],
        dpi=DPI,
        described=DESCRIBED,
        code=code("plot_segments"),
    script:
        "../scripts/plot_segments.py"


rule plot_extremes:
    input:
        data=rules.load_data.output.data,
        extremes=rules.tabulate_extremes.output.extremes,
        stores=of_models("{also}cams/{augmentation}/{seed}.h5", [*REFERENCES, *AUGMENTED]),
    output:
        figures(
            "extremes",
            {
                f"{metric}_{{highest}}": {"metric": metric, "highest": "{highest}"}
                for metric in METRICS
            },
            "{also}",
        ),
    log:
        f"{RESULTS}/logs/{{also}}plot_extremes_{{highest}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/{{also}}plot_extremes_{{highest}}.tsv"
    resources:
        mem_mb=at_each_attempt(table_memory),
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        models=[*REFERENCES, *AUGMENTED],
        statistic="{highest}",
        input_size=STUDY["model"]["input_size"],
        dpi=DPI,
        described=DESCRIBED,
        code=code("plot_extremes"),
    script:
        "../scripts/plot_extremes.py"


rule plot_overlays:
    input:
        data=rules.load_data.output.data,
        stores=of_models("{also}cams/{augmentation}/{seed}.h5", FIRST),
    output:
        figures("overlays", labelled("maps", ["over_images", "alone"]), "{also}"),
    log:
        f"{RESULTS}/logs/{{also}}plot_overlays.log",
    benchmark:
        f"{RESULTS}/benchmarks/{{also}}plot_overlays.tsv"
    resources:
        mem_mb=at_each_attempt(table_memory),
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        models=FIRST,
        input_size=STUDY["model"]["input_size"],
        dpi=DPI,
        code=code("plot_overlays"),
    script:
        "../scripts/plot_overlays.py"


rule plot_accuracy:
    input:
        means=rules.tabulate_accuracy.output.means,
        correlation=rules.tabulate_accuracy.output.correlation,
    output:
        figures("accuracy", labelled("metric", METRICS), "{also}"),
    log:
        f"{RESULTS}/logs/{{also}}plot_accuracy.log",
    benchmark:
        f"{RESULTS}/benchmarks/{{also}}plot_accuracy.tsv"
    resources:
        mem_mb=at_each_attempt(table_memory),
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        augmentations=AUGMENTATIONS,
        dpi=DPI,
        described=DESCRIBED,
        code=code("plot_accuracy"),
    script:
        "../scripts/plot_accuracy.py"


# Where no augmentation is compared with the baseline, only the baseline's own.
COMPARING_FIGURES = [
    *rules.plot_performance.output,
    *expand(
        [
            *rules.plot_boxplots.output,
            *rules.plot_correlations.output,
            *rules.plot_pairs.output,
            *rules.plot_segments.output,
            *rules.plot_accuracy.output,
        ],
        also=ALSO,
    ),
    *expand(rules.plot_extremes.output, also=ALSO, highest=["mean", "std"]),
]


rule figures:
    input:
        rules.plot_examples.output,
        rules.plot_history.output,
        rules.plot_confusion.output,
        expand(rules.plot_overlays.output, also=ALSO),
        COMPARING_FIGURES if COMPARED else [],
