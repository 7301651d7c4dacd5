# Needs: data.h5, split.csv, the baseline's store, architectures/<network>.safetensors.
# Makes: the network's features, an SVM on them (svm.smk), its maps cams/cnn-svm/<seed>.h5, and tables
# and figures that compare these with the baseline's maps.

HYBRID = STUDY["hybrid"]

compute(
    "extract_features",
    needs={
        "data": rules.load_data.output.data,
        "split": rules.make_split.output.split,
        "weights": f"<results>/architectures/{user_code.short(HYBRID['network'])}.safetensors",
    },
    makes={
        "vectors": "<results>/features/cnn-svm.h5",
        "predictions": "<results>/classifiers/network.parquet",
    },
    kind="map_other",
    gpu=GPU,
    entries=[registry.architecture_function(HYBRID["network"])],
    **DEVICE,
    architecture=HYBRID["network"],
    input_size=STUDY["model"]["input_size"],
    batch_size=STUDY["cam"]["batch_size"],
)
compute(
    "map_hybrid",
    script_name="map_images",
    needs={
        "data": rules.load_data.output.data,
        "split": rules.make_split.output.split,
        "weights": rules.extract_features.input.weights,
        "classifier": "<results>/classifiers/cnn-svm.safetensors",
    },
    makes={"store": f"<results>/cams/cnn-svm/{DESIGN.first_seed}.h5"},
    kind="map_other",
    gpu=GPU,
    entries=[
        *registry.functions(registry.CAM_METHODS, [HYBRID["method"]]),
        registry.architecture_function(HYBRID["network"]),
    ],
    **MAPPING,
    augmentation="cnn-svm",
    seed=DESIGN.first_seed,
    architecture=HYBRID["network"],
    target_layer=HYBRID["target_layer"],
    method=HYBRID["method"],
    class_policy="predicted",
    subsets=["test"],
)
compute(
    "measure_agreement",
    needs={"first": BASELINE_STORE, "second": rules.map_hybrid.output.store},
    makes={
        "pairs": f"<results>/similarity/cnn-svm/{DESIGN.first_seed}.parquet",
        "chance": f"<results>/similarity/cnn-svm/{DESIGN.first_seed}_other_images.parquet",
    },
    kind="compare",
    entries=registry.metric_functions(DESIGN.metrics),
    metrics=DESIGN.metrics,
    epsilon=STUDY["similarity"]["epsilon"],
    input_size=STUDY["model"]["input_size"],
    seed=HYBRID["seed"],
)
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
    maps="Maps of the CNN",
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
    maps="Maps of the CNN",
    models=["cnn", "cnn-svm"],
    **SHOWN,
)
compare_classifiers(
    "hybrid",
    {
        "cnn": BASELINE_STORE,
        "network": rules.extract_features.output.predictions,
        "cnn-svm": rules.map_hybrid.output.store,
    },
    reference="network",
)
