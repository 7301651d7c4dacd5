# Needs: data.h5, split.csv, a model; the baseline's store where its prediction is explained.
# Makes: cams/<augmentation>/<seed>.h5, one store per model: maps, logits, predictions; and
# <method>/cams/… for every method of cam.also, class-<class>/cams/… for every class of cam.also_class.


rule extract_cams:
    input:
        data=rules.load_data.output.data,
        split=rules.make_split.output.split,
        weights=rules.train.output.weights,
        baseline=explained_by,
    output:
        store=f"{RESULTS}/{{also}}cams/{{augmentation}}/{{seed}}.h5",
    log:
        f"{RESULTS}/logs/{{also}}cams/{{augmentation}}/{{seed}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/{{also}}cams/{{augmentation}}/{{seed}}.tsv"
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
        method=lambda wildcards: method_of(wildcards.also),
        class_policy=lambda wildcards: class_of(wildcards.also),
        target_layer=STUDY["cam"]["target_layer"],
        batch_size=STUDY["cam"]["batch_size"],
        fold_batch_norm=STUDY["cam"]["fold_batch_norm"],
        device=DEVICE,
        threads=THREADS,
        code=lambda wildcards: code(
            "extract_cams",
            *entries_of(registry.CAM_METHODS, method_of(wildcards.also)),
            architecture_entry(STUDY["model"]["architecture"]),
        ),
    script:
        "../scripts/extract_cams.py"
