# Needs: data.h5, split.csv, the baseline's store, architectures/<network>.safetensors.
# Makes: the network's features, an SVM on them (svm.smk), its maps cams/cnn-svm/<seed>.h5, and tables
# and figures that compare these with the baseline's maps.

HYBRID = STUDY["hybrid"]


rule extract_features:
    input:
        data=rules.load_data.output.data,
        split=rules.make_split.output.split,
        weights=f"<results>/architectures/{user_code.short(HYBRID['network'])}.safetensors",
    output:
        vectors="<results>/features/cnn-svm.h5",
        predictions="<results>/classifiers/network.parquet",
    log:
        "<logs>/extract_features.log",
    benchmark:
        "<benchmarks>/extract_features.tsv"
    threads: STUDY["compute"]["threads"]
    resources:
        **sized("map_other"),
        gpu=GPU,
    params:
        **named(
            **DEVICE,
            architecture=HYBRID["network"],
            input_size=STUDY["model"]["input_size"],
            batch_size=STUDY["cam"]["batch_size"],
        ),
        **code("extract_features", registry.architecture_function(HYBRID["network"])),
    script:
        "../../scripts/extract_features.py"


rule map_hybrid:
    input:
        data=rules.load_data.output.data,
        split=rules.make_split.output.split,
        weights=rules.extract_features.input.weights,
        classifier="<results>/classifiers/cnn-svm.safetensors",
    output:
        store=f"<results>/cams/cnn-svm/{DESIGN.first_seed}.h5",
    log:
        "<logs>/cams/cnn-svm.log",
    benchmark:
        "<benchmarks>/cams/cnn-svm.tsv"
    threads: STUDY["compute"]["threads"]
    resources:
        **sized("map_other"),
        gpu=GPU,
    params:
        **named(
            **MAPPING,
            augmentation="cnn-svm",
            seed=DESIGN.first_seed,
            architecture=HYBRID["network"],
            target_layer=HYBRID["target_layer"],
            method=HYBRID["method"],
            class_policy="predicted",
            subsets=["test"],
        ),
        **code(
            "map_images",
            *registry.functions(registry.CAM_METHODS, [HYBRID["method"]]),
            registry.architecture_function(HYBRID["network"]),
        ),
    script:
        "../../scripts/map_images.py"


rule measure_agreement:
    input:
        first=BASELINE_STORE,
        second=rules.map_hybrid.output.store,
    output:
        pairs=f"<results>/similarity/cnn-svm/{DESIGN.first_seed}.parquet",
        chance=f"<results>/similarity/cnn-svm/{DESIGN.first_seed}_other_images.parquet",
    log:
        "<logs>/similarity/cnn-svm.log",
    benchmark:
        "<benchmarks>/similarity/cnn-svm.tsv"
    threads: STUDY["compute"]["threads"]
    resources:
        **sized("compare"),
    params:
        **named(
            metrics=DESIGN.metrics,
            epsilon=STUDY["similarity"]["epsilon"],
            input_size=STUDY["model"]["input_size"],
            seed=HYBRID["seed"],
        ),
        **code("measure_agreement", *registry.metric_functions(DESIGN.metrics)),
    script:
        "../../scripts/measure_agreement.py"


tabulate(
    "agreement",
    needs={
        "data": rules.load_data.output.data,
        "pairs": rules.measure_agreement.output.pairs,
        "chance": rules.measure_agreement.output.chance,
    },
    makes={"agreement": table("agreement")},
    metrics=DESIGN.metrics,
)
draw(
    "agreement",
    needs={"agreement": "<results>/tables/agreement.csv"},
    makes=figures("agreement", "metric", DESIGN.metrics),
    metrics=DESIGN.metrics,
    models=["cnn", "cnn-svm"],
)
draw(
    "side_by_side",
    needs={
        "data": rules.load_data.output.data,
        "stores": [BASELINE_STORE, rules.map_hybrid.output.store],
    },
    makes=figures("hybrid", "figure", ["maps"]),
    models=["cnn", "cnn-svm"],
)
tabulate(
    "hybrid",
    script="tabulate_scores",
    needs={
        "data": rules.load_data.output.data,
        "predictions": [
            BASELINE_STORE,
            rules.extract_features.output.predictions,
            rules.map_hybrid.output.store,
        ],
    },
    makes={
        "scores": table("hybrid_scores"),
        "classes": table("hybrid_classes"),
        "confusion": table("hybrid_confusion"),
    },
    models=["cnn", "network", "cnn-svm"],
    reference="network",
)
draw(
    "hybrid_scores",
    script="plot_scores",
    needs={"scores": "<results>/tables/hybrid_scores.csv"},
    makes=figures("scores", "models", ["hybrid"]),
)
draw(
    "hybrid_confusion",
    script="plot_svm_confusion",
    needs={"confusion": "<results>/tables/hybrid_confusion.csv"},
    makes=figures("svm_confusion", "model", ["network", "cnn-svm"]),
)
