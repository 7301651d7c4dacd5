# Needs: all stores; the similarity tables. For studies with `controls`, or with `reference: none`.
# Makes: models/untrained/<seed>.safetensors, pairs/<augmentation>.parquet (a row per pair of models
# and test image; one job per augmentation, since each model's maps are prepared once for all its
# pairs), chance.parquet (maps that know nothing), and tables and figures of how far augmentations
# move the maps beyond that.

# Metrics that say how far two maps, or two predictions, are apart.
DISTANCES = [name for name in METRICS if registry.metric(name).same is not None]
# What tables and figures call the profile over all metrics.
ALL_METRICS = "all"


# What has pairs at all.
PAIRED = [name for name in ("baseline", *AUGMENTATIONS, *MATCHED) if pairs_of(name)]
ARMS = [name for name in PAIRED if name != "baseline"]


rule measure_pairs:
    input:
        stores=paired_stores,
    output:
        pairs=f"{RESULTS}/{{also}}pairs/{{augmentation}}.parquet",
    log:
        f"{RESULTS}/logs/{{also}}pairs/{{augmentation}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/{{also}}pairs/{{augmentation}}.tsv"
    threads: THREADS
    resources:
        gpu=COMPARING_GPU,
        mem_mb=at_each_attempt(lambda wildcards: pairs_memory(wildcards.augmentation)),
        runtime=at_each_attempt(
            lambda wildcards: needs.comparing_minutes(
                pairs_of_maps(wildcards.augmentation), THREADS
            )
        ),
    params:
        **STUDY["similarity"] | {"metrics": DISTANCES},
        pairs=lambda wildcards: pairs_of(wildcards.augmentation),
        input_size=STUDY["model"]["input_size"],
        one_split="subset" not in STUDY["vary"],
        code=code("measure_pairs", *(registry.metric(name).function for name in DISTANCES)),
    script:
        "../scripts/measure_pairs.py"


if CONTROLS.get("chance"):

    rule initialise:
        input:
            data=rules.load_data.output.data,
            split=FIRST_SPLIT,
        output:
            weights=f"{RESULTS}/models/untrained/{SEEDS[0]}.safetensors",
        log:
            f"{RESULTS}/logs/initialise.log",
        benchmark:
            f"{RESULTS}/benchmarks/initialise.tsv"
        resources:
            mem_mb=at_each_attempt(explaining_memory),
            runtime=lambda wildcards, attempt: 10 * attempt,
        params:
            architecture=STUDY["model"]["architecture"],
            init_seed=training_settings(*BASELINES[0])["init_seed"],
            code=code("initialise", architecture_entry(STUDY["model"]["architecture"])),
        script:
            "../scripts/initialise.py"

    ruleorder: initialise > train

    # One model of each set.
    ASKED = [*FIRST, *((name, SEEDS[0]) for name in MATCHED)]

    rule measure_chance:
        input:
            data=rules.load_data.output.data,
            stores=of_models("{also}cams/{augmentation}/{seed}.h5", ASKED),
            untrained=f"{RESULTS}/{{also}}cams/untrained/{SEEDS[0]}.h5",
        output:
            chance=f"{RESULTS}/{{also}}chance.parquet",
        log:
            f"{RESULTS}/logs/{{also}}measure_chance.log",
        benchmark:
            f"{RESULTS}/benchmarks/{{also}}measure_chance.tsv"
        threads: THREADS
        resources:
            gpu=COMPARING_GPU,
            mem_mb=at_each_attempt(table_memory),
            runtime=at_each_attempt(
                lambda wildcards: needs.comparing_minutes(
                    sizes()["test"] * 4 * len(ASKED), THREADS
                )
            ),
        params:
            **STUDY["similarity"] | {"metrics": DISTANCES},
            models=ASKED,
            seed=DRAWN,
            input_size=STUDY["model"]["input_size"],
            one_split="subset" not in STUDY["vary"],
            code=code("measure_chance", *(registry.metric(name).function for name in DISTANCES)),
        script:
            "../scripts/measure_chance.py"

    rule tabulate_chance:
        input:
            chance=rules.measure_chance.output.chance,
        output:
            chance=table("chance", "{also}"),
        log:
            f"{RESULTS}/logs/{{also}}tabulate_chance.log",
        benchmark:
            f"{RESULTS}/benchmarks/{{also}}tabulate_chance.tsv"
        resources:
            mem_mb=at_each_attempt(table_memory),
            runtime=lambda wildcards, attempt: 10 * attempt,
        params:
            metrics=DISTANCES,
            code=code("tabulate_chance"),
        script:
            "../scripts/tabulate_chance.py"

    rule plot_chance:
        input:
            chance=rules.measure_chance.output.chance,
            baselines=f"{RESULTS}/{{also}}pairs/baseline.parquet" if len(BASELINES) > 1 else [],
        output:
            figures("chance", labelled("metric", DISTANCES), "{also}"),
        log:
            f"{RESULTS}/logs/{{also}}plot_chance.log",
        benchmark:
            f"{RESULTS}/benchmarks/{{also}}plot_chance.tsv"
        resources:
            mem_mb=at_each_attempt(table_memory),
            runtime=lambda wildcards, attempt: 10 * attempt,
        params:
            dpi=DPI,
            described=DESCRIBED,
            code=code("plot_chance"),
        script:
            "../scripts/plot_chance.py"


rule tabulate_shift:
    input:
        pairs=[f"{RESULTS}/{{also}}pairs/{name}.parquet" for name in PAIRED],
    output:
        **{"between": table("between", "{also}")} if STUDY["reference"] == "none" else {},
        kinds=table("pairs", "{also}"),
        shift=table("shift", "{also}"),
    log:
        f"{RESULTS}/logs/{{also}}tabulate_shift.log",
    benchmark:
        f"{RESULTS}/benchmarks/{{also}}tabulate_shift.tsv"
    resources:
        mem_mb=at_each_attempt(lambda wildcards: pairs_memory(*PAIRED)),
        runtime=lambda wildcards, attempt: 120 * attempt,
    params:
        augmentations=PAIRED,
        compared=AUGMENTATIONS,
        models=MODELS,
        metrics=DISTANCES,
        incomparable=incomparable(),
        seed=DRAWN,
        code=code("tabulate_shift"),
    script:
        "../scripts/tabulate_shift.py"


rule tabulate_mixed:
    input:
        pairs=rules.tabulate_shift.input.pairs,
    output:
        mixed=table("shift_mixed", "{also}"),
    log:
        f"{RESULTS}/logs/{{also}}tabulate_mixed.log",
    benchmark:
        f"{RESULTS}/benchmarks/{{also}}tabulate_mixed.tsv"
    resources:
        mem_mb=at_each_attempt(lambda wildcards: pairs_memory(*PAIRED)),
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        augmentations=PAIRED,
        models=MODELS,
        metric=STUDY["analysis"]["summary"],
        seed=DRAWN,
        code=code("tabulate_mixed"),
    script:
        "../scripts/tabulate_mixed.py"


if STUDY["reference"] == "none":

    rule plot_between:
        input:
            between=rules.tabulate_shift.output.between,
        output:
            figures("between", labelled("metric", DISTANCES), "{also}"),
        log:
            f"{RESULTS}/logs/{{also}}plot_between.log",
        benchmark:
            f"{RESULTS}/benchmarks/{{also}}plot_between.tsv"
        resources:
            mem_mb=at_each_attempt(table_memory),
            runtime=lambda wildcards, attempt: 10 * attempt,
        params:
            dpi=DPI,
            described=DESCRIBED,
            code=code("plot_between"),
        script:
            "../scripts/plot_between.py"


rule tabulate_gain:
    input:
        stores=of_models("cams/{augmentation}/{seed}.h5", MODELS),
    output:
        gain=table("gain"),
    log:
        f"{RESULTS}/logs/tabulate_gain.log",
    benchmark:
        f"{RESULTS}/benchmarks/tabulate_gain.tsv"
    resources:
        mem_mb=at_each_attempt(table_memory),
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        models=MODELS,
        matched=MATCHED,
        seed=DRAWN,
        code=code("tabulate_gain"),
    script:
        "../scripts/tabulate_gain.py"


rule tabulate_summary:
    input:
        gain=rules.tabulate_gain.output.gain,
        shift=rules.tabulate_shift.output.shift,
    output:
        summary=table("summary", "{also}"),
    log:
        f"{RESULTS}/logs/{{also}}tabulate_summary.log",
    benchmark:
        f"{RESULTS}/benchmarks/{{also}}tabulate_summary.tsv"
    resources:
        mem_mb=at_each_attempt(table_memory),
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        metric=STUDY["analysis"]["summary"],
        code=code("tabulate_summary"),
    script:
        "../scripts/tabulate_summary.py"


rule plot_summary:
    input:
        summary=rules.tabulate_summary.output.summary,
    output:
        figures("summary", labelled("figure", ["summary"]), "{also}", category="Answer"),
    log:
        f"{RESULTS}/logs/{{also}}plot_summary.log",
    benchmark:
        f"{RESULTS}/benchmarks/{{also}}plot_summary.tsv"
    resources:
        mem_mb=at_each_attempt(table_memory),
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        study=STUDY["study"],
        metric=STUDY["analysis"]["summary"],
        described=DESCRIBED,
        dpi=DPI,
        code=code("plot_summary"),
    script:
        "../scripts/plot_summary.py"


PROFILED = bool(COMPARED) and len(AUGMENTATIONS) > 1
if PROFILED:

    rule tabulate_profiles:
        input:
            similarities=of_augmented("{also}similarity/{augmentation}/{seed}.parquet"),
        output:
            clusters=table("profiles", "{also}"),
            correlation=table("profile_correlation", "{also}"),
            counts=table("pairs_by_chance", "{also}"),
        log:
            f"{RESULTS}/logs/{{also}}tabulate_profiles.log",
        benchmark:
            f"{RESULTS}/benchmarks/{{also}}tabulate_profiles.tsv"
        resources:
            mem_mb=at_each_attempt(table_memory),
            runtime=lambda wildcards, attempt: 120 * attempt,
        params:
            models=AUGMENTED,
            metrics=METRICS,
            all=ALL_METRICS,
            # Whether the models of a seed have more in common than their number.
            paired=PAIRED_SEEDS or set(STUDY["vary"]) != {"augmentation"},
            top_pairs=STUDY["analysis"]["top_pairs"],
            seed=DRAWN,
            code=code("tabulate_profiles"),
        script:
            "../scripts/tabulate_profiles.py"

    rule plot_profiles:
        input:
            clusters=rules.tabulate_profiles.output.clusters,
            correlation=rules.tabulate_profiles.output.correlation,
        output:
            figures("profiles", labelled("metric", [*METRICS, ALL_METRICS]), "{also}"),
        log:
            f"{RESULTS}/logs/{{also}}plot_profiles.log",
        benchmark:
            f"{RESULTS}/benchmarks/{{also}}plot_profiles.tsv"
        resources:
            mem_mb=at_each_attempt(table_memory),
            runtime=lambda wildcards, attempt: 10 * attempt,
        params:
            dpi=DPI,
            described=DESCRIBED,
            code=code("plot_profiles"),
        script:
            "../scripts/plot_profiles.py"


# The same correlations with baselines in common, as many as each augmentation has of its own.
if STUDY["reference"] == "disjoint":

    rule tabulate_shared:
        input:
            pairs=[f"{RESULTS}/{{also}}pairs/{name}.parquet" for name in AUGMENTATIONS],
        output:
            correlation=table("correlation_shared", "{also}"),
        log:
            f"{RESULTS}/logs/{{also}}tabulate_shared.log",
        benchmark:
            f"{RESULTS}/benchmarks/{{also}}tabulate_shared.tsv"
        resources:
            mem_mb=at_each_attempt(lambda wildcards: pairs_memory(*PAIRED)),
            runtime=lambda wildcards, attempt: 10 * attempt,
        params:
            augmentations=AUGMENTATIONS,
            baselines=[seed for _, seed in references_of(AUGMENTATIONS[0], SEEDS[0])],
            metrics=DISTANCES,
            code=code("tabulate_shared"),
        script:
            "../scripts/tabulate_shared.py"

    use rule plot_correlations as plot_shared with:
        input:
            correlation=rules.tabulate_shared.output.correlation,
        output:
            figures("correlation_shared", labelled("metric", DISTANCES), "{also}"),
        log:
            f"{RESULTS}/logs/{{also}}plot_shared.log",
        benchmark:
            f"{RESULTS}/benchmarks/{{also}}plot_shared.tsv"


# What each method of the study has, where it has what it takes.
CONTROL_RULES = [
    *([rules.tabulate_chance, rules.plot_chance] if CONTROLS.get("chance") else []),
    *([rules.tabulate_shift] if ARMS else []),
    *(
        [rules.tabulate_mixed, rules.tabulate_summary, rules.plot_summary]
        if ARMS and len(BASELINES) > 1 and not incomparable()
        else []
    ),
    *([rules.tabulate_profiles, rules.plot_profiles] if PROFILED else []),
    *([rules.tabulate_shared, rules.plot_shared] if STUDY["reference"] == "disjoint" else []),
    *([rules.plot_between] if STUDY["reference"] == "none" else []),
]


rule controls:
    input:
        expand(rules.measure_pairs.output, also=ALSO, augmentation=PAIRED),
        rules.tabulate_gain.output if ARMS else [],
        [expand(rule.output, also=ALSO) for rule in CONTROL_RULES],


localrules:
    controls,
