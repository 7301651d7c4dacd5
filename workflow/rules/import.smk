# Needs: data.h5, split.csv, the files that the config lists under `trained` or `maps`.
# Makes: models/<arm>/<number>.safetensors, for `trained`; cams/<arm>/<number>.h5, for `maps`.

ARMS = "|".join(["baseline", *DESIGN.augmentations])

if "trained" in STUDY:

    rule import_model:
        input:
            data=rules.load_data.output.data,
            split=rules.make_split.output.split,
            file=INPUTS.imported,
        output:
            weights=WEIGHTS,
        log:
            "<logs>/import/{augmentation}/{seed}.log",
        benchmark:
            "<benchmarks>/import/{augmentation}/{seed}.tsv"
        wildcard_constraints:
            augmentation=ARMS,
        resources:
            **sized("map_other"),
        params:
            **named(
                architecture=architecture_of,
                normalise=INPUTS.of_arm("normalise"),
                override=INPUTS.of_arm("override"),
                input_size=STUDY["model"]["input_size"],
                classes=STUDY.get("classes"),
                **(
                    {"architecture_parameters": INPUTS.parameters}
                    if STUDY["model"].get("parameters")
                    else {}
                ),
            ),
            **code("import_model", *ARCHITECTURES),
        script:
            "../scripts/import_model.py"


if "maps" in STUDY:

    rule import_maps:
        input:
            data=rules.load_data.output.data,
            split=rules.make_split.output.split,
            file=INPUTS.imported,
        output:
            store=CAMS,
        log:
            "<logs>/{variant}cams/{augmentation}/{seed}.log",
        benchmark:
            "<benchmarks>/{variant}cams/{augmentation}/{seed}.tsv"
        wildcard_constraints:
            augmentation=ARMS,
        resources:
            **sized("pixels"),
        params:
            **named(
                study=STUDY["study"],
                augmentation=lambda wildcards: wildcards.augmentation,
                seed=lambda wildcards: int(wildcards.seed),
                input_size=STUDY["model"]["input_size"],
            ),
            **code("import_maps"),
        script:
            "../scripts/import_maps.py"
