# Needs: data.h5, split.csv, a model; the baseline's store where its prediction is explained.
# Makes: cams/<augmentation>/<seed>.h5, one store per model: maps, logits, predictions.


rule extract_cams:
    input:
        data=rules.load_data.output.data,
        split=rules.make_split.output.split,
        weights=rules.train.output.weights,
        baseline=explained_by,
    output:
        store=f"{RESULTS}/cams/{{augmentation}}/{{seed}}.h5",
    log:
        f"{RESULTS}/logs/cams/{{augmentation}}/{{seed}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/cams/{{augmentation}}/{{seed}}.tsv"
    threads: THREADS
    resources:
        gpu=GPU,
        mem_mb=at_each_attempt(explaining_memory),
        runtime=at_each_attempt(explaining_minutes),
    params:
        study=STUDY["study"],
        augmentation="{augmentation}",
        seed=lambda wildcards: int(wildcards.seed),
        architecture=STUDY["model"]["architecture"],
        input_size=STUDY["model"]["input_size"],
        method=STUDY["cam"]["method"],
        class_policy=STUDY["cam"]["class"],
        target_layer=STUDY["cam"]["target_layer"],
        batch_size=STUDY["cam"]["batch_size"],
        device=DEVICE,
        threads=THREADS,
        code=code(
            "extract_cams",
            *entries_of(registry.CAM_METHODS, STUDY["cam"]["method"]),
            architecture_entry(STUDY["model"]["architecture"]),
        ),
    script:
        "../scripts/extract_cams.py"
