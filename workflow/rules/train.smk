# Needs: data.h5, split.csv.
# Makes: models/<augmentation>/<seed>.safetensors (best epoch) and .csv (history), one job each.
# On demand (`snakemake augmented`, where copies are drawn once): augmented/<augmentation>/<seed>.h5,
# the images a model is trained on.
# A killed job leaves models/<augmentation>/.<seed>.checkpoint and goes on from it.


rule train:
    input:
        data=rules.load_data.output.data,
        split=rules.make_split.output.split,
    output:
        weights=f"{RESULTS}/models/{{augmentation}}/{{seed}}.safetensors",
        history=f"{RESULTS}/models/{{augmentation}}/{{seed}}.csv",
    log:
        f"{RESULTS}/logs/train/{{augmentation}}/{{seed}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train/{{augmentation}}/{{seed}}.tsv"
    threads: THREADS
    resources:
        gpu=GPU,
        mem_mb=at_each_attempt(training_memory),
        runtime=at_each_attempt(training_minutes),
    params:
        explained=True,
        settings=lambda wildcards: training_settings(wildcards.augmentation, int(wildcards.seed)),
        code=lambda wildcards: training_code(
            STUDY["model"]["architecture"], steps_of(wildcards.augmentation)
        ),
    script:
        "../scripts/train_model.py"


rule save_augmented:
    input:
        data=rules.load_data.output.data,
        split=rules.make_split.output.split,
    output:
        images=f"{RESULTS}/augmented/{{augmentation}}/{{seed}}.h5",
    log:
        f"{RESULTS}/logs/augmented/{{augmentation}}/{{seed}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/augmented/{{augmentation}}/{{seed}}.tsv"
    threads: THREADS
    resources:
        mem_mb=at_each_attempt(training_memory),
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        settings=lambda wildcards: training_settings(wildcards.augmentation, int(wildcards.seed)),
        code=lambda wildcards: code(
            "save_augmented",
            *entries_of(
                registry.AUGMENTATIONS, *(name for name, _ in steps_of(wildcards.augmentation))
            ),
        ),
    script:
        "../scripts/save_augmented.py"


rule augmented:
    input:
        of_models("augmented/{augmentation}/{seed}.h5", MODELS),
