# Needs: data.h5, split.csv.
# Makes: target_layer.json (the layer whose maps are made, and their size: a layer without extent
# stops the study before it trains); models/<augmentation>/<seed>.safetensors (best epoch) and .csv
# (history), one job each. A killed job leaves models/<augmentation>/.<seed>.checkpoint and goes on
# from it.


rule find_target_layer:
    input:
        data=rules.load_data.output.data,
    output:
        layer=f"{RESULTS}/target_layer.json",
    log:
        f"{RESULTS}/logs/find_target_layer.log",
    benchmark:
        f"{RESULTS}/benchmarks/find_target_layer.tsv"
    resources:
        mem_mb=4000,
        runtime=10,
    params:
        architecture=STUDY["model"]["architecture"],
        input_size=STUDY["model"]["input_size"],
        target_layer=STUDY["cam"]["target_layer"],
        code=code("find_target_layer", architecture_entry(STUDY["model"]["architecture"])),
    script:
        "../scripts/find_target_layer.py"


rule train:
    input:
        data=rules.load_data.output.data,
        split=rules.make_split.output.split,
        layer=ancient(rules.find_target_layer.output.layer),  # another layer trains nothing anew
    output:
        weights=f"{RESULTS}/models/{{augmentation}}/{{seed}}.safetensors",
        history=f"{RESULTS}/models/{{augmentation}}/{{seed}}.csv",
    log:
        f"{RESULTS}/logs/train/{{augmentation}}/{{seed}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train/{{augmentation}}/{{seed}}.tsv"
    threads: STUDY["compute"]["threads"]
    resources:
        gpu=wants_gpu(),
        mem_mb=8000,
        runtime=lambda wildcards, attempt: 720 * attempt,
    params:
        settings=lambda wildcards: training_settings(wildcards.augmentation, int(wildcards.seed)),
        code=lambda wildcards: training_code(
            STUDY["model"]["architecture"], steps_of(wildcards.augmentation)
        ),
    script:
        "../scripts/train_model.py"
