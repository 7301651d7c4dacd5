# Needs: data.h5 with masks, split.csv, every model's store. For studies whose pictures have masks.
# Makes: localisation/<augmentation>/<seed>.parquet, scores of a model's maps on every region, a row
# per test image and region; tables/localisation*.csv, figures/localisation/*; with
# localisation.spurious also tables/spurious*.csv, figures/spurious/*.

SPURIOUS = STUDY.get("localisation", {}).get("spurious")


rule measure_localisation:
    input:
        data=rules.load_data.output.data,
        store=rules.extract_cams.output.store,
    output:
        localisation=f"{RESULTS}/{{also}}localisation/{{augmentation}}/{{seed}}.parquet",
    log:
        f"{RESULTS}/logs/{{also}}localisation/{{augmentation}}/{{seed}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/{{also}}localisation/{{augmentation}}/{{seed}}.tsv"
    resources:
        mem_mb=at_each_attempt(explaining_memory),
        runtime=at_each_attempt(comparing_minutes),
    params:
        code=code("measure_localisation"),
    script:
        "../scripts/measure_localisation.py"


rule tabulate_localisation:
    input:
        measured=of_models("{also}localisation/{augmentation}/{seed}.parquet", MODELS),
    output:
        models=table("localisation", "{also}"),
        summary=table("localisation_summary", "{also}"),
    log:
        f"{RESULTS}/logs/{{also}}tabulate_localisation.log",
    benchmark:
        f"{RESULTS}/benchmarks/{{also}}tabulate_localisation.tsv"
    resources:
        mem_mb=at_each_attempt(table_memory),
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        models=MODELS,
        paired=PAIRED_SEEDS,
        seed=DRAWN,
        code=code("tabulate_localisation"),
    script:
        "../scripts/tabulate_localisation.py"


rule plot_localisation:
    input:
        models=rules.tabulate_localisation.output.models,
        summary=rules.tabulate_localisation.output.summary,
    output:
        figures("localisation", labelled("score", registry.LOCALISATION), "{also}"),
    log:
        f"{RESULTS}/logs/{{also}}plot_localisation.log",
    benchmark:
        f"{RESULTS}/benchmarks/{{also}}plot_localisation.tsv"
    resources:
        mem_mb=at_each_attempt(table_memory),
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        **DRAWING,
        labels=registry.LOCALISATION,
        code=code("plot_localisation"),
    script:
        "../scripts/plot_localisation.py"


rule tabulate_spurious:
    input:
        data=rules.load_data.output.data,
        split=FIRST_SPLIT,
        stores=of_models("{also}cams/{augmentation}/{seed}.h5", MODELS),
        measured=of_models("{also}localisation/{augmentation}/{seed}.parquet", MODELS),
    output:
        models=table("spurious", "{also}"),
        summary=table("spurious_summary", "{also}"),
    log:
        f"{RESULTS}/logs/{{also}}tabulate_spurious.log",
    benchmark:
        f"{RESULTS}/benchmarks/{{also}}tabulate_spurious.tsv"
    resources:
        mem_mb=at_each_attempt(explaining_memory),
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        models=MODELS,
        paired=PAIRED_SEEDS,
        seed=DRAWN,
        region=SPURIOUS,
        code=code("tabulate_spurious"),
    script:
        "../scripts/tabulate_spurious.py"


rule plot_spurious:
    input:
        models=rules.tabulate_spurious.output.models,
        summary=rules.tabulate_spurious.output.summary,
    output:
        figures("spurious", labelled("figure", ["spurious"]), "{also}"),
    log:
        f"{RESULTS}/logs/{{also}}plot_spurious.log",
    benchmark:
        f"{RESULTS}/benchmarks/{{also}}plot_spurious.tsv"
    resources:
        mem_mb=at_each_attempt(table_memory),
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        **DRAWING,
        region=SPURIOUS,
        code=code("plot_spurious"),
    script:
        "../scripts/plot_spurious.py"


rule localisation:
    input:
        expand([*rules.tabulate_localisation.output, *rules.plot_localisation.output], also=ALSO),
        (
            expand([*rules.tabulate_spurious.output, *rules.plot_spurious.output], also=ALSO)
            if SPURIOUS
            else []
        ),


localrules:
    localisation,
