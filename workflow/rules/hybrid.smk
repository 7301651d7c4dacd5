# Needs: data.h5, split.csv, the baseline's store. For studies with `hybrid`.
# Makes: architectures/<network>.safetensors (architectures.smk), its features, an SVM on them, its
# maps cams/cnn-svm/<seed>.h5, and how far these are from the baseline's: tables and figures.

HYBRID = STUDY["hybrid"]
HYBRID_MODELS = ["cnn", "network", "cnn-svm"]


rule extract_features:
    input:
        data=rules.load_data.output.data,
        split=rules.make_split.output.split,
        weights=f"{RESULTS}/architectures/{HYBRID['network']}.safetensors",
    output:
        vectors=f"{RESULTS}/vectors/cnn-svm.h5",
        predictions=f"{RESULTS}/machines/network.parquet",
    log:
        f"{RESULTS}/logs/extract_features.log",
    benchmark:
        f"{RESULTS}/benchmarks/extract_features.tsv"
    threads: THREADS
    resources:
        gpu=GPU,
        mem_mb=at_each_attempt(explaining_memory),
        runtime=lambda wildcards, attempt: 120 * attempt,
    params:
        architecture=HYBRID["network"],
        input_size=STUDY["model"]["input_size"],
        batch_size=STUDY["cam"]["batch_size"],
        device=DEVICE,
        threads=THREADS,
        code=code("extract_features", architecture_entry(HYBRID["network"])),
    script:
        "../scripts/extract_features.py"


rule map_hybrid:
    input:
        data=rules.load_data.output.data,
        split=rules.make_split.output.split,
        weights=rules.extract_features.input.weights,
        machine=f"{RESULTS}/machines/cnn-svm.safetensors",
    output:
        store=f"{RESULTS}/cams/cnn-svm/{SEEDS[0]}.h5",
    log:
        f"{RESULTS}/logs/cams/cnn-svm.log",
    benchmark:
        f"{RESULTS}/benchmarks/cams/cnn-svm.tsv"
    threads: THREADS
    resources:
        gpu=GPU,
        mem_mb=at_each_attempt(explaining_memory),
        runtime=lambda wildcards, attempt: 120 * attempt,
    params:
        **mapping_settings("cnn-svm"),
        architecture=HYBRID["network"],
        target_layer=HYBRID["target_layer"],
        method=HYBRID["method"],
        class_policy="predicted",
        subsets=["test"],
        code=code(
            "map_images",
            *entries_of(registry.CAM_METHODS, HYBRID["method"]),
            architecture_entry(HYBRID["network"]),
        ),
    script:
        "../scripts/map_images.py"


rule measure_agreement:
    input:
        first=BASELINE_STORE,
        second=rules.map_hybrid.output.store,
    output:
        pairs=f"{RESULTS}/similarity/cnn-svm/{SEEDS[0]}.parquet",
        chance=f"{RESULTS}/similarity/cnn-svm/{SEEDS[0]}_chance.parquet",
    log:
        f"{RESULTS}/logs/similarity/cnn-svm.log",
    benchmark:
        f"{RESULTS}/benchmarks/similarity/cnn-svm.tsv"
    threads: THREADS
    resources:
        mem_mb=at_each_attempt(table_memory),
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        metrics=METRICS,
        epsilon=STUDY["similarity"]["epsilon"],
        input_size=STUDY["model"]["input_size"],
        seed=HYBRID["seed"],
        code=code("measure_agreement", *(registry.metric(name).function for name in METRICS)),
    script:
        "../scripts/measure_agreement.py"


rule tabulate_agreement:
    input:
        data=rules.load_data.output.data,
        pairs=rules.measure_agreement.output.pairs,
        chance=rules.measure_agreement.output.chance,
    output:
        agreement=table("agreement"),
    log:
        f"{RESULTS}/logs/tabulate_agreement.log",
    benchmark:
        f"{RESULTS}/benchmarks/tabulate_agreement.tsv"
    resources:
        mem_mb=at_each_attempt(table_memory),
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        metrics=METRICS,
        code=code("tabulate_agreement"),
    script:
        "../scripts/tabulate_agreement.py"


rule plot_agreement:
    input:
        agreement=rules.tabulate_agreement.output.agreement,
    output:
        figures("agreement", labelled("metric", METRICS)),
    log:
        f"{RESULTS}/logs/plot_agreement.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot_agreement.tsv"
    resources:
        mem_mb=at_each_attempt(table_memory),
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        **DRAWING,
        models=["cnn", "cnn-svm"],
        described=DESCRIBED,
        code=code("plot_agreement"),
    script:
        "../scripts/plot_agreement.py"


rule plot_side_by_side:
    input:
        data=rules.load_data.output.data,
        stores=[BASELINE_STORE, rules.map_hybrid.output.store],
    output:
        figures("hybrid", labelled("figure", ["maps"])),
    log:
        f"{RESULTS}/logs/plot_side_by_side.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot_side_by_side.tsv"
    resources:
        mem_mb=at_each_attempt(table_memory),
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        **DRAWING,
        models=["cnn", "cnn-svm"],
        code=code("plot_side_by_side"),
    script:
        "../scripts/plot_side_by_side.py"


rule tabulate_hybrid:
    input:
        data=rules.load_data.output.data,
        predictions=[
            BASELINE_STORE,
            rules.extract_features.output.predictions,
            rules.map_hybrid.output.store,
        ],
    output:
        scores=table("hybrid_scores"),
        classes=table("hybrid_classes"),
        confusion=table("hybrid_confusion"),
    log:
        f"{RESULTS}/logs/tabulate_hybrid.log",
    benchmark:
        f"{RESULTS}/benchmarks/tabulate_hybrid.tsv"
    resources:
        mem_mb=at_each_attempt(table_memory),
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        models=HYBRID_MODELS,
        reference="network",
        code=code("tabulate_scores"),
    script:
        "../scripts/tabulate_scores.py"


rule plot_hybrid_scores:
    input:
        scores=rules.tabulate_hybrid.output.scores,
    output:
        figures("scores", labelled("models", ["hybrid"])),
    log:
        f"{RESULTS}/logs/plot_hybrid_scores.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot_hybrid_scores.tsv"
    resources:
        mem_mb=at_each_attempt(table_memory),
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        **DRAWING,
        code=code("plot_scores"),
    script:
        "../scripts/plot_scores.py"


rule plot_hybrid_confusion:
    input:
        confusion=rules.tabulate_hybrid.output.confusion,
    output:
        figures("svm_confusion", labelled("model", ["network", "cnn-svm"])),
    log:
        f"{RESULTS}/logs/plot_hybrid_confusion.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot_hybrid_confusion.tsv"
    resources:
        mem_mb=at_each_attempt(table_memory),
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        **DRAWING,
        code=code("plot_svm_confusion"),
    script:
        "../scripts/plot_svm_confusion.py"


rule hybrid:
    input:
        rules.tabulate_hybrid.output,
        rules.tabulate_agreement.output,
        rules.plot_agreement.output,
        rules.plot_side_by_side.output,
        rules.plot_hybrid_scores.output,
        rules.plot_hybrid_confusion.output,


localrules:
    hybrid,
