# Needs: data.h5, split.csv, the baseline's model and store.
# Makes: the maps of test images with an occluded square, one store per size; accuracy, and similarity
# to the maps of the whole images, by class: tables/occlusion.csv, figures/occlusion/*.

SIZES = STUDY["occlusion"]["sizes"]


wildcard_constraints:
    size=r"\d+",


compute(
    "map_occluded",
    script_name="map_images",
    needs={
        "data": rules.load_data.output.data,
        "split": rules.make_split.output.split,
        "weights": BASELINE_WEIGHTS,
        "baseline": BASELINE_STORE,
    },
    makes={"store": f"<results>/cams/occluded-{{size}}/{DESIGN.first_seed}.h5"},
    kind="map_other",
    gpu=GPU,
    entries=[*METHODS[""], *ARCHITECTURES],
    **BASELINE_MAPS,
    augmentation=lambda wildcards: f"occluded-{wildcards.size}",
    # The same class with and without occlusion, so that only the map changes.
    class_policy="true" if STUDY["cam"]["class"] == "true" else "baseline",
    subsets=["test"],
    occlude=lambda wildcards: {
        "size": int(wildcards.size),
        "fill": STUDY["occlusion"]["fill"],
        "seed": STUDY["occlusion"]["seed"],
    },
)
compute(
    "measure_occluded",
    script_name="measure_similarity",
    needs={"baselines": [BASELINE_STORE], "stores": [rules.map_occluded.output.store]},
    makes={"similarities": [f"<results>/similarity/occluded-{{size}}/{DESIGN.first_seed}.parquet"]},
    kind="compare",
    gpu=COMPARING_GPU,
    entries=registry.metric_functions(DESIGN.metrics),
    **COMPARING,
)
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
    maps="Maps",
    metrics=DESIGN.metrics,
)
