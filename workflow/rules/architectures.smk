# Needs: data.h5, split.csv.
# Makes: architectures/<architecture>.safetensors and .csv: the candidates, trained without
# augmentation and tested after every epoch; tables/architectures.csv, figures/architectures/* (thesis,
# 5.1 to 5.5).

REPORT.target = "architectures"
# Names in files → architectures.
CANDIDATES = {
    user_code.short(name): name
    for name in (
        *STUDY["architectures"],
        *(STUDY[s]["network"] for s in STAGES if s == "hybrid"),
    )
}


rule train_architecture:
    input:
        data=rules.load_data.output.data,
        split=FIRST_SPLIT,
    output:
        weights="<results>/architectures/{architecture}.safetensors",
        history="<results>/architectures/{architecture}.csv",
    log:
        "<logs>/architectures/{architecture}.log",
    benchmark:
        "<benchmarks>/architectures/{architecture}.tsv"
    threads: STUDY["compute"]["threads"]
    resources:
        **sized("train"),
        gpu=GPU,
    params:
        **named(mapped=False),
        **each(
            "settings",
            [*decisive(with_digest(DESIGN.training(DESIGN.models[0]))), "evaluate"],
            lambda wildcards: with_digest(DESIGN.candidate(CANDIDATES[wildcards.architecture])),
        ),
        **code_by(
            "architecture",
            {key: [registry.architecture_function(name)] for key, name in CANDIDATES.items()},
            "train_model",
        ),
    script:
        "../scripts/train_model.py"


SHORT = list(map(user_code.short, STUDY["architectures"]))
HISTORIES = [f"<results>/architectures/{name}.csv" for name in SHORT]
tabulate(
    "architectures",
    needs={"histories": HISTORIES},
    makes={"architectures": table("architectures")},
    architectures=SHORT,
)
draw(
    "architectures",
    needs={"histories": HISTORIES},
    makes=figures("architectures", "score", ["accuracy", "precision", "recall", "f1", "time"]),
    architectures=SHORT,
)
