# Needs: data.h5, split.csv, every model and its store.
# Makes: finetuned/<augmentation>/<seed>.safetensors and .csv, each model fine-tuned on images with a deleted
# cell; single_deletion/<augmentation>/<seed>.parquet, rank correlations of its maps and of deletions, with
# the model as trained and fine-tuned; tables/single_deletion*.csv, figures/single_deletion/*.
# A killed fine-tuning leaves finetuned/<augmentation>/.<seed>.checkpoint, from which it resumes.

DELETION = STUDY["single_deletion"]
FINETUNED = "<results>/finetuned/{augmentation}/{seed}.safetensors"

compute(
    "finetune",
    needs={
        "data": rules.load_data.output.data,
        "split": rules.make_split.output.split,
        "weights": WEIGHTS,
    },
    makes={"weights": FINETUNED, "history": FINETUNED.replace(".safetensors", ".csv")},
    kind="finetune",
    gpu=GPU,
    entries=[*ARCHITECTURES, *registry.functions(registry.STEPS, ["delete_cell"])],
    settings=lambda wildcards: DESIGN.finetuning(model_of(wildcards)),
)
compute(
    "measure_deletion",
    needs={
        "data": rules.load_data.output.data,
        "split": rules.make_split.output.split,
        "trained": WEIGHTS,
        "finetuned": FINETUNED,
        "store": CAMS,
    },
    makes={"scores": "<results>/{variant}single_deletion/{augmentation}/{seed}.parquet"},
    kind="delete_cells",
    gpu=GPU,
    group="maps_{augmentation}",
    entries=[*ARCHITECTURES, *chain(*METHODS.values())],
    **MAPPING,
    images=DELETION["images"],
    cells=DELETION["cells"],
    seed=DELETION["seed"],
    architecture=architecture_of,
    method=lambda wildcards: DESIGN.variants[wildcards.variant].method,
    target_layer=lambda wildcards: DESIGN.variants[wildcards.variant].target_layer,
)
tabulate(
    "single_deletion",
    needs={"measured": of_models(rules.measure_deletion.output.scores, DESIGN.models)},
    makes={
        "models": table("single_deletion", "{variant}"),
        "summary": table("single_deletion_summary", "{variant}"),
    },
    models=DESIGN.models,
    paired=DESIGN.paired,
    seed=RESAMPLING_SEED,
)
draw(
    "single_deletion",
    needs={
        "models": "<results>/{variant}tables/single_deletion.csv",
        "summary": "<results>/{variant}tables/single_deletion_summary.csv",
    },
    makes=figures("single_deletion", "figure", ["correlation"], "{variant}"),
)
