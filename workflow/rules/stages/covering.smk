# Needs: data.h5, split.csv, the baseline's model and store.
# Makes: the maps of test images with a covered patch, one store per size, and accuracy and drift of
# the maps by class: tables/covering.csv, figures/covering/*.

SIZES = STUDY["covering"]["sizes"]


wildcard_constraints:
    size=r"\d+",


rule map_covered:
    input:
        data=rules.load_data.output.data,
        split=rules.make_split.output.split,
        weights=BASELINE_WEIGHTS,
        baseline=BASELINE_STORE,
    output:
        store=f"<results>/cams/covered-{{size}}/{DESIGN.first_seed}.h5",
    log:
        "<logs>/cams/covered-{size}.log",
    benchmark:
        "<benchmarks>/cams/covered-{size}.tsv"
    threads: STUDY["compute"]["threads"]
    resources:
        **sized("map_other"),
        gpu=GPU,
    params:
        **named(
            **MAPPING,
            augmentation=lambda wildcards: f"covered-{wildcards.size}",
            seed=DESIGN.first_seed,
            architecture=STUDY["model"]["architecture"],
            target_layer=STUDY["cam"]["target_layer"],
            method=STUDY["cam"]["method"],
            # The same class before and after, so that the map alone may drift.
            class_policy="true" if STUDY["cam"]["class"] == "true" else "baseline",
            subsets=["test"],
            cover=lambda wildcards: {
                "size": int(wildcards.size),
                "fill": STUDY["covering"]["fill"],
                "seed": STUDY["covering"]["seed"],
            },
        ),
        **code("map_images", *METHODS[""], ARCHITECTURE),
    script:
        "../../scripts/map_images.py"


rule measure_covered:
    input:
        baselines=[BASELINE_STORE],
        stores=[rules.map_covered.output.store],
    output:
        similarities=[f"<results>/similarity/covered-{{size}}/{DESIGN.first_seed}.parquet"],
    log:
        "<logs>/similarity/covered-{size}.log",
    benchmark:
        "<benchmarks>/similarity/covered-{size}.tsv"
    threads: STUDY["compute"]["threads"]
    resources:
        **sized("compare"),
        gpu=COMPARING_GPU,
    params:
        **named(
            **COMPARING,
        ),
        **code("measure_similarity", *registry.metric_functions(DESIGN.metrics)),
    script:
        "../../scripts/measure_similarity.py"


tabulate(
    "covering",
    needs={
        "data": rules.load_data.output.data,
        "similarities": expand(rules.measure_covered.output.similarities, size=SIZES),
    },
    makes={"covering": table("covering")},
    sizes=SIZES,
    metrics=DESIGN.metrics,
)
draw(
    "covering",
    needs={"covering": "<results>/tables/covering.csv"},
    makes=figures("covering", "measure", ["accuracy", *DESIGN.metrics]),
    metrics=DESIGN.metrics,
)
