# Needs: data.h5, split.csv, the baseline's model and store. For studies with `covering`.
# Makes: the maps of test images with a covered patch, one store per size, and accuracy and drift of
# the maps by class: tables/covering.csv, figures/covering/*.

COVERING = STUDY["covering"]


wildcard_constraints:
    size=r"\d+",


rule map_covered:
    input:
        data=rules.load_data.output.data,
        split=rules.make_split.output.split,
        weights=BASELINE_WEIGHTS,
        baseline=BASELINE_STORE,
    output:
        store=f"{RESULTS}/cams/covered-{{size}}/{SEEDS[0]}.h5",
    log:
        f"{RESULTS}/logs/cams/covered-{{size}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/cams/covered-{{size}}.tsv"
    threads: THREADS
    resources:
        gpu=GPU,
        mem_mb=at_each_attempt(explaining_memory),
        runtime=lambda wildcards, attempt: 120 * attempt,
    params:
        **mapping_settings("covered-{size}"),
        architecture=STUDY["model"]["architecture"],
        target_layer=STUDY["cam"]["target_layer"],
        method=STUDY["cam"]["method"],
        # The same class before and after, so that the map alone may drift.
        class_policy="true" if STUDY["cam"]["class"] == "true" else "baseline",
        subsets=["test"],
        cover=lambda wildcards: {
            "size": int(wildcards.size),
            "fill": COVERING["fill"],
            "seed": COVERING["seed"],
        },
        code=code(
            "map_images",
            *entries_of(registry.CAM_METHODS, STUDY["cam"]["method"]),
            architecture_entry(STUDY["model"]["architecture"]),
        ),
    script:
        "../scripts/map_images.py"


use rule measure_similarity as measure_covered with:
    input:
        baselines=[BASELINE_STORE],
        stores=[rules.map_covered.output.store],
    output:
        similarities=[f"{RESULTS}/similarity/covered-{{size}}/{SEEDS[0]}.parquet"],
    log:
        f"{RESULTS}/logs/similarity/covered-{{size}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/similarity/covered-{{size}}.tsv"


rule tabulate_covering:
    input:
        data=rules.load_data.output.data,
        similarities=expand(rules.measure_covered.output.similarities, size=COVERING["sizes"]),
    output:
        covering=table("covering"),
    log:
        f"{RESULTS}/logs/tabulate_covering.log",
    benchmark:
        f"{RESULTS}/benchmarks/tabulate_covering.tsv"
    resources:
        mem_mb=at_each_attempt(table_memory),
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        sizes=COVERING["sizes"],
        metrics=METRICS,
        code=code("tabulate_covering"),
    script:
        "../scripts/tabulate_covering.py"


rule plot_covering:
    input:
        covering=rules.tabulate_covering.output.covering,
    output:
        figures("covering", labelled("measure", ["accuracy", *METRICS])),
    log:
        f"{RESULTS}/logs/plot_covering.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot_covering.tsv"
    resources:
        mem_mb=at_each_attempt(table_memory),
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        **DRAWING,
        described=DESCRIBED,
        code=code("plot_covering"),
    script:
        "../scripts/plot_covering.py"


rule covering:
    input:
        rules.tabulate_covering.output,
        rules.plot_covering.output,


localrules:
    covering,
