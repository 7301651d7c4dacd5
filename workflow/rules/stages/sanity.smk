# Needs: data.h5, split.csv, every model and its store.
# Makes: models/permuted_labels/<seed>.safetensors and .csv, a network trained on permuted labels, if
# `permuted_labels` is set; sanity/<augmentation>/<seed>.parquet, similarities of a model's maps to those of
# its randomised copies, of another class, of another image and of that network; tables/sanity*.csv,
# figures/sanity/*.

SANITY = {key: value for key, value in STUDY["sanity"].items() if key != "permuted_labels"}
SANITY_METRICS = DESIGN.map_distances
PERMUTED = (
    [f"<results>/models/permuted_labels/{DESIGN.first_seed}.safetensors"]
    if STUDY["sanity"]["permuted_labels"]
    else []
)

if PERMUTED:
    compute(
        "train_permuted",
        needs={"data": rules.load_data.output.data, "split": FIRST_SPLIT},
        makes={"weights": PERMUTED[0], "history": PERMUTED[0].replace(".safetensors", ".csv")},
        kind="train_permuted",
        gpu=GPU,
        entries=ARCHITECTURES,
        settings=with_digest(DESIGN.permuted),
        seed=STUDY["sanity"]["seed"],
    )

compute(
    "measure_sanity",
    needs={
        "data": rules.load_data.output.data,
        "weights": WEIGHTS,
        "store": CAMS,
        "permuted": PERMUTED,
    },
    makes={"sanity": "<results>/{variant}sanity/{augmentation}/{seed}.parquet"},
    kind="check_sanity",
    gpu=GPU,
    group="maps_{augmentation}",
    entries=[*ARCHITECTURES, *chain(*METHODS.values()), *registry.metric_functions(SANITY_METRICS)],
    **SANITY,
    **MAPPING,
    architecture=architecture_of,
    model=lambda wildcards: int(wildcards.seed),
    method=lambda wildcards: DESIGN.variants[wildcards.variant].method,
    target_layer=lambda wildcards: DESIGN.variants[wildcards.variant].target_layer,
    metrics=SANITY_METRICS,
    resolution=STUDY["similarity"]["resolution"],
    epsilon=STUDY["similarity"]["epsilon"],
)
tabulate(
    "sanity",
    needs={"measured": of_models(rules.measure_sanity.output.sanity, DESIGN.models)},
    makes={
        "layers": table("sanity_layers", "{variant}"),
        "summary": table("sanity", "{variant}"),
    },
    models=DESIGN.models,
    metrics=SANITY_METRICS,
    paired=DESIGN.paired,
    seed=RESAMPLING_SEED,
)
draw(
    "sanity",
    needs={
        "layers": "<results>/{variant}tables/sanity_layers.csv",
        "summary": "<results>/{variant}tables/sanity.csv",
    },
    makes=figures("sanity", "metric", SANITY_METRICS, "{variant}"),
    metrics=SANITY_METRICS,
)
