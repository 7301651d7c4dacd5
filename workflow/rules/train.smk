# Needs: data.h5, split.csv.
# Makes: models/<augmentation>/<seed>.safetensors (best epoch) and .csv (history), one job each.
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
