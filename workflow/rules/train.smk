# Needs: data.h5, split.csv.
# Makes: models/<augmentation>/<seed>.safetensors (the epoch that is kept) and .csv (history), one job each.
# On request (`snakemake augmented`, if augmented images are drawn once): augmented/<augmentation>/<seed>.h5, the
# images on which a model is trained.
# A killed job leaves models/<augmentation>/.<seed>.checkpoint, from which training resumes.
# With cam.epochs also models/<augmentation>/<seed>.epoch-<epoch>.safetensors; other studies must not have these
# outputs or their param, which would train their models again.

# Names of all settings that determine the weights of a model; some models have more of them.
SETTINGS = list(
    dict.fromkeys(
        chain.from_iterable(
            decisive(with_digest(DESIGN.training(model)))
            for model in [*DESIGN.models, *DESIGN.changed_models]
        )
    )
)
KEEPING = (
    {
        "epochs": [
            f"<results>/models/{{augmentation}}/{{seed}}.epoch-{epoch}.safetensors"
            for epoch in DESIGN.epochs.values()
        ]
    }
    if DESIGN.epochs
    else {}
)


rule train:
    input:
        data=INPUTS.trained_on(rules.load_data.output.data, CHANGED_DATA),
        split=INPUTS.trained_on(rules.make_split.output.split, CHANGED_DATA.replace(".h5", ".csv")),
    output:
        **KEEPING,
        weights=WEIGHTS,
        history="<results>/models/{augmentation}/{seed}.csv",
    log:
        "<logs>/train/{augmentation}/{seed}.log",
    benchmark:
        "<benchmarks>/train/{augmentation}/{seed}.tsv"
    threads: STUDY["compute"]["threads"]
    resources:
        **sized("train"),
        gpu=GPU,
    params:
        **named(mapped=True),
        **(
            named(kept_epochs=lambda wildcards: DESIGN.epochs_kept(wildcards.augmentation))
            if KEEPING
            else {}
        ),
        **each(
            "settings",
            SETTINGS,
            lambda wildcards: with_digest(DESIGN.training(model_of(wildcards))),
        ),
        **code_by("augmentation", TRANSFORMS, "train_model", *ARCHITECTURES),
    script:
        "../scripts/train_model.py"


rule save_augmented:
    input:
        data=rules.load_data.output.data,
        split=rules.make_split.output.split,
    output:
        images="<results>/augmented/{augmentation}/{seed}.h5",
    log:
        "<logs>/augmented/{augmentation}/{seed}.log",
    benchmark:
        "<benchmarks>/augmented/{augmentation}/{seed}.tsv"
    threads: STUDY["compute"]["threads"]
    resources:
        **sized("augment"),
    params:
        **each(
            "settings",
            SETTINGS,
            lambda wildcards: with_digest(DESIGN.training(model_of(wildcards))),
        ),
        **code_by("augmentation", TRANSFORMS, "save_augmented"),
    script:
        "../scripts/save_augmented.py"


rule augmented:
    input:
        of_models("<results>/augmented/{augmentation}/{seed}.h5", DESIGN.models),
    localrule: True
