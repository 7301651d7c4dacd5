# Needs: data.h5, split.csv, the baseline's model and store. For studies with `masking`.
# Makes: the maps of the training images, vectors/<machine>.h5 of masked pixels, SVMs on them, and
# tables and figures of what the mask adds.

MASKING = STUDY["masking"]
PIXEL_MACHINES = ["unmasked", "masked", "mask-same-class", "mask-any-class", "mask-alone"]


rule map_training:
    input:
        data=rules.load_data.output.data,
        split=rules.make_split.output.split,
        weights=BASELINE_WEIGHTS,
    output:
        store=f"{RESULTS}/cams/baseline-training/{SEEDS[0]}.h5",
    log:
        f"{RESULTS}/logs/cams/baseline-training.log",
    benchmark:
        f"{RESULTS}/benchmarks/cams/baseline-training.tsv"
    threads: THREADS
    resources:
        gpu=GPU,
        mem_mb=at_each_attempt(explaining_memory),
        runtime=lambda wildcards, attempt: 120 * attempt,
    params:
        **mapping_settings("baseline-training"),
        architecture=STUDY["model"]["architecture"],
        target_layer=STUDY["cam"]["target_layer"],
        method=STUDY["cam"]["method"],
        class_policy="predicted",
        subsets=["train", "validation"],
        code=code(
            "map_images",
            *entries_of(registry.CAM_METHODS, STUDY["cam"]["method"]),
            architecture_entry(STUDY["model"]["architecture"]),
        ),
    script:
        "../scripts/map_images.py"


rule mask_pixels:
    input:
        data=rules.load_data.output.data,
        training=rules.map_training.output.store,
        test=BASELINE_STORE,
    output:
        vectors=[f"{RESULTS}/vectors/{name}.h5" for name in PIXEL_MACHINES],
    log:
        f"{RESULTS}/logs/mask_pixels.log",
    benchmark:
        f"{RESULTS}/benchmarks/mask_pixels.tsv"
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        machines=PIXEL_MACHINES,
        keep=MASKING["keep"],
        seed=MASKING["seed"],
        code=code("mask_pixels"),
    script:
        "../scripts/mask_pixels.py"


rule tabulate_masking:
    input:
        data=rules.load_data.output.data,
        predictions=[f"{RESULTS}/machines/{name}.parquet" for name in PIXEL_MACHINES]
        + [BASELINE_STORE],
    output:
        scores=table("masking_scores"),
        classes=table("masking_classes"),
        confusion=table("masking_confusion"),
    log:
        f"{RESULTS}/logs/tabulate_masking.log",
    benchmark:
        f"{RESULTS}/benchmarks/tabulate_masking.tsv"
    resources:
        mem_mb=at_each_attempt(table_memory),
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        models=[*PIXEL_MACHINES, "cnn"],
        reference="unmasked",
        code=code("tabulate_scores"),
    script:
        "../scripts/tabulate_scores.py"


rule plot_masking_scores:
    input:
        scores=rules.tabulate_masking.output.scores,
    output:
        figures("scores", labelled("models", ["masking"])),
    log:
        f"{RESULTS}/logs/plot_masking_scores.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot_masking_scores.tsv"
    resources:
        mem_mb=at_each_attempt(table_memory),
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        **DRAWING,
        code=code("plot_scores"),
    script:
        "../scripts/plot_scores.py"


rule plot_masking_confusion:
    input:
        confusion=rules.tabulate_masking.output.confusion,
    output:
        figures("svm_confusion", labelled("model", PIXEL_MACHINES)),
    log:
        f"{RESULTS}/logs/plot_masking_confusion.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot_masking_confusion.tsv"
    resources:
        mem_mb=at_each_attempt(table_memory),
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        **DRAWING,
        code=code("plot_svm_confusion"),
    script:
        "../scripts/plot_svm_confusion.py"


rule plot_masks:
    input:
        data=rules.load_data.output.data,
        vectors=rules.mask_pixels.output.vectors,
    output:
        figures("masks", labelled("figure", ["classes"])),
    log:
        f"{RESULTS}/logs/plot_masks.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot_masks.tsv"
    resources:
        mem_mb=at_each_attempt(table_memory),
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        **DRAWING,
        machines=PIXEL_MACHINES,
        code=code("plot_masks"),
    script:
        "../scripts/plot_masks.py"


rule masking:
    input:
        rules.tabulate_masking.output,
        rules.plot_masking_scores.output,
        rules.plot_masking_confusion.output,
        rules.plot_masks.output,


localrules:
    masking,
