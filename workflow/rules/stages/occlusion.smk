# Needs: data.h5, split.csv, the baseline's model and store.
# Makes: the maps of test images with an occluded square, one store per size; accuracy, and similarity
# to the maps of the whole images, by class: tables/occlusion.csv, figures/occlusion/*.

SIZES = STUDY["occlusion"]["sizes"]


wildcard_constraints:
    size=r"\d+",


rule map_occluded:
    input:
        data=rules.load_data.output.data,
        split=rules.make_split.output.split,
        weights=BASELINE_WEIGHTS,
        baseline=BASELINE_STORE,
    output:
        store=f"<results>/cams/occluded-{{size}}/{DESIGN.first_seed}.h5",
    log:
        "<logs>/cams/occluded-{size}.log",
    benchmark:
        "<benchmarks>/cams/occluded-{size}.tsv"
    threads: STUDY["compute"]["threads"]
    resources:
        **sized("map_other"),
        gpu=GPU,
    params:
        **named(
            **MAPPING,
            augmentation=lambda wildcards: f"occluded-{wildcards.size}",
            seed=DESIGN.first_seed,
            architecture=STUDY["model"]["architecture"],
            target_layer=STUDY["cam"]["target_layer"],
            method=STUDY["cam"]["method"],
            # The same class with and without occlusion, so that only the map changes.
            class_policy="true" if STUDY["cam"]["class"] == "true" else "baseline",
            subsets=["test"],
            occlude=lambda wildcards: {
                "size": int(wildcards.size),
                "fill": STUDY["occlusion"]["fill"],
                "seed": STUDY["occlusion"]["seed"],
            },
        ),
        **code("map_images", *METHODS[""], ARCHITECTURE),
    script:
        "../../scripts/map_images.py"


rule measure_occluded:
    input:
        baselines=[BASELINE_STORE],
        stores=[rules.map_occluded.output.store],
    output:
        similarities=[f"<results>/similarity/occluded-{{size}}/{DESIGN.first_seed}.parquet"],
    log:
        "<logs>/similarity/occluded-{size}.log",
    benchmark:
        "<benchmarks>/similarity/occluded-{size}.tsv"
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
    "occlusion",
    needs={
        "data": rules.load_data.output.data,
        "similarities": expand(rules.measure_occluded.output.similarities, size=SIZES),
    },
    makes={"occlusion": table("occlusion")},
    sizes=SIZES,
    metrics=DESIGN.metrics,
)
draw(
    "occlusion",
    needs={"occlusion": "<results>/tables/occlusion.csv"},
    makes=figures("occlusion", "measure", ["accuracy", *DESIGN.metrics]),
    metrics=DESIGN.metrics,
)
